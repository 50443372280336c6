"""FlexBuffers that are wrong, by accident or on purpose, are refused at bounded cost; and the
core's own C tests of its reader."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autobahn_fbs.flexbuffers import FlexBuffersError, Lazy, dumps, loads
from support.marks import counting_memory

# Packed types: the type, and the logarithm of the width in the lower two bits.
INT, UINT, FLOAT, KEY, STRING, MAP, VECTOR = (kind << 2 for kind in (1, 2, 3, 4, 5, 9, 10))
VECTOR_INT, VECTOR_KEY, BLOB = (kind << 2 for kind in (11, 14, 25))

VALUE = {
    "ints": [1, -2, 300, 2**40, 2**64 - 1],
    "floats": [0.5, 0.1],
    "text": "Zürich",
    "blob": b"\0\xff",
    "rows": [{"id": i, "name": f"row {i}", "nested": {"deep": [None, True]}} for i in range(5)],
}
SAMPLES = [dumps(VALUE), dumps(VALUE, compact=True)]


def walk(value: Any) -> None:
    """Visits everything that a lazy value can reach."""
    if isinstance(value, Lazy):
        repr(value)
        if value.is_map:
            for key in value:
                walk(value.get(key))
        else:
            for item in value:
                walk(item)


def refused(data: bytes, text: str | None = None, offset: int | None = None) -> None:
    """Checks that the bytes are refused, eagerly and when everything is visited lazily."""
    with pytest.raises(FlexBuffersError, match=text) as caught:
        loads(data)
    assert isinstance(caught.value, ValueError)
    assert 0 <= caught.value.offset <= len(data)
    assert str(caught.value).endswith(f"at offset {caught.value.offset}")
    if offset is not None:
        assert caught.value.offset == offset
    with pytest.raises(FlexBuffersError):
        walk(loads(data, lazy=True))


# ---- known attacks


def test_a_vector_that_contains_itself_is_refused():
    refused(bytes.fromhex("01002801"), "doesn't end before", offset=1)


def test_containers_that_contain_each_other_are_refused():
    # Two vectors of one element, each of which refers to the other as far as it can.
    refused(bytes([1, 2, VECTOR, 1, 3, VECTOR, 1, VECTOR, 1]))
    refused(bytes([1, 0xFE, VECTOR, 1, 3, VECTOR, 2, VECTOR, 1]), "outside")


@pytest.mark.parametrize("size", range(8))
def test_sizes_below_eight_are_refused_unless_they_hold_a_root(size):
    refused(bytes(size))
    refused(b"\xff" * size)
    refused(bytes([0, 0, 0, 0, 0, INT, 8][-size:] if size else []))
    if size < 3:
        for byte in range(256):
            refused(bytes([byte]) * size, "shorter than the smallest", offset=0)


def test_the_smallest_buffer_is_read():
    assert loads(bytes([7, UINT, 1])) == 7
    assert loads(bytes([0, 0, 1])) is None
    refused(bytes([UINT, 1]), "shorter", offset=0)


def test_a_key_without_its_zero_byte_is_refused():
    refused(b"a" + bytes([1, KEY, 1]), "key is not terminated", offset=0)
    refused(b"abc" + bytes([1, 3, 4, 1, 1, 3, INT, 1, MAP, 1]))


def test_a_string_without_its_zero_byte_is_refused():
    assert loads(bytes([1, 65, 0, 2, STRING, 1])) == "A"
    refused(bytes([1, 65, 1, 2, STRING, 1]), "string is not terminated")
    refused(bytes([1, 65, 1, STRING, 1]), "string is not terminated")


@pytest.mark.parametrize("width", [0, 3, 5, 6, 7, 9, 16, 255])
def test_a_root_without_a_width_is_refused(width):
    refused(bytes(16) + bytes([INT, width]), "width")


def test_misaligned_values_are_refused():
    # One byte in front of a vector of 64-bit numbers moves all but the keys.
    data = dumps([2**40, 2**41])
    assert loads(bytes(8) + data) == [2**40, 2**41]
    for pad in (1, 2, 4):
        refused(bytes(pad) + data, "unaligned")


def test_every_unknown_type_is_refused():
    known = {*range(27), 36}
    for kind in set(range(64)) - known:
        refused(bytes([0, kind << 2, 1]), "unknown type", offset=0)


def test_floats_of_8_and_16_bits_are_refused():
    refused(bytes([0, FLOAT, 1]), "float of less than 32 bits")
    refused(bytes([0, 0, FLOAT | 1, 2]), "float of less than 32 bits")
    refused(bytes([1, 1, 8 << 2, 1]), "float of less than 32 bits")
    refused(bytes([1, 1, 1, 1, 13 << 2, 1]), "float of less than 32 bits")


MAP_BYTES = b"a\0" + bytes([1, 3]) + bytes([1, 1, 1, 9, INT]) + bytes([2, MAP, 1])
#             0       2: one key     4: keys, width, length  9: root


def test_maps_of_the_smallest_size_are_read():
    assert loads(MAP_BYTES) == {"a": 9}
    assert loads(MAP_BYTES, lazy=True)["a"] == 9


@pytest.mark.parametrize("value", [0, 2, 3, 4, 255])
def test_every_wrong_field_of_a_map_is_refused(value):
    for position, right in ((2, 1), (4, 1), (5, 1), (6, 1)):
        assert MAP_BYTES[position] == right
        refused(MAP_BYTES[:position] + bytes([value]) + MAP_BYTES[position + 1 :])


def test_a_map_with_more_values_than_keys_is_refused():
    data = b"a\0" + bytes([1, 3]) + bytes([1, 1, 2, 9, 9, INT, INT]) + bytes([4, MAP, 1])
    refused(data, "more or fewer values than keys")


def test_a_map_with_the_same_key_twice_is_refused():
    data = dumps({"aa": 1, "ab": 2, "ba": 3})
    for name in (b"ab\0", b"ba\0"):
        twice = data.replace(name, b"aa\0")
        with pytest.raises(FlexBuffersError, match="same key twice"):
            loads(twice)
    with pytest.raises(FlexBuffersError, match="same key twice"):
        loads(data.replace(b"ab\0", b"aa\0"), lazy=True)["aa"]


@pytest.mark.parametrize(
    "text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc3"]
)
def test_text_that_is_not_utf8_is_refused(text):
    good = b"x" * len(text)
    for value in ("x" * len(text), ["x" * len(text)], {"x" * len(text): 1}):
        data = dumps(value)
        assert loads(data) == value
        refused(data.replace(good + b"\0", text + b"\0"), "UTF-8")


def test_counts_that_would_overflow_are_refused():
    for kind in (VECTOR, VECTOR_INT, VECTOR_KEY, STRING, BLOB, MAP):
        for count in (2**61, 2**63, 2**64 - 1, 2**64 - 8):
            data = bytes(24) + count.to_bytes(8, "little") + bytes(8)
            refused(data + bytes([8, kind | 3, 1]))
        refused(bytes([0xFF, 0, 0, 2, kind, 1]))


def test_offsets_that_would_overflow_are_refused():
    for offset in (9, 2**32, 2**63, 2**64 - 1):
        refused(bytes(8) + offset.to_bytes(8, "little") + bytes([VECTOR, 8]), "outside")


def nested(depth: int) -> bytes:
    """Vectors of one vector each, without a writer's limit."""
    data = bytearray([0])  # an empty vector's length; it begins at 1
    target = 1
    data += b"\0"
    for _ in range(depth - 1):
        data += bytes([1])
        element = len(data)
        data += bytes([element - target, VECTOR])
        target = element
    root = len(data)
    return bytes(data) + bytes([root - target, VECTOR, 1])


def test_nesting_is_bounded():
    value = loads(nested(256))
    for _ in range(255):
        (value,) = value
    assert value == []
    refused_deep = nested(257)
    with pytest.raises(FlexBuffersError, match="nested too deep"):
        loads(refused_deep)
    with pytest.raises(FlexBuffersError, match="nested too deep"):
        loads(nested(1_000_000))


def test_lazy_goes_as_deep_as_requested():
    lazy = loads(nested(100_000), lazy=True)
    for _ in range(99_999):
        lazy = lazy[0]
    assert len(lazy) == 0


# ---- amplification: many references to one place


def shared_vectors(levels: int, fan: int) -> bytes:
    """Vectors of `fan` references to the same vector below, `levels` deep."""
    data = bytearray([0, 0])
    target = 1
    for _ in range(levels):
        data += bytes([fan])
        start = len(data)
        data += bytes(start + i - target for i in range(fan))
        data += bytes([VECTOR]) * fan
        target = start
    return bytes(data) + bytes([len(data) - target, VECTOR, 1])


def wide(count: int, target_of_all: bytes, packed: int, header: int) -> bytes:
    """A vector of `count` 32-bit references to one value at the beginning."""
    data = bytearray(target_of_all) + bytes(-len(target_of_all) % 4)
    data += count.to_bytes(4, "little")
    start = len(data)
    for i in range(count):
        data += (start + 4 * i - header).to_bytes(4, "little")
    data += bytes([packed]) * count
    data += bytes(-len(data) % 4)
    return bytes(data) + (len(data) - start).to_bytes(4, "little") + bytes([VECTOR | 2, 4])


def large_shared_keys(count: int) -> bytes:
    """Maps that all share one large map's values and keys."""
    inner = bytearray()
    keys = []
    for i in range(1000):
        keys.append(len(inner))
        inner += b"%04d\0" % i
    inner += bytes(-len(inner) % 4)
    inner += (1000).to_bytes(4, "little")
    vector = len(inner)
    for i, key in enumerate(keys):
        inner += (vector + 4 * i - key).to_bytes(4, "little")
    inner += (len(inner) - vector).to_bytes(4, "little")
    inner += (4).to_bytes(4, "little") + (1000).to_bytes(4, "little")
    at = len(inner)
    inner += bytes(4000) + bytes([INT | 2]) * 1000
    return wide(count, bytes(inner), MAP | 2, at)


ATTACKS = {
    "vectors of vectors": shared_vectors(8, 60),
    "one long string": wide(10_000, b"\x00\x00\x10\x00" + b"x" * 2**20 + b"\0", BLOB | 2, 4),
    "one large map": large_shared_keys(10_000),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_many_references_to_one_place_are_refused_at_linear_cost(name):
    data = ATTACKS[name]
    with counting_memory() as counted:
        start = time.process_time()
        with pytest.raises(FlexBuffersError, match="add up"):
            loads(data)
        elapsed = time.process_time() - start
    assert elapsed < 1
    assert counted.peak < 100 * len(data) + 500_000


def keys_that_share_bytes(count: int) -> bytes:
    """A vector of keys, each of which is the end of the one before, so their sizes add up to the
    square of their bytes."""
    data = bytearray(b"k" * count + b"\0")
    data += bytes(-len(data) % 4) + count.to_bytes(4, "little")
    start = len(data)
    for i in range(count):
        data += (start + 3 * i).to_bytes(4, "little")
    return bytes(data) + (len(data) - start).to_bytes(4, "little") + bytes([VECTOR_KEY | 2, 4])


def test_keys_that_share_their_bytes_are_each_charged():
    assert loads(keys_that_share_bytes(20)) == ["k" * (20 - i) for i in range(20)]
    with pytest.raises(FlexBuffersError, match="add up"):
        loads(keys_that_share_bytes(20_000))


def test_many_references_to_one_text_share_it():
    text = "y" * 60
    data = wide(20_000, b"\x3c\0\0\0" + text.encode() + b"\0", STRING | 2, 4)
    with counting_memory() as counted:
        values = loads(data)
    assert values == [text] * 20_000
    assert all(value is values[0] for value in values)
    assert counted.peak < 10 * len(data)


def test_references_do_not_grow_much_when_a_value_is_written_again():
    """150 kB could describe 1 GB, which a router that reads the payload would write again."""
    for length in (100, 1000, 50_000):
        text = length.to_bytes(4, "little") + b"y" * length + b"\0"
        for count in (10, 100, 1000, 20_000):
            data = wide(count, text, STRING | 2, 4)
            if count * length > 80 * len(data):
                with pytest.raises(FlexBuffersError, match="add up"):
                    loads(data)
            elif count * length < 4 * len(data):
                assert loads(data) == ["y" * length] * count


def test_keys_do_not_grow_much_when_a_value_is_written_again():
    def maps(length: int) -> bytes:
        """Many references to a map of one key."""
        inner = b"k" * length + b"\0" + bytes(-(length + 1) % 4) + (1).to_bytes(4, "little")
        inner += len(inner).to_bytes(4, "little")  # the vector of one key
        inner += (4).to_bytes(4, "little") * 2 + (1).to_bytes(4, "little")
        return wide(5000, inner + bytes([0, 0, 0, 0, INT | 2]), MAP | 2, len(inner))

    assert loads(maps(64)) == [{"k" * 64: 0}] * 5000
    with pytest.raises(FlexBuffersError, match="add up"):
        loads(maps(2000))


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("columns", [100, 200, 500])
@pytest.mark.parametrize("length", [10, 50, 1000])
def test_wide_records_that_share_their_keys_are_read(columns, length, compact):
    """The reader remembered at most 256 texts, so keys evicted each other and were charged again
    and again: the output of our own writer was refused."""
    record = {f"{i:04}".ljust(length, "k"): 0 for i in range(columns)}
    value = [record] * 100
    assert loads(dumps(value, compact=compact)) == value
    assert loads(dumps(value, compact=compact), lazy=True).value() == value


def test_the_densest_buffers_cost_little_memory_for_their_size():
    # An empty vector that is referred to as often as the budget allows.
    data = wide(200_000, bytes(4), VECTOR, 4)
    with counting_memory() as counted:
        assert loads(data) == [[]] * 200_000
    assert counted.peak < 100 * len(data)


def test_lazy_reaches_the_end_of_an_attack_quickly():
    start = time.process_time()
    lazy = loads(ATTACKS["one large map"], lazy=True)
    for i in range(0, 10_000, 100):
        assert lazy[i]["0500"] == 0
    assert time.process_time() - start < 1


def test_lazy_finds_one_value_much_faster_than_decoding_all():
    data = dumps({f"key {i}": list(range(i, i + 20)) for i in range(20_000)})

    def best(call):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: loads(data, lazy=True)["key 777"][3]) * 50 < best(lambda: loads(data))


# ---- mutations


def mutations(data: bytes) -> Iterator[bytes]:
    for size in range(len(data)):
        yield data[:size]
        yield data[size:]
    for i in range(len(data)):
        for byte in (0, 1, 0x7F, 0x80, 0xFF, data[i] ^ 1, data[i] + 1 & 0xFF, data[i] ^ 0x80):
            yield data[:i] + bytes([byte]) + data[i + 1 :]


@pytest.mark.parametrize("data", SAMPLES, ids=["plain", "compact"])
def test_mutations_are_read_or_refused(data):
    read = 0
    for mutant in mutations(data):
        try:
            value = loads(mutant)
        except FlexBuffersError:
            value = None
        else:
            read += 1
            # Everything that can be read can be written, and reads back the same.
            assert repr(loads(dumps(value))) == repr(sort_all(value))
        with suppress(FlexBuffersError):
            walk(loads(mutant, lazy=True))
    assert read


def sort_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sort_all(value[key]) for key in sorted(value, key=str.encode)}
    return [sort_all(item) for item in value] if isinstance(value, list) else value


@given(st.binary(max_size=60))
@example(b"\x01\x00\x28\x01")
def test_random_bytes_are_read_or_refused(data):
    for lazy in (False, True):
        with suppress(FlexBuffersError):
            walk(loads(data, lazy=lazy))


def test_random_changes_are_read_or_refused():
    source = random.Random(7)
    for _ in range(5000):
        data = bytearray(source.choice(SAMPLES))
        for _ in range(source.randint(1, 6)):
            data[source.randrange(len(data))] = source.randrange(256)
        for lazy in (False, True):
            with suppress(FlexBuffersError):
                walk(loads(data, lazy=lazy))
