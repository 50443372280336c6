"""Bugs of other implementations of FlatBuffers and CBOR don't occur here.

The FlatBuffers reports have google/flatbuffers' numbers; those about FlexBuffers are in that
codec's tests. Others are named after their project. Each is a test of ours for the same kind of
input; none of their inputs is copied.
"""

from __future__ import annotations

import math
import struct

import cbor2
import pytest
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native
from support.compare import attribute_names
from support.hostile import feed
from support.received import taken
from support.samples import every_sample, full
from support.wirebuild import CODES, build, union_tags

OBJSER = FlatBuffersObjectSerializer()

# An EVENT_RECEIVED, the smallest message there is: where its parts are.
SMALLEST = bytes.fromhex(
    "1000000000000000" "08000c000b000400" "080000001000000000000025" "08000c0000000400"
    "080000002a00000000000000"
)  # fmt: skip
ROOT_VTABLE, ROOT, TAG, VTABLE, TABLE, PUBLICATION = 8, 16, 27, 28, 36, 40


def patched(*edits: tuple[int, str, int], data: bytes = SMALLEST) -> bytes:
    """The message with numbers of some format put in some places."""
    broken = bytearray(data)
    for place, kind, value in edits:
        struct.pack_into("<" + kind, broken, place, value)
    return bytes(broken)


def refused(data: bytes, match: str) -> None:
    with pytest.raises(ProtocolError, match=match):
        OBJSER.unserialize(data)


def test_the_smallest_message_has_the_layout_that_the_tests_assume():
    assert taken(SMALLEST).publication == 42
    assert taken(patched((PUBLICATION, "Q", 7))).publication == 7


# ---- FlatBuffers


@pytest.mark.parametrize("offset", [1, 3, 9, 12, 13, 0x7FFF, 0xFFFC, 0xFFFF])
def test_the_unions_slot_is_checked_before_it_is_followed(offset):
    """#9040: reflection followed the slot of a union or table first."""
    refused(patched((ROOT_VTABLE + 6, "H", offset)), "Message.msg: ")


@pytest.mark.parametrize("offset", [1, 3, 12, 0x7FFF, 0xFFFF])
def test_the_unions_type_slot_is_checked_before_it_is_read(offset):
    """#9122: the type's own slot was not checked."""
    refused(patched((ROOT_VTABLE + 4, "H", offset)), "Message.msg_type: ")


def test_a_union_with_a_value_and_no_type_is_refused():
    """#9137: a value without its type ended at a null pointer."""
    refused(patched((ROOT_VTABLE + 4, "H", 0)), "unknown message type")
    refused(patched((TAG, "B", 0)), "unknown message type")


def test_a_union_with_a_type_and_no_value_is_refused():
    refused(patched((ROOT_VTABLE + 6, "H", 0)), "without a message")


def test_the_unions_type_is_a_value_not_an_index():
    """#9220: the type was used as an index into the list of types. Every table under every type is
    refused, or read as its type says."""
    for dialect, tags in (("autobahn", CODES), ("schema", union_tags())):
        objser = FlatBuffersObjectSerializer(dialect=dialect)
        for msg in every_sample()[::9]:
            data = bytearray(objser.serialize(msg))
            place = data.index(bytes([tags[type(msg).__name__]]), ROOT)
            for name, tag in tags.items():
                data[place] = tag
                if feed(bytes(data), dialect):
                    assert type(objser.unserialize(bytes(data))[0]).__name__ == name


@pytest.mark.parametrize("tag", [26, 71, 72, 128, 255])
def test_a_type_beyond_all_tables_is_refused(tag):
    """#9107, #9144, #9198: an index into the list of types was not checked."""
    refused(patched((TAG, "B", tag)), "unknown message type")


def test_a_value_that_is_valid_as_bytes_is_checked_again_as_text():
    """#9183: places that had been verified as one type were not verified as another one."""
    data = bytearray(build("Publish", {"request": 1, "topic": "a.b", "args": b"\xff\xff"}))
    args = data.index(b"\x02\0\0\0\xff\xff")
    topic = data.index(b"\x03\0\0\0a.b")
    (slot,) = (
        at for at in range(0, topic, 4) if at + struct.unpack_from("<I", data, at)[0] == topic
    )
    struct.pack_into("<I", data, slot, args - slot)
    refused(bytes(data), r"PUBLISH\.topic: string is not valid UTF-8")


@pytest.mark.parametrize("size", range(8))
def test_too_few_bytes_for_a_root_are_refused(size):
    """#9046, #9218, #9023: the root was read before the length was looked at."""
    for data in (SMALLEST[:size], b"\xff" * size, b"\0" * size):
        refused(data, "shorter than the smallest message")
        refused(memoryview(SMALLEST)[:size].tobytes(), "shorter")


def test_a_message_in_a_payload_is_bytes():
    """#9268: nested buffers were verified with a depth of their own. Here they aren't unpacked."""
    inner = patched((TABLE, "i", -(2**31)))
    outer = build("Event", {"subscription": 1, "publication": 2, "payload": inner})
    assert taken(outer).payload == inner


@pytest.mark.parametrize("shift", [0, 4])
def test_integers_of_8_bytes_are_read_at_any_multiple_of_4(shift):
    """#9258: elements were not checked to be aligned, and then read as if they were."""
    values = [1, 2**63, 2**64 - 1]
    data = build("Publish", {"request": 1, "topic": "a.b", "exclude": values})
    place = data.index(struct.pack("<I3Q", 3, *values))
    (slot,) = (
        at for at in range(0, place, 4) if at + struct.unpack_from("<I", data, at)[0] == place
    )
    end = len(data) + -len(data) % 8 + shift
    moved = data.ljust(end, b"\0") + data[place : place + 28]
    assert taken(patched((slot, "I", end - slot), data=moved)).exclude == values


def test_no_table_comes_near_the_64_kilobytes_that_a_vtable_allows():
    """flatcc #235: a builder made tables that were larger."""
    for klass in {type(msg) for msg in every_sample()}:
        data = OBJSER.serialize(klass(**full(klass)))
        (root,) = struct.unpack_from("<I", data)
        (back,) = struct.unpack_from("<i", data, root)
        (slot,) = struct.unpack_from("<H", data, root - back + 6)
        table = root + slot + struct.unpack_from("<I", data, root + slot)[0]
        (back,) = struct.unpack_from("<i", data, table)
        assert struct.unpack_from("<HH", data, table - back) < (100, 300)


@pytest.mark.parametrize("length", [2**32 - 1, 2**32 - 4, 2**32 - 5, 2**31, 2**31 - 1, 100])
def test_lengths_near_the_end_of_32_bits_are_refused(length):
    data = build("Event", {"subscription": 1, "publication": 2, "topic": "abc", "args": b"argh"})
    for text in (b"\x03\0\0\0abc", b"\x04\0\0\0argh"):
        refused(patched((data.index(text), "I", length), data=data), "runs past the message")


@pytest.mark.parametrize(
    ("field", "value", "count"),
    [
        ("exclude", [5, 6], 2**29 + 1),  # times 8, this is 8 in 32 bits
        ("exclude", [5, 6], 2**32 - 1),
        ("exclude_authid", ["x"], 2**30 + 1),  # times 4, this is 4
        ("forward_for", [{"session": 1}], 2**30 + 1),
    ],
)
def test_a_vectors_size_in_bytes_does_not_wrap(field, value, count):
    data = build("Publish", {"request": 1, "topic": "a.b", field: value})
    places = [
        at
        for at in range(0, len(data) - 4, 4)
        if struct.unpack_from("<I", data, at)[0] == len(value)
    ]
    for at in places:
        feed(patched((at, "I", count), data=data))
    assert any(not feed(patched((at, "I", count), data=data)) for at in places)


@pytest.mark.parametrize("table", [ROOT, TABLE])
@pytest.mark.parametrize("back", [-(2**31), 2**31 - 1, -4096, 4096, 0, 1, 2])
def test_a_vtable_at_any_wrong_place_is_refused(table, back):
    refused(patched((table, "i", back)), "at offset")


def test_a_vtable_at_the_very_beginning_is_refused():
    refused(patched((TABLE, "i", TABLE)), "too small")


def test_a_vtable_may_lie_in_its_own_table():
    """Odd, but harmless, and Google's verifier accepts it."""
    publication = 8 | 12 << 16 | 0 << 32 | 4 << 48  # reads as a vtable like the one at VTABLE
    data = patched((TABLE, "i", -4), (PUBLICATION, "Q", publication))
    assert taken(data).publication == publication


def test_a_vtable_shared_by_tables_of_two_types_is_judged_for_each():
    """Right for the root, but its byte can't hold the 8 of EVENT_RECEIVED.session."""
    refused(
        patched((TABLE, "i", TABLE - ROOT_VTABLE)), "EVENT_RECEIVED.session: field lies outside"
    )


@pytest.mark.parametrize("size", [0, 2, 3, 5, 9, 0xFFFE, 0xFFFF])
def test_a_vtable_of_an_impossible_size_is_refused(size):
    for vtable in (ROOT_VTABLE, VTABLE):
        refused(patched((vtable, "H", size)), "vtable")


@pytest.mark.parametrize("name", native.RECEIVED)
def test_no_buffer_is_read_without_verification(name):
    """RUSTSEC-2020-0009: safe code could read through unverified buffers."""
    klass = native.RECEIVED[name]
    msg = klass.__new__(klass)
    for attribute in (*attribute_names(klass), "args_view", "kwargs_view", "payload_view"):
        try:
            value = getattr(msg, attribute)
        except (AttributeError, TypeError):
            continue
        assert value is None or value in ({}, [], 0, "", False), attribute


# ---- CBOR


def same_as_cbor2(data: bytes) -> None:
    """Ours gives the value of cbor2, or fails with its exception."""
    try:
        expected = cbor2.loads(data)
    except Exception as error:
        with pytest.raises(type(error)):
            native.cbor_loads(data)
    else:
        assert repr(native.cbor_loads(data)) == repr(expected)


@pytest.mark.parametrize("major", [0x80, 0xA0, 0x40, 0x60])
@pytest.mark.parametrize("count", [2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**32, 2**31])
def test_a_count_beyond_the_input_is_refused_at_once(major, count):
    """cbor2 #93, libcbor #16, ugorji: memory was allocated for the claimed count; in libcbor 0.14,
    twice the count of a map wrapped."""
    for data in (
        bytes([major | 27]) + struct.pack(">Q", count) + b"\0" * 9,
        b"\x81" * 100 + bytes([major | 27]) + struct.pack(">Q", count),
    ):
        with pytest.raises(cbor2.CBORDecodeError):
            native.cbor_loads(data)


@pytest.mark.parametrize(
    ("level", "limit"),
    [(b"\x81", 400), (b"\x9f", 400), (b"\xa1\x00", 400), (b"\xbf\x00", 400), (b"\xc6", 32)],
    ids=["81", "9f", "a100", "bf00", "c6"],
)
@pytest.mark.parametrize("depth", [31, 201, 399, 401, 5000, 200_000])
def test_deep_nesting_ends_in_an_error_and_not_in_a_crash(level, limit, depth):
    """CVE-2026-26209: deep nesting killed services."""
    for data in (level * depth, level * depth + b"\0"):
        if depth <= limit:
            same_as_cbor2(data)
        else:  # not shown to cbor2, unless the innermost container is not there
            with pytest.raises((ValueError, cbor2.CBORDecodeError), match=str(limit)):
                native.cbor_loads(data)


def test_nothing_is_shared_between_calls():
    """CVE-2025-68131: a decoder that was used again knew the shared values of the last input."""
    for _ in range(2):
        for data in (b"\xd8\x1c\x81\x01", b"\xd8\x1d\x00", b"\x81\xd8\x1d\x00"):
            with pytest.raises(ValueError, match="shared values"):
                native.cbor_loads(data)


@pytest.mark.parametrize("size", [23, 24, 255, 256, 65535, 65536, 2**20])
def test_long_text_is_read_to_its_end(size):
    """cbor2 5.6.2: long ASCII text, and text cut in the middle of a character."""
    for text in ("a" * size, "a" * (size - 2) + "ß", "ß" * (size // 2), "a" * (size - 4) + "🚀"):
        data = cbor2.dumps(text)
        assert native.cbor_loads(data) == text
        same_as_cbor2(data[:-1])
        same_as_cbor2(data[:-1] + b"\xff")


def test_a_tag_needs_something_to_tag():
    for tag in (b"\xc1", b"\xd8\x20", b"\xc2", b"\xc6", b"\xdb" + b"\xff" * 8):
        same_as_cbor2(tag)
        same_as_cbor2(b"\x82" + tag)


@pytest.mark.parametrize("data", ["bf00ff", "bf000100ff", "bf00bfff", "a100", "bf0001"])
def test_a_map_with_a_key_without_a_value_is_refused(data):
    """libcbor #331: a break after an odd number of items."""
    with pytest.raises(cbor2.CBORDecodeError):
        native.cbor_loads(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["ff", "81ff", "82ff00", "a1ff00", "a100ff", "c1ff", "5fc0ff"])
def test_a_break_outside_an_indefinite_item_is_refused(data):
    """cbor-x #136."""
    with pytest.raises(cbor2.CBORDecodeError):
        native.cbor_loads(bytes.fromhex(data))


@pytest.mark.parametrize("content", ["00", "6161", "80", "a0", "f6", "f90000", "c24100"])
def test_a_bignum_consists_only_of_bytes(content):
    """libcbor #326."""
    for tag in ("c2", "c3"):
        same_as_cbor2(bytes.fromhex(tag + content))


def test_a_nan_of_any_bits_is_a_nan():
    """libcbor 0.14: payloads of half precision NaNs."""
    for bits in (0x7C01, 0x7DFF, 0x7E00, 0x7FFF, 0xFC01, 0xFE00, 0xFFFF):
        assert math.isnan(native.cbor_loads(b"\xf9" + struct.pack(">H", bits)))


@pytest.mark.parametrize("count", [255, 256, 257, 512, 65536, 65537])
def test_no_length_is_cut_to_its_low_bits(count):
    """RIOT #17192: a length was kept in 8 bits."""
    for value in (b"x" * count, "x" * count, [0] * count, dict.fromkeys(range(count))):
        assert native.cbor_loads(cbor2.dumps(value)) == value
        assert native.cbor_dumps(value) == cbor2.dumps(value)
