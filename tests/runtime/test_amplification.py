"""Small messages cost little: time and memory are a small multiple of the input's size.

Each case has two sizes, one eight times the other. If work isn't linear, the larger one costs more
per byte than the smaller one, whatever the machine's speed. Memory is the peak that Python counts
(tracemalloc), in bytes for each byte of input. SECURITY.rst has the numbers, which
``PYTHONPATH=tests python tests/runtime/test_amplification.py`` prints.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import cbor2
import pytest
from autobahn.wamp.exception import ProtocolError

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native
from support.compare import attribute_names
from support.costs import OBJSER, event, head, honest, peak, read, seconds
from support.hostile import shared_vector
from support.marks import cpython_only
from support.wirebuild import build

BATCHED = FlatBuffersObjectSerializer(batched=True)
SIZES = (25_000, 200_000)

#: All integers that have one hash, in 64 bits and both signs: multiples of 2**61 - 1.
COLLIDING = [sign * k * (2**61 - 1) for k in range(1, 9) for sign in (1, -1)]


def distinct_keys(size: int) -> list[int]:
    return [i << 40 for i in range(size // 10)]


def colliding_keys(size: int) -> bytes:
    one = cbor2.dumps(dict.fromkeys(COLLIDING))
    return event(head(4, size // len(one)) + one * (size // len(one)))


def bignum_keys(size: int) -> bytes:
    """As many keys with one hash as are accepted, in map after map."""
    one = cbor2.dumps(dict.fromkeys((2**61 - 1) * (2**40 + i) for i in range(256)))
    return event(head(4, max(1, size // len(one))) + one * max(1, size // len(one)))


def chunked(major: int) -> Callable[[int], bytes]:
    """A string in chunks of one byte."""
    return lambda size: event(
        b"\x81" + bytes([major << 5 | 31]) + bytes([major << 5 | 1, 0x61]) * (size // 2) + b"\xff"
    )


def nested(size: int) -> bytes:
    """Lists 190 deep, one after the other."""
    return repeated(b"\x81" * 190 + b"\x80")(size)


def repeated(one: bytes) -> Callable[[int], bytes]:
    """A list of the same item over and over."""
    return lambda size: event(head(4, size // len(one)) + one * (size // len(one)))


def passthrough(size: int) -> bytes:
    """A message in a message in a message: they are not unpacked."""
    data = b"\0" * size
    for _ in range(50):
        data = build("Event", {"subscription": 1, "publication": 2, "payload": data})
    return data


def flex(thing: bytes, at: int, kind: int, count: int) -> Callable[[int], bytes]:
    """A FlexBuffer of vectors, each with `count` one-byte references to offset `at` in the `thing`
    before it."""

    def make(size: int) -> bytes:
        start = len(thing) + 1
        one = thing + bytes([count, *(start + i - at for i in range(count)), *[kind << 2] * count])
        number = size // len(one)
        data = one * number
        data += bytes(-len(data) % 4) + struct.pack("<I", number)
        vector = len(data)
        for i in range(number):
            data += struct.pack("<I", vector + 4 * i - (i * len(one) + start))
        data += bytes([40]) * number
        data += bytes(-len(data) % 4)
        return event(data + struct.pack("<I", len(data) - vector) + bytes([42, 4]), codec=7)

    return make


def flex_shared_text(size: int) -> bytes:
    """References of 4 bytes to one text."""
    count = size // 5
    data = b"\x40" + b"t" * 64 + b"\0"
    data += bytes(-len(data) % 4) + struct.pack("<I", count)
    vector = len(data)
    data += b"".join(struct.pack("<I", vector + 4 * i - 1) for i in range(count))
    data += bytes([20]) * count
    data += bytes(-len(data) % 4)
    return event(data + struct.pack("<I", len(data) - vector) + bytes([42, 4]), codec=7)


ONE_KEY_MAP = b"a\0" + bytes([1, 3]) + bytes([1, 1, 1, 0, 0])

#: Case: the function that makes the message, and the maximum memory, as a multiple of its size.
CASES: dict[str, tuple[Callable[[int], bytes], float]] = {
    "an honest list of strings": (honest, 8),
    "references to one string": (lambda n: shared_vector("exclude_authid", n // 4, 16), 30),
    "references to one Principal": (lambda n: shared_vector("forward_for", n // 4, 1), 120),
    "references to one empty Principal": (lambda n: shared_vector("forward_for", n // 4, 0), 90),
    "empty lists, a byte each": (lambda n: event(head(4, n) + b"\x80" * n), 80),
    "empty maps, a byte each": (lambda n: event(head(4, n) + b"\xa0" * n), 90),
    "lists nested deeply": (nested, 110),
    "maps as keys of maps, deeply": (repeated(b"\xa1" * 31 + b"\xa0" + b"\0" * 31), 160),
    "IP networks in five bytes each": (repeated(b"\xd8\x36\x82\0\x40"), 60),
    "messages within messages": (passthrough, 4),
    "maps of integers with one hash": (colliding_keys, 20),
    "maps of bignums with one hash": (bignum_keys, 30),
    "a map of integers that share their low bits": (
        lambda n: event(b"\x81" + cbor2.dumps(dict.fromkeys(distinct_keys(n)))),
        30,
    ),
    "text in chunks of one byte": (chunked(3), 80),
    "bytes in chunks of one byte": (chunked(2), 80),
    "FlexBuffers: references to an empty vector": (flex(b"\0\0", 1, 10, 100), 60),
    "FlexBuffers: references to a map of one key": (flex(ONE_KEY_MAP, 7, 9, 40), 120),
    "FlexBuffers: references to one text": (flex_shared_text, 30),
}


@cpython_only
@pytest.mark.parametrize("case", CASES)
def test_memory_is_a_small_multiple_of_the_message(case):
    make, limit = CASES[case]
    for size in SIZES:
        assert peak(make(size)) < limit


def batch(size: int) -> bytes:
    """The smallest messages that visit as much as any message may."""
    one = shared_vector("exclude_authid", 140, 450)
    return (len(one).to_bytes(4, "big") + one) * (size // len(one))


def read_batch(data: bytes) -> None:
    for msg in BATCHED.unserialize(data):
        for name in attribute_names(type(msg)):
            getattr(msg, name)


@cpython_only
def test_memory_is_a_small_multiple_of_a_batch_of_small_messages():
    for size in SIZES:
        assert peak(batch(size), read_batch) < 90


@pytest.mark.parametrize("case", CASES)
def test_time_is_linear_in_the_messages_size(case):
    make, _ = CASES[case]
    for _ in range(3):  # a machine that does other things as well
        small, large = (make(size) for size in SIZES)
        ratio = (seconds(read, large) / len(large)) / (seconds(read, small) / len(small))
        if ratio < 5:  # quadratic: 8
            return
    pytest.fail(f"each byte of the larger message costs {ratio:.1f} times as much")


@pytest.mark.parametrize("case", CASES)
def test_the_cases_have_the_size_that_they_claim(case):
    for size in SIZES:
        assert 0.5 * size < len(CASES[case][0](size)) < 2 * size


@pytest.mark.parametrize(
    "keys",
    [
        [(2**61 - 1) * (2**40 + i) for i in range(257)],
        [(i, i + 1) for i in range(257)],
        [cbor2.CBORTag(4000, i) for i in range(257)],
    ],
    ids=["bignums", "tuples", "tags"],
)
def test_keys_that_can_be_given_one_hash_are_few(keys):
    few, many = dict.fromkeys(keys[:256]), dict.fromkeys(keys)
    assert native.cbor_loads(cbor2.dumps(few)) == few
    with pytest.raises(ValueError, match="too many keys"):
        native.cbor_loads(cbor2.dumps([0, many]))
    with pytest.raises(ValueError, match="too many keys"):
        native.cbor_loads(b"\xbf" + cbor2.dumps(many)[3:] + b"\xff")


@pytest.mark.parametrize("wrapping", [b"", b"\xd9\xd9\xf7"], ids=["plain", "self-described"])
def test_elements_of_a_set_that_can_be_given_one_hash_are_few(wrapping):
    element = cbor2.dumps(2**64)
    few, many = (b"\xd9\x01\x02" + wrapping + head(4, n) + element * n for n in (256, 257))
    assert native.cbor_loads(few) == cbor2.loads(few)
    with pytest.raises(ValueError, match="elements of a set"):
        native.cbor_loads(many)


def test_dates_and_strings_as_keys_are_not_an_attack():
    dates = {bytes([i % 256, i // 256]): i for i in range(1000)}
    assert native.cbor_loads(cbor2.dumps(dates)) == dates
    days = b"".join(b"\xd8\x64" + cbor2.dumps(i) + b"\0" for i in range(1000))
    assert len(native.cbor_loads(head(5, 1000) + days)) == 1000


def doubling(depth: int) -> bytes:
    """A map with one key: a tuple of twice the same tuple of twice the same …"""
    data = b"\xd8\x1c\x82\x01\x02"
    for index in range(depth, 0, -1):
        data = b"\xd8\x1c\x82" + data + b"\xd8\x1d\x18" + bytes([index])
    return b"\xa1" + data + b"\x00"


def test_shared_values_are_refused():
    """A hash of this key takes 2**60 steps: cbor2 alone would not return."""
    with pytest.raises(ValueError, match="shared values"):
        native.cbor_loads(doubling(60))
    (msg,) = OBJSER.unserialize(event(b"\x81" + doubling(60)))
    with pytest.raises(ProtocolError, match=r"EVENT\.args"):
        _ = msg.args
    metadata = build("Event", {"subscription": 1, "publication": 2}, metadata=doubling(60))
    with pytest.raises(ProtocolError):
        read_or_raise(metadata)


@pytest.mark.parametrize("level", [b"\x81", b"\xa1\x01", b"\x9f", b"\xd9\xd9\xf7"])
def test_shared_values_are_refused_at_any_depth(level):
    """cbor2 before 5.9 recurses as deep as the stack allows."""
    for depth in (400, 401, 100_000):
        with pytest.raises(ValueError, match=r"shared values|nested more than 400 levels"):
            native.cbor_loads(level * depth + doubling(2))


def read_or_raise(data: bytes) -> None:
    (msg,) = OBJSER.unserialize(data)
    for name in attribute_names(type(msg)):
        getattr(msg, name)


def test_references_to_one_text_are_refused():
    """100 kB that would be written again as 1 GB."""
    data = (
        b"\xd9\x01\x00\x82" + cbor2.dumps("x" * 50_000) + head(4, 20_000) + b"\xd8\x19\x00" * 20_000
    )
    assert sum(map(len, cbor2.loads(data)[1])) == 10**9
    with pytest.raises(ValueError, match="shared values"):
        native.cbor_loads(data)


@pytest.mark.parametrize(
    "value",
    [
        # 1.7 s for 8 kB, and each line compared with 800 boundaries.
        cbor2.CBORTag(35, "[\0-\U0010ffff]" * 1000),
        cbor2.CBORTag(35, "a"),
        cbor2.CBORTag(
            36,
            "".join(
                f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(800)
            )
            + "\n" * 50_000,
        ),
    ],
    ids=["classes", "harmless", "boundaries"],
)
def test_values_that_need_a_parser_of_their_own_are_refused(value):
    for data in (value, [0, value], {"a": value}, cbor2.CBORTag(55799, value)):
        with pytest.raises(ValueError, match="tags 35 and 36"):
            native.cbor_loads(cbor2.dumps(data))


@pytest.mark.parametrize("tag", [b"\xc4", b"\xc5", b"\xd8\x1e"], ids=["decimal", "big", "rational"])
def test_numbers_with_very_many_digits_are_refused(tag):
    def number(size: int) -> bytes:
        return tag + b"\x82\x01\xc2\x59" + struct.pack(">H", size) + b"\x7f" * size

    assert native.cbor_loads(number(1000)) == cbor2.loads(number(1000))
    with pytest.raises(ValueError, match="too long"):
        native.cbor_loads(number(1100))


@pytest.mark.parametrize("kind", [b"Z", b"T", b"F", b"N"])
@pytest.mark.parametrize("order", "<>")
def test_ubjson_cannot_claim_values_that_take_no_bytes(kind, order):
    """Autobahn's UBJSON makes a list of the claimed length: nine bytes, 16 GB."""
    for count in (b"l" + struct.pack(order + "i", 10**6), b"[$l#U\x02" + b"\xff\x0f\0\0" * 2):
        data = build(
            "Event",
            {
                "subscription": 1,
                "publication": 2,
                "args": b"[$" + kind + b"#" + count,
                "ppt_serializer": 4,
            },
        )
        assert peak(data) < 1000
        with pytest.raises(ProtocolError, match=r"EVENT\.args"):
            read_or_raise(data)


if __name__ == "__main__":
    usual = seconds(read, honest(SIZES[1]))
    for case, (make, _) in CASES.items():
        small, large = (make(size) for size in SIZES)
        fast, slow = (seconds(read, data) / len(data) for data in (small, large))
        print(
            f"{case:45} {'read' if read(large) else 'refused':8} memory {peak(large):6.1f}  "
            f"time {slow * SIZES[1] / usual:6.1f}  growth {slow / fast:4.2f}"
        )
    print(f"a batch of small messages: memory {peak(batch(SIZES[1]), read_batch):.1f}")
