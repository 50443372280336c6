"""A user's program: converts messages to bytes and back, and reads them."""

from __future__ import annotations

from typing import Any, assert_type

from autobahn.wamp import message

import autobahn_fbs
from autobahn_fbs.views import HasViews


def topic_and_args(serializer: autobahn_fbs.FlatBuffersSerializer, data: bytes) -> tuple[Any, Any]:
    [received] = serializer.unserialize(data)
    assert_type(received, message.Message)
    assert isinstance(received, message.Event)
    return received.topic, received.args


def size_of_args(received: message.Message) -> int:
    if isinstance(received, HasViews):
        assert_type(received.args_view, memoryview | None)
        if received.args_view is not None:
            return received.args_view.nbytes
    return 0


def main() -> None:
    serializer = autobahn_fbs.FlatBuffersSerializer(
        payload_serializer="cbor", limits=autobahn_fbs.Limits(max_size=2**20)
    )
    assert_type(serializer, autobahn_fbs.FlatBuffersSerializer)
    assert_type(serializer.PAYLOAD_SERIALIZER_ID, str)

    event = message.Event(1, 2, args=["hello", 3], topic="com.example.hello")
    data, is_binary = serializer.serialize(event)
    assert_type(data, bytes)
    assert_type(is_binary, bool)
    assert is_binary
    assert topic_and_args(serializer, data) == ("com.example.hello", ["hello", 3])
    assert serializer.unserialize(bytearray(data), True) == [event]
    assert serializer.unserialize(memoryview(data)) == [event]

    statistics = serializer.stats(details=True)
    assert_type(statistics, dict[str, Any])
    assert statistics["serialized"]["messages"] == 1

    batched = autobahn_fbs.FlatBuffersObjectSerializer(batched=True, dialect="schema")
    frame = batched.serialize(event) + batched.serialize(message.Published(1, 2))
    messages = batched.unserialize(frame)
    assert_type(messages, list[message.Message])
    assert [size_of_args(received) for received in messages] == [8, 0]


if __name__ == "__main__":
    main()
