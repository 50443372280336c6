"""Large bytes in args and kwargs, which the writer copies straight into the message."""

from __future__ import annotations

import os
import sys
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message, role

import autobahn_fbs

LARGE = os.urandom(131072)
EDGE = os.urandom(16384)


class Bytes(bytes):
    """What cbor2 has to encode."""


PAYLOADS: list[tuple[Any, Any]] = [
    ([LARGE], None),
    ([1, LARGE, "two"], {}),
    (None, {"file": LARGE}),
    ([LARGE, EDGE], {"a": LARGE, "b": EDGE, "c": 3}),
    ([[{"deep": [LARGE]}], 1], {"x": [LARGE, LARGE]}),
    ([EDGE] * 9, {"more": EDGE}),
    ([EDGE[:-1], EDGE, EDGE + b"."], None),
    ([LARGE, Bytes(LARGE)], {"set": {1, 2}, "file": LARGE}),
    ([LARGE, {"set": {1, 2}}], {"file": LARGE}),
    ([LARGE], {"file": EDGE, "wrong": Bytes(EDGE)}),
]


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(("args", "kwargs"), PAYLOADS)
def test_they_are_in_the_message_as_cbor2_writes_them(args, kwargs, batched):
    serializer = autobahn_fbs.FlatBuffersSerializer(batched=batched)
    data, _ = serializer.serialize(message.Call(1, "com.example", args=args, kwargs=kwargs))
    for payload in filter(None, (args, kwargs)):
        assert cbor2.dumps(payload) in data
    (back,) = serializer.unserialize(data)
    assert (back.args, back.kwargs or None) == (args, kwargs or None)


def test_details_have_them_too():
    made = message.Hello("realm", {"caller": role.RoleCallerFeatures()}, authextra={"key": LARGE})
    serializer = autobahn_fbs.FlatBuffersSerializer()
    (back,) = serializer.unserialize(serializer.serialize(made)[0])
    assert back.authextra == {"key": LARGE}


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="counts references")
def test_none_of_them_is_kept_alive():
    large = os.urandom(131072)
    serializer = autobahn_fbs.FlatBuffersSerializer()
    before = sys.getrefcount(large)
    for wrong in ([large, object()], [large, {"a": large, "b": [object()]}]):
        with pytest.raises((TypeError, ValueError)):
            serializer.serialize(message.Call(1, "com.example", args=wrong))
    with pytest.raises((TypeError, ValueError)):
        serializer.serialize(message.Call(-1, "com.example", kwargs={"a": large, "b": large}))
    serializer.serialize(message.Call(1, "com.example", args=[large, large], kwargs={"a": large}))
    del wrong
    assert sys.getrefcount(large) == before
