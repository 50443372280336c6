"""Errors about names and texts in values: they quote them, and suggest the name that was probably
meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from autobahn_fbs._suggestion import did_you_mean, similar
from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_schemas import SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
CHECKS = Catalog.load(SCHEMAS / "wamp.bfbs")
ORDERS = Catalog.load(SCHEMAS / "orders.bfbs")
POINT = {"x": 1, "y": 2, "z": 3}


def refused(catalog: Catalog, table: str, value: Any) -> str:
    with pytest.raises(InvalidPayload) as caught:
        catalog.encode(table, value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "value", "text"),
    [
        ("Leaf", {"nam": 1}, "Leaf: has no field 'nam'; did you mean name?"),
        ("Leaf", {"NAME": 1}, "Leaf: has no field 'NAME'; did you mean name?"),
        ("Leaf", {"zzz": 1}, "Leaf: has no field 'zzz'"),
        ("Leaf", {"": 1}, "Leaf: has no field ''"),
        ("Leaf", {7: 1}, "Leaf: names of fields expected as keys, got int"),
        ("Node", {"next": {"nxt": {}}}, "Node.next: has no field 'nxt'; did you mean next?"),
        (
            "Structs",
            {"point": POINT | {"X": 4}},
            "Structs.point: has no field 'X'; did you mean x?",
        ),
    ],
)
def test_an_unknown_field_of_a_mapping_gets_a_suggestion(table, value, text):
    assert refused(BASICS, f"basics.{table}", value) == f"basics.{text}"


def test_a_misspelled_name_is_refused_before_the_field_that_is_therefore_missing():
    text = refused(BASICS, "basics.Structs", {"point": {"x": 1, "y": 2, "Z": 3}})
    assert text == "basics.Structs.point: has no field 'Z'; did you mean z?"
    text = refused(BASICS, "basics.Strict", {"texts": "x"})
    assert text == "basics.Strict: has no field 'texts'; did you mean text?"


def test_a_missing_field_is_refused_as_before_if_all_names_are_right():
    text = refused(BASICS, "basics.Structs", {"point": {"x": 1, "y": 2}})
    assert text == "basics.Structs.point.z: missing in a struct"
    text = refused(BASICS, "basics.Strict", {"note": "x"})
    assert text == "basics.Strict.text: required field is missing"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("color", "Gren", "color: basics.Color has no value 'Gren'; did you mean Green?"),
        ("color", "GREEN", "color: basics.Color has no value 'GREEN'; did you mean Green?"),
        ("color", "Pink", "color: basics.Color has no value 'Pink'"),
        ("rights", "Read Writ", "rights: basics.Rights has no value 'Writ'; did you mean Write?"),
    ],
)
def test_an_unknown_value_of_an_enum_gets_a_suggestion(field, value, text):
    assert refused(BASICS, "basics.Scalars", {field: value}) == f"basics.Scalars.{text}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"shape": ("Circl", {})},
            ".shape: unions.Shape has no member 'Circl'; did you mean Circle?",
        ),
        ({"shape": (77, {})}, ".shape: unions.Shape has no member 77"),
        ({"shap_type": "Circle"}, ": has no field 'shap_type'; did you mean shape_type?"),
    ],
)
def test_an_unknown_member_of_a_union_is_named_and_gets_a_suggestion(value, text):
    assert refused(UNIONS, "unions.Drawing", value) == f"unions.Drawing{text}"


def test_an_unknown_keyword_of_a_class_gets_a_suggestion():
    leaf: Any = BASICS["basics.Leaf"]
    derived = type("Derived", (leaf,), {})
    for create, name in (
        (leaf, "Leaf"),
        (leaf().__init__, "Leaf"),
        (leaf().__replace__, "Leaf"),
        (derived, "Derived"),
        (derived().__replace__, "Derived"),
    ):
        with pytest.raises(TypeError) as caught:
            create(nam=1)
        expected = f"{name}() got an unexpected keyword argument 'nam'; did you mean name?"
        assert str(caught.value) == expected


def test_an_unknown_keyword_of_an_error_class_gets_a_suggestion():
    error: Any = ORDERS.error("com.example.orders.error.no_limit")
    field = error.__match_args__[0]
    with pytest.raises(TypeError, match=rf"NoLimit\(\) got .*; did you mean {field}\?"):
        error(**{f"{field}s": 1})


def test_an_unknown_keyword_of_a_call_gets_a_suggestion():
    with pytest.raises(InvalidPayload) as caught:
        ORDERS.pack("orders.Place", ["abc", 1], {"sid": "Buy"})
    text = "got an unexpected keyword argument 'sid'; did you mean side?"
    assert str(caught.value) == f"orders.Place: {text}"


@pytest.mark.parametrize("name", ["\x1b[31mname", "na\nme", "\ud800", "\u202e" * 1000, "n" * 10**6])
def test_an_unknown_name_is_quoted_without_control_characters_and_cut(name):
    for catalog, table, value in (
        (BASICS, "basics.Leaf", {name: 1}),
        (BASICS, "basics.Scalars", {"color": name}),
        (BASICS, "basics.Scalars", {"rights": name}),
        (UNIONS, "unions.Drawing", {"shape": (name, {})}),
    ):
        text = refused(catalog, table, value)
        assert text.isprintable() and len(text) < 300
        assert repr(name[:10])[1:-1] in text


@pytest.mark.parametrize(
    ("table", "value", "text"),
    [
        ("Uuids", {"integer": "x\n"}, "canonical text of a uuid expected, got 'x\\n'"),
        ("Chain", {"value": "x"}, "0x and 64 hexadecimal digits expected for ethval, got 'x'"),
        ("Addresses", {"integer": -1}, "0 to 2**160-1 expected, got -1"),
        ("Addresses", {"integer": 2**160}, "0 to 2**160-1 expected, got a larger number"),
    ],
)  # fmt: skip
def test_a_wrong_text_or_number_for_a_large_integer_is_quoted(table, value, text):
    (field,) = value
    assert refused(CHECKS, f"checks.{table}", value) == f"checks.{table}.{field}: {text}"


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("Uuids", {"integer": "urn:" + "ab" * 16}),
        ("Uuids", {"integer": "-" * 4 + "ab" * 16}),
        ("Addresses", {"integer": "0X" + "ab" * 20}),
        ("Chain", {"value": "ab" * 32}),
    ],
)
def test_only_the_canonical_text_of_a_large_integer_is_accepted(table, value):
    assert " expected" in refused(CHECKS, f"checks.{table}", value)


def test_a_number_that_is_too_large_for_a_float_is_quoted():
    text = refused(BASICS, "basics.Scalars", {"f32": -1e39})
    assert text == "basics.Scalars.f32: too large for a float: -1e+39"


def test_an_element_that_a_vector_does_not_have_is_named_with_its_table():
    data = BASICS.encode("basics.Vectors", {"i64": [1]})
    with pytest.raises(IndexError) as caught:
        BASICS.get("basics.Vectors", data, "i64[3]")
    assert str(caught.value) == "basics.Vectors has no element 'i64[3]'"


# The search for similar names


def test_names_that_differ_only_in_case_come_first():
    assert similar("RED", ["read", "Rod", "Red"]) == ["Red"]
    assert did_you_mean("RED", ["Blue", "Red"]) == "; did you mean Red?"
    assert did_you_mean("RED", ["Blue", "Green"]) == ""


def test_as_many_similar_names_are_found_as_asked_for():
    assert similar("name", ["names", "namer", "Name", "other"], 2) == ["Name", "names"]


def test_neither_long_words_nor_long_names_are_compared():
    assert similar("a" * 65, ["a" * 64]) == similar("a" * 64, ["a" * 65]) == []
    assert similar("a" * 64, ["a" * 63]) == ["a" * 63]


@pytest.mark.parametrize("size", [1, 20, 64])
def test_the_names_that_are_compared_have_a_limited_total_cost(size):
    seen = 0

    def endless() -> Iterator[str]:
        nonlocal seen
        for number in count():
            seen += 1
            yield f"{number:0{size}}"

    similar("x" * size, endless())
    assert seen * size * size <= 100_000 + size * size
