"""A user's program: a payload codec of its own, FlexBuffers, a cipher, and a router's link."""

from __future__ import annotations

import pickle
from typing import Any, assert_type

from autobahn.wamp import message

import autobahn_fbs
from autobahn_fbs import flexbuffers, forwarding, ppt


def dumps(value: Any) -> bytes:
    return pickle.dumps(value)


def loads(view: memoryview) -> Any:
    return pickle.loads(view)


def own_codec() -> None:
    autobahn_fbs.register_payload_serializer("x_pickle", dumps, loads)
    serializer = autobahn_fbs.FlatBuffersSerializer(payload_serializer="x_pickle")
    data, _ = serializer.serialize(message.Publish(1, "com.example.topic", args=[{1, 2}]))
    [received] = serializer.unserialize(data)
    assert isinstance(received, message.Publish)
    assert received.args == [{1, 2}]


def flex() -> None:
    data = flexbuffers.dumps({"a": [1, 2.5, None], "b": b"\x00"}, compact=True)
    assert_type(data, bytes)
    value = flexbuffers.loads(data)
    assert_type(value, Any)
    assert value["a"] == [1, 2.5, None]
    lazy = flexbuffers.loads(data, lazy=True)
    assert isinstance(lazy, flexbuffers.Lazy)
    assert_type(lazy.is_map, bool)
    assert_type(lazy.keys(), list[str])
    assert lazy["a"][1] == 2.5
    assert [key for key in lazy if key in lazy] == ["a", "b"]
    try:
        flexbuffers.loads(b"\x00")
    except flexbuffers.FlexBuffersError as error:
        assert_type(error.offset, int)
    else:
        raise AssertionError("one byte is not a FlexBuffer")


def sealed() -> None:
    event = message.Event(1, 2, payload=b"secret", enc_algo="cryptobox", enc_serializer="cbor")
    stated = ppt.with_cipher(event, "xsalsa20poly1305")
    cipher = ppt.cipher_of(stated)
    assert_type(cipher, str | None)
    assert cipher == "xsalsa20poly1305"


def forwarded() -> None:
    call = message.Call(1, "com.example.procedure")
    forwarding.append_hop(call, 7, None, "router")
    assert_type(forwarding.has_loop(call, 8), bool)
    [hop] = forwarding.chain_of(call)
    assert hop == {"session": 7, "authid": None, "authrole": "router"}


if __name__ == "__main__":
    own_codec()
    flex()
    sealed()
    forwarded()
