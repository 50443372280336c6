"""The Python values that a field accepts and refuses, and those that come back."""

from __future__ import annotations

import math
import struct
from array import array
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload, Union
from support.typed_schemas import SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
NESTED = Catalog.load(SCHEMAS / "nested.bfbs")


def through(table: str, field: str, value: Any, catalog: Catalog = BASICS) -> Any:
    """A field's value after a round trip."""
    data = catalog.encode(table, {field: value})
    return getattr(catalog.decode(table, data), field)


def refused(table: str, field: str, value: Any, catalog: Catalog = BASICS) -> str:
    with pytest.raises(InvalidPayload) as caught:
        catalog.encode(table, {field: value})
    assert str(caught.value).startswith(f"{table}.{field}"), str(caught.value)
    return str(caught.value)


class Index:
    """A number by ``__index__``, as numpy's are."""

    def __index__(self) -> int:
        return 7


RANGES = {
    "i8": (-(2**7), 2**7 - 1), "u8": (0, 2**8 - 1), "i16": (-(2**15), 2**15 - 1),
    "u16": (0, 2**16 - 1), "i32": (-(2**31), 2**31 - 1), "u32": (0, 2**32 - 1),
    "i64": (-(2**63), 2**63 - 1), "u64": (0, 2**64 - 1),
}  # fmt: skip


@pytest.mark.parametrize("field", RANGES)
@pytest.mark.parametrize("table", ["basics.Scalars", "basics.Optionals"])
def test_an_integer_has_the_range_of_its_width(table, field):
    low, high = RANGES[field]
    for value in (low, low + 1, 0, 1, high - 1, high):
        assert through(table, field, value) == value
    for value in (low - 1, high + 1, 2**64, -(2**64), 10**400):
        refused(table, field, value)
    assert through(table, field, Index()) == 7


@pytest.mark.parametrize("field", RANGES)
def test_an_integer_takes_no_other_type(field):
    for value in (True, 1.0, "1", None, b"1", [1], 1j):
        refused("basics.Scalars", field, value)
        if value is not None:
            refused("basics.Vectors", field, [value])


def test_a_bool_accepts_only_bools():
    assert through("basics.Scalars", "truth", True) is True
    assert through("basics.Vectors", "truths", [True, False]) == [True, False]
    for value in (0, 1, None, "true", 1.0):
        refused("basics.Scalars", "truth", value)
    refused("basics.Vectors", "truths", [1])


@pytest.mark.parametrize("field", ["f32", "f64"])
def test_a_float_takes_ints_and_special_values(field):
    assert through("basics.Scalars", field, 3) == 3.0
    assert type(through("basics.Scalars", field, 3)) is float
    assert through("basics.Scalars", field, math.inf) == math.inf
    assert math.isnan(through("basics.Scalars", field, math.nan))
    assert math.copysign(1, through("basics.Scalars", field, -0.0)) == -1
    for value in (True, "1.0", None, b"", 1j):
        refused("basics.Scalars", field, value)


def test_a_finite_number_that_overflows_is_refused():
    assert through("basics.Scalars", "f32", 3.4028234663852886e38) == 3.4028234663852886e38
    for value in (3.5e38, -1e39, 10**40):
        refused("basics.Scalars", "f32", value)
    refused("basics.Scalars", "f64", 10**400)
    refused("basics.Vectors", "f32", [1e39])


def test_the_bits_of_a_nan_survive():
    (odd,) = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_BEEF))
    read = through("basics.Scalars", "f64", odd)
    assert struct.pack("<d", read) == struct.pack("<d", odd)
    # A NaN that isn't the default's is written, too.
    read = through("basics.Defaults", "not_a_number", odd)
    assert struct.pack("<d", read) == struct.pack("<d", odd)


def test_defaults_are_read_where_nothing_was_written():
    read = BASICS.decode("basics.Defaults", BASICS.encode("basics.Defaults", {}))
    assert (read.i8, read.u8, read.i64, read.u64) == (-7, 200, -(2**63), 2**63 - 1)
    assert (read.f32, read.f64, read.infinite, read.minus_infinite) == (
        1.5, -2.25, math.inf, -math.inf,
    )  # fmt: skip
    assert math.isnan(read.not_a_number) and read.truth is True
    assert read.color is BASICS["basics.Color"].Blue
    assert read.rights == BASICS["basics.Rights"].Read | BASICS["basics.Rights"].Admin


def test_a_default_is_not_written_and_a_minus_zero_is():
    empty = BASICS.encode("basics.Defaults", {})
    assert (
        BASICS.encode("basics.Defaults", {"i8": -7, "truth": True, "infinite": math.inf}) == empty
    )
    assert BASICS.encode("basics.Scalars", {"f64": 0.0}) == BASICS.encode("basics.Scalars", {})
    assert len(BASICS.encode("basics.Scalars", {"f64": -0.0})) > len(empty) - 8
    assert BASICS.encode("basics.Scalars", {"f64": -0.0}) != BASICS.encode("basics.Scalars", {})


def test_an_optional_scalar_is_none_where_it_is_absent():
    read = BASICS.decode("basics.Optionals", BASICS.encode("basics.Optionals", {"i8": 0}))
    assert read.i8 == 0 and read.u8 is None and read.truth is None and read.color is None
    read = BASICS.decode("basics.Optionals", BASICS.encode("basics.Optionals", {"i8": None}))
    assert read.i8 is None


def test_an_enum_takes_members_names_and_numbers():
    color = BASICS["basics.Color"]
    for value in (color.Blue, "Blue", 8):
        assert through("basics.Scalars", "color", value) is color.Blue
    assert through("basics.Vectors", "colors", ["Red", 1, color.Blue]) == [0, 1, 8]
    for value in ("Purple", 3, 256, -1, 1.0, True, None, "", "Red Blue"):
        refused("basics.Scalars", "color", value)


def test_a_large_enum_value_is_unsigned():
    big = BASICS["basics.Big"]
    assert int(big.Half) == 2**63 and int(big.Whole) == 2**64 - 1
    assert through("basics.Scalars", "big", "Whole") is big.Whole
    assert through("basics.Scalars", "big", 2**63) is big.Half


def test_bit_flags_take_names_and_sums():
    rights = BASICS["basics.Rights"]
    both = rights.Read | rights.Admin
    assert (int(rights.Read), int(rights.Write), int(rights.Admin)) == (1, 2, 512)
    for value in (both, 513, "Read Admin", "Admin Read"):
        assert through("basics.Scalars", "rights", value) == both
    assert through("basics.Scalars", "rights", 0) == 0
    for value in ("Read Nothing", 4, 1024, 2**16, -1):
        refused("basics.Scalars", "rights", value)


def test_an_unknown_enum_value_is_read_as_a_number_unless_strict():
    data = bytearray(BASICS.encode("basics.Vectors", {"colors": ["Blue"]}))
    data[data.rindex(8)] = 77
    (read,) = BASICS.decode("basics.Vectors", data).colors
    assert read == 77 and type(read) is int
    BASICS.verify("basics.Vectors", data)
    with pytest.raises(InvalidPayload, match=r"basics\.Vectors\.colors\[0\]"):
        BASICS.decode("basics.Vectors", data, strict=True)
    with pytest.raises(InvalidPayload):
        BASICS.verify("basics.Vectors", data, strict=True)


def test_a_string_accepts_only_str():
    for text in ("", "a", "Ä€𝄞", "\0", "x" * 100_000):
        assert through("basics.Leaf", "name", text) == text
    for value in (b"bytes", 1, ["a"]):
        refused("basics.Leaf", "name", value)
    refused("basics.Leaf", "name", "half a pair \ud800")
    assert through("basics.Leaf", "name", None) is None


def test_bytes_are_taken_from_any_buffer_or_list_of_integers():
    for value in (b"abc", bytearray(b"abc"), memoryview(b"abc"), [97, 98, 99], (97, 98, 99)):
        assert through("basics.Vectors", "u8", value) == b"abc"
    for value in ("abc", 3, [256], [-1], ["a"]):
        refused("basics.Vectors", "u8", value)


def test_a_vector_of_numbers_is_taken_from_a_buffer_of_the_right_format():
    assert through("basics.Vectors", "f64", array("d", [1.5, 2.5])) == [1.5, 2.5]
    assert through("basics.Vectors", "i32", array("i", [1, -2])) == [1, -2]
    assert through("basics.Vectors", "u16", memoryview(array("H", [1, 2]))) == [1, 2]


@pytest.mark.parametrize("field", ["i8", "u64", "f64", "truths", "strings", "points", "tables"])
def test_a_vector_takes_lists_and_tuples_and_no_none_in_them(field):
    assert list(through("basics.Vectors", field, [])) == []
    assert list(through("basics.Vectors", field, ())) == []
    assert through("basics.Vectors", field, None) is None
    for value in (7, "text", {"a": 1}, {1, 2}):
        refused("basics.Vectors", field, value)
    assert f"{field}[0]" in refused("basics.Vectors", field, [None])


def test_a_struct_takes_instances_maps_and_sequences():
    point = BASICS["basics.Point"](x=1.0, y=2.0, z=3.0)
    for value in (point, {"x": 1.0, "y": 2.0, "z": 3.0}, (1.0, 2.0, 3.0), [1, 2, 3]):
        assert through("basics.Structs", "point", value) == point
    for value in ((1.0, 2.0), (1, 2, 3, 4), {"x": 1.0}, {"x": 1, "y": 2, "z": 3, "w": 4}, 5, "xyz"):
        refused("basics.Structs", "point", value)
    assert through("basics.Structs", "point", None) is None


def test_an_array_in_a_struct_has_its_length():
    arrays = {
        "bytes": b"12345", "signed": [1, 2, 3], "shorts": (1, 2, 3), "colors": ["Red", 8],
        "points": [(1, 2, 3), (4, 5, 6)], "flags": [True, False, True],
    }  # fmt: skip
    read = through("basics.Structs", "arrays", arrays)
    assert read.bytes == b"12345" and list(read.shorts) == [1, 2, 3]
    assert list(read.colors) == [0, 8] and read.points[1].z == 6.0
    for field, value in (("bytes", b"1234"), ("shorts", [1]), ("points", []), ("flags", [1, 0, 1])):
        text = refused("basics.Structs", "arrays", {**arrays, field: value})
        assert f"arrays.{field}" in text


def test_padding_is_zero():
    value = {"a": 255, "b": 2**16 - 1, "c": 255, "d": 2**64 - 1, "e": 255}
    data = BASICS.encode("basics.Vectors", {"padded": [value]})
    assert data[-24:] == struct.pack("<BxHB3xQB7x", *value.values())


def test_a_required_field_must_be_given():
    with pytest.raises(InvalidPayload, match=r"basics\.Strict\.text"):
        BASICS.encode("basics.Strict", {})
    text = refused("basics.Strict", "text", None)
    assert "required" in text


def test_a_required_field_must_be_in_bytes():
    data = BASICS.encode("basics.Leaf", {"name": "x", "number": 1})
    with pytest.raises(InvalidPayload, match="required"):
        BASICS.decode("basics.Strict", BASICS.encode("basics.Empty", {}))
    assert BASICS.decode("basics.Leaf", data).number == 1


def test_a_deprecated_field_is_neither_read_nor_written():
    assert BASICS["basics.Old"].__match_args__ == ("kept", "last")
    with pytest.raises(InvalidPayload, match="gone"):
        BASICS.encode("basics.Old", {"gone": 1})


def test_fields_are_in_the_order_of_their_ids():
    assert BASICS["basics.Numbered"].__match_args__ == ("first", "second", "third")


def test_a_vector_of_tables_keeps_its_order_unless_sorting_is_requested():
    value = {"entries": [{"key": k} for k in "cab"], "counted": [{"number": n} for n in (3, 1, 2)]}
    kept = BASICS.decode("basics.Sorted", BASICS.encode("basics.Sorted", value))
    assert [each.key for each in kept.entries] == ["c", "a", "b"]
    data = BASICS.encode("basics.Sorted", value, sort_keys=True)
    in_order = BASICS.decode("basics.Sorted", data)
    assert [each.key for each in in_order.entries] == ["a", "b", "c"]
    assert [each.number for each in in_order.counted] == [1, 2, 3]


def test_keys_are_sorted_by_their_bytes():
    keys = ["é", "z", "aa", "a", "", "𝄞", "\uffff"]
    value = {"entries": [{"key": key} for key in keys]}
    data = BASICS.encode("basics.Sorted", value, sort_keys=True)
    read = [each.key for each in BASICS.decode("basics.Sorted", data).entries]
    assert read == sorted(keys, key=lambda key: key.encode())


def test_an_unknown_field_is_refused_where_it_is():
    with pytest.raises(InvalidPayload, match=r"basics\.Node\.next.*nam"):
        BASICS.encode("basics.Node", {"next": {"nam": "x"}})


def test_a_value_of_another_table_is_refused():
    with pytest.raises(InvalidPayload):
        BASICS.encode("basics.Node", BASICS["basics.Leaf"](name="x"))
    for value in (1, "x", [1], None, b""):
        with pytest.raises(InvalidPayload):
            BASICS.encode("basics.Node", value)


def test_nesting_has_a_limit():
    value: dict[str, Any] = {}
    for _ in range(60):
        value = {"next": value}
    BASICS.decode("basics.Node", BASICS.encode("basics.Node", value))
    for _ in range(100_000):
        value = {"next": value}
    with pytest.raises(InvalidPayload):
        BASICS.encode("basics.Node", value)
    del value


def test_a_value_that_contains_itself_is_refused():
    node = BASICS["basics.Node"]()
    node.next = node
    with pytest.raises(InvalidPayload):
        BASICS.encode("basics.Node", node)


# Unions


def test_a_union_takes_instances_pairs_and_two_entries():
    circle = UNIONS["unions.Circle"](radius=2.0)
    for value in (circle, ("Circle", {"radius": 2.0}), Union("Circle", circle)):
        read = through("unions.Drawing", "shape", value, UNIONS)
        assert read == circle and type(read) is UNIONS["unions.Circle"]
    data = UNIONS.encode("unions.Drawing", {"shape_type": "Circle", "shape": {"radius": 2.0}})
    assert UNIONS.decode("unions.Drawing", data).shape == circle
    data = UNIONS.encode("unions.Drawing", {"shape_type": 1, "shape": circle})
    assert UNIONS.decode("unions.Drawing", data).shape == circle


def test_a_union_member_with_a_name_of_its_own_is_identified_by_it():
    read = through("unions.Drawing", "anything", ("Small", {"side": 1.0}), UNIONS)
    assert isinstance(read, Union) and read.type == "Small" and read.value.side == 1.0
    read = through("unions.Drawing", "anything", ("Size", {"width": 1, "height": 2}), UNIONS)
    assert (read if not isinstance(read, Union) else read.value).height == 2
    read = through("unions.Drawing", "anything", ("Other", "text"), UNIONS)
    assert tuple(read) == ("Other", "text")


@pytest.mark.parametrize(
    "value",
    [
        {"shape_type": "Circle"},
        {"shape": {"radius": 1.0}},
        {"shape_type": "Nothing", "shape": {}},
        {"shape_type": 3, "shape": {}},
        {"shape_type": "Circle", "shape": "text"},
        {"shape_type": "Circle", "shape": {"side": 1.0}},
        {"shape": ("Circle",)},
        {"shape": ("Triangle", {})},
        {"shape": 5},
        {"shapes_type": ["Circle"], "shapes": []},
        {"shapes_type": ["Circle"]},
        {"shapes": [{}]},
        {"shapes": [None]},
        {"everything_type": ["Text"], "everything": [7]},
    ],
)
def test_a_union_that_does_not_fit_is_refused(value):
    with pytest.raises(InvalidPayload, match=r"unions\.Drawing\."):
        UNIONS.encode("unions.Drawing", value)


def test_a_union_that_is_none_is_absent():
    for value in ({"shape": None}, {"shape_type": "NONE"}, {"shape_type": 0, "shape": None}):
        data = UNIONS.encode("unions.Drawing", value)
        assert UNIONS.decode("unions.Drawing", data).shape is None


def test_a_required_union_must_be_given():
    with pytest.raises(InvalidPayload, match=r"unions\.Must\.shape"):
        UNIONS.encode("unions.Must", {})


def test_the_members_of_a_union_have_the_numbers_of_the_schema():
    data = UNIONS.encode("unions.Drawing", {"numbered": ("Square", {"side": 1.0})})
    assert 200 in data
    assert [int(each) for each in UNIONS["unions.Numbered"]] == [0, 7, 200]


# Buffers in buffers


def test_a_nested_buffer_is_bytes_that_are_verified():
    letter = NESTED.encode("nested.inner.Letter", {"text": "inside", "number": 3})
    for field in ("letter", "absolute"):
        assert through("nested.Envelope", field, letter, NESTED) == letter
        refused("nested.Envelope", field, b"not a buffer", NESTED)
    read = through("nested.Envelope", "letter", {"text": "inside", "number": 3}, NESTED)
    assert NESTED.decode("nested.inner.Letter", read).number == 3
    instance = NESTED["nested.inner.Letter"](text="inside", number=3)
    read = through("nested.Envelope", "letter", instance, NESTED)
    assert NESTED.decode("nested.inner.Letter", read) == instance


def test_a_broken_nested_buffer_is_found():
    letter = NESTED.encode("nested.inner.Letter", {"text": "inside", "number": 3})
    data = NESTED.encode("nested.Envelope", {"letter": letter})
    at = data.index(letter)
    broken = data[:at] + b"\xff" * 4 + data[at + 4 :]
    with pytest.raises(InvalidPayload, match=r"nested\.Envelope\.letter"):
        NESTED.verify("nested.Envelope", broken)


def test_a_nested_buffer_nests():
    data = NESTED.encode("nested.Envelope", {"plain": b"x"})
    for _ in range(5):
        data = NESTED.encode("nested.Envelope", {"self": data})
    depth = 0
    while data is not None:
        data = NESTED.decode("nested.Envelope", data, form=1).get("self")
        depth += 1
    assert depth == 6


def test_a_flexbuffer_is_bytes_that_are_verified():
    from autobahn_fbs import flexbuffers

    flexible = flexbuffers.dumps({"a": [1, 2.5, "x"]})
    read = through("nested.Envelope", "flexible", flexible, NESTED)
    assert flexbuffers.loads(read) == {"a": [1, 2.5, "x"]}
    refused("nested.Envelope", "flexible", b"\xff\xff\xff", NESTED)
