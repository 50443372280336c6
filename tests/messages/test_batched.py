"""Batches: many messages in one frame, each after its length (WAMP section "Message Batching")."""

from __future__ import annotations

import gc
import struct
import weakref

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer
from support.compare import assert_same
from support.strategies import messages

BATCHED = FlatBuffersObjectSerializer(batched=True)
PLAIN = FlatBuffersObjectSerializer()
GOOD = BATCHED.serialize(m.Event(1, 2, args=[1, "x"], topic="a.b"))


def framed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


@given(st.lists(messages(), max_size=5))
def test_a_frame_is_its_messages_in_order(msgs):
    frame = b"".join(BATCHED.serialize(msg) for msg in msgs)
    received = BATCHED.unserialize(frame)
    assert len(received) == len(msgs)
    for got, sent in zip(received, msgs, strict=True):
        assert_same(got, sent)


def test_an_empty_frame_has_no_messages():
    assert BATCHED.unserialize(b"") == []


def test_messages_may_lie_at_any_alignment():
    for padding in range(1, 9):
        first = BATCHED.serialize(m.Event(1, 2, payload=b"x" * padding, enc_algo="mqtt"))
        odd = framed(first[4:] + b"\0" * padding) + GOOD
        assert [msg.publication for msg in BATCHED.unserialize(odd)] == [2, 2]


def test_messages_of_a_frame_share_it():
    frame = GOOD * 3
    views = [msg.args_view for msg in BATCHED.unserialize(frame)]
    assert all(view.obj is frame for view in views)


def test_a_message_of_a_frame_is_passed_on_without_it():
    for msg in BATCHED.unserialize(GOOD * 2):
        assert PLAIN.serialize(msg) == GOOD[4:]
        assert BATCHED.serialize(msg) == GOOD
        assert BATCHED.serialize(PLAIN.unserialize(GOOD[4:])[0]) == GOOD


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_trailing_bytes_are_refused(cut):
    with pytest.raises(ProtocolError, match=rf"trailing bytes at offset {len(GOOD)}"):
        BATCHED.unserialize(GOOD + GOOD[:cut])


@pytest.mark.parametrize("excess", [1, 2**16, 2**31, 2**32 - 1 - len(GOOD)])
def test_a_length_that_runs_past_the_frame_is_refused(excess):
    broken = struct.pack(">I", len(GOOD) - 4 + excess) + GOOD[4:]
    with pytest.raises(ProtocolError, match=rf"runs past the frame at offset {len(GOOD)}"):
        BATCHED.unserialize(GOOD + broken)


def test_a_length_of_zero_is_refused():
    with pytest.raises(ProtocolError, match=rf"empty message at offset {len(GOOD)}"):
        BATCHED.unserialize(GOOD + b"\0\0\0\0" + GOOD)


def test_a_length_that_cuts_its_message_is_refused():
    with pytest.raises(ProtocolError):
        BATCHED.unserialize(struct.pack(">I", 12) + GOOD[4:])


def test_one_bad_message_refuses_the_frame_and_keeps_nothing_alive():
    class Buffer(bytearray):
        pass

    frame = Buffer(GOOD * 50 + framed(b"\xff" * 40))
    gone = weakref.ref(frame)
    gc.collect()
    before = len(gc.get_objects())
    with pytest.raises(ProtocolError):
        BATCHED.unserialize(frame)
    del frame
    gc.collect()
    assert gone() is None
    assert len(gc.get_objects()) - before < 25


def test_a_frame_lives_as_long_as_any_of_its_messages():
    received = BATCHED.unserialize(bytes(bytearray(GOOD * 100)))
    last = received[-1]
    del received
    gc.collect()
    assert last.args == [1, "x"] and last.topic == "a.b"


def test_statistics_count_the_messages_of_a_frame():
    serializer = FlatBuffersSerializer(batched=True)
    serializer.unserialize(GOOD * 3)
    stats = serializer.stats(details=True)["unserialized"]
    assert (stats["messages"], stats["bytes"]) == (3, 3 * len(GOOD))
    assert serializer.SERIALIZER_ID == "flatbuffers.batched"


def test_an_unbatched_serializer_does_not_read_a_frame():
    with pytest.raises(ProtocolError):
        PLAIN.unserialize(GOOD)
