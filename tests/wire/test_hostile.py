"""Hostile bytes: every truncation, flipped bytes, random changes, amplification.

For any input, either ``unserialize`` raises ProtocolError, or every attribute can be read in any
order, and the only possible error is the payload codec's ProtocolError.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable

import pytest
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.message import Message
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer
from support.hostile import SERIALIZERS, feed, shared_vector
from support.samples import every_sample
from support.strategies import messages
from support.wirebuild import CODES, build

SAMPLES = {
    dialect: [serializer.serialize(msg) for msg in every_sample()]
    for dialect, serializer in SERIALIZERS.items()
}


@pytest.mark.parametrize("dialect", SERIALIZERS)
def test_a_message_cut_anywhere_is_refused_or_readable(dialect):
    for data in SAMPLES[dialect]:
        assert feed(data, dialect)
        for length in range(len(data)):
            feed(data[:length], dialect, length)


@pytest.mark.parametrize("dialect", SERIALIZERS)
@pytest.mark.parametrize("change", [0xFF, 0x01, 0x80], ids=hex)
def test_each_byte_changed_is_refused_or_readable(dialect, change):
    for data in SAMPLES[dialect]:
        for place in range(len(data)):
            broken = bytearray(data)
            broken[place] ^= change
            feed(bytes(broken), dialect, place)


EXTREMES = (0, 1, 4, 0x7F, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFF)


@pytest.mark.parametrize("dialect", SERIALIZERS)
def test_each_word_set_to_an_extreme_is_refused_or_readable(dialect):
    for data in SAMPLES[dialect]:
        for place in range(0, len(data) - 3, 4):
            for value in EXTREMES:
                broken = data[:place] + struct.pack("<I", value) + data[place + 4 :]
                feed(broken, dialect, place)


@pytest.mark.parametrize("dialect", SERIALIZERS)
def test_random_changes_are_refused_or_readable(dialect):
    source = random.Random(20260)
    for _ in range(3000):
        broken = bytearray(source.choice(SAMPLES[dialect]))
        for _ in range(source.randint(1, 6)):
            place = source.randrange(len(broken))
            broken[place] = source.choice((0, 1, 4, 255, source.randrange(256)))
        if source.random() < 0.2:
            at = source.randrange(len(broken))
            broken[at:at] = source.randbytes(source.randint(1, 9))
        feed(bytes(broken), dialect, source.randrange(2**30))


@given(messages(), st.data())
def test_changes_of_any_message_are_refused_or_readable(msg, data):
    dialect = data.draw(st.sampled_from(list(SERIALIZERS)))
    whole = bytearray(SERIALIZERS[dialect].serialize(msg))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    feed(bytes(whole), dialect)


@given(st.binary(max_size=200), st.sampled_from(list(SERIALIZERS)))
def test_noise_is_refused_or_readable(noise, dialect):
    feed(noise, dialect)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0" * 7, b"\0" * 64, b"\xff" * 64])
def test_too_few_bytes_and_none_are_refused(data, any_serializer):
    with pytest.raises(ProtocolError):
        any_serializer.unserialize(data or b"\0")


def test_every_unknown_tag_is_refused():
    for tag in range(256):
        if tag not in CODES.values():
            with pytest.raises(ProtocolError):
                feed_or_raise(build("Published", {"request": 1, "publication": 2}, tag=tag))


def feed_or_raise(data: bytes) -> Message:
    (msg,) = SERIALIZERS["autobahn"].unserialize(data)
    return msg


def test_strings_must_be_utf8_and_terminated():
    for text in (b"\xff", b"a\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82"):
        with pytest.raises(ProtocolError, match=r"EVENT\.topic.* offset \d+"):
            feed_or_raise(build("Event", {"subscription": 1, "publication": 2, "topic": text}))
    data = bytearray(build("Publish", {"request": 1, "topic": "com.example"}))
    end = data.index(b"com.example") + len(b"com.example")
    data[end] = 1
    with pytest.raises(ProtocolError, match=r"PUBLISH\.topic"):
        feed_or_raise(bytes(data))


def test_an_error_names_message_field_and_offset():
    data = build("Publish", {"request": 2**53 + 1, "topic": "a.b"})
    with pytest.raises(ProtocolError, match=r"^PUBLISH\.request: .* offset \d+$"):
        feed_or_raise(data)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_batch_cut_anywhere_is_refused(cut):
    serializer = FlatBuffersObjectSerializer(batched=True)
    frames = b"".join(serializer.serialize(msg) for msg in every_sample()[:3])
    with pytest.raises(ProtocolError):
        serializer.unserialize(frames[:-cut])


@pytest.mark.parametrize("length", [0, 1, 7, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_frame_of_a_wrong_length_is_refused(length):
    serializer = FlatBuffersObjectSerializer(batched=True)
    body = SERIALIZERS["autobahn"].serialize(every_sample()[0])
    with pytest.raises(ProtocolError):
        serializer.unserialize(struct.pack(">I", length) + body)


def test_payloads_that_are_not_cbor_fail_at_every_read():
    junk = (
        b"",
        b"\xff",
        b"\x9f",
        b"\x81",
        b"\x5b" + b"\xff" * 8,
        b"\x81" * 5000,
        b"\x01\x02",
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\xc1\x61a",
        b"\x7f\x41a\xff",
    )
    for payload in junk:
        for name in ("args", "kwargs"):
            msg = feed_or_raise(
                build("Event", {"subscription": 1, "publication": 2, name: payload})
            )
            for _ in range(2):
                with pytest.raises(ProtocolError, match=rf"EVENT\.{name}"):
                    getattr(msg, name)
            assert bytes(getattr(msg, f"{name}_view")) == payload
            assert msg.publication == 2


@pytest.mark.parametrize("codec", range(256))
def test_bytes_that_the_named_codec_does_not_accept_are_refused(codec):
    data = build("Result", {"request": 1, "args": b"\x80", "ppt_serializer": codec})
    if codec in (0, 3):
        assert feed_or_raise(data).args == []
    else:
        with pytest.raises(ProtocolError, match=r"RESULT\."):
            _ = feed_or_raise(data).args


# ---- amplification: many references to one thing


def seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("field", ["forward_for", "exclude_authid"])
def test_many_references_to_one_large_object_are_refused(field):
    data = shared_vector(field, 120_000, 100_000)
    with pytest.raises(ProtocolError, match=rf"PUBLISH\.{field}|Principal|budget|references"):
        feed_or_raise(data)
    # Refusing costs no more than accepting an honest message of the same size.
    honest = build("Publish", {"request": 1, "topic": "a.b", "args": b"\x58" * len(data)})
    assert seconds(lambda: feed(data)) < 0.02 + 50 * seconds(lambda: feed_or_raise(honest))


@pytest.mark.parametrize("field", ["forward_for", "exclude_authid"])
def test_reading_many_references_is_linear_in_the_messages_size(field):
    def cost(count: int) -> float:
        data = shared_vector(field, count, 4)
        return seconds(lambda: feed(data)) / len(data)

    few, many = cost(2_000), cost(60_000)
    assert many < 10 * few + 1e-6


def test_an_ordinary_list_of_equal_names_is_not_an_attack():
    names = ["anonymous"] * 5000
    msg = feed_or_raise(build("Publish", {"request": 1, "topic": "a.b", "exclude_authid": names}))
    assert msg.exclude_authid == names
