"""Invalid compiled schemas: each rule of the loader, with a file that breaks only this rule.

The engine itself makes the files: a valid one is decoded by ``reflection.fbs``, changed, and
encoded again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import autobahn
import pytest

from autobahn_fbs.typed import Catalog, CatalogError, InvalidPayload
from support.typed_schemas import SCHEMAS

Described = dict[str, Any]


@cache
def reflection() -> Catalog:
    """The schema of schemas, which Autobahn ships."""
    path = Path(autobahn.__file__).parent / "flatbuffers" / "reflection.bfbs"
    if not path.is_file():
        pytest.skip("NOT TESTED: this Autobahn has no reflection.bfbs")
    return Catalog.load(path)


def described(name: str) -> Described:
    data = (SCHEMAS / f"{name}.bfbs").read_bytes()
    return copy.deepcopy(reflection().decode("reflection.Schema", data, form=1))


def compiled(value: Described) -> bytes:
    return reflection().encode("reflection.Schema", value, identifier=b"BFBS")


def named(value: Described, kind: str, name: str) -> Described:
    (found,) = [each for each in value[kind] if each["name"] == name]
    return found


def field(value: Described, table: str, name: str) -> Described:
    (found,) = [each for each in named(value, "objects", table)["fields"] if each["name"] == name]
    return found


def test_a_file_stays_valid_when_it_is_decoded_and_encoded():
    for name in ("basics", "unions", "nested", "orders"):
        catalog = Catalog.load(compiled(described(name)))
        assert sorted(catalog) == sorted(Catalog.load(SCHEMAS / f"{name}.bfbs"))


def type_index(value: Described) -> None:
    field(value, "basics.Node", "next")["type"]["index"] = 9999


def negative_index(value: Described) -> None:
    field(value, "basics.Node", "next")["type"]["index"] = -1


def element_index(value: Described) -> None:
    field(value, "basics.Node", "children")["type"]["index"] = 9999


def enum_index(value: Described) -> None:
    field(value, "basics.Scalars", "color")["type"]["index"] = 9999


def gap_in_ids(value: Described) -> None:
    last = max(named(value, "objects", "basics.Leaf")["fields"], key=lambda f: f.get("id", 0))
    last["id"] += 1
    last["offset"] += 2


def id_twice(value: Described) -> None:
    for each in named(value, "objects", "basics.Leaf")["fields"]:
        each.pop("id", None)
        each["offset"] = 4


def offset_that_is_not_the_ids(value: Described) -> None:
    field(value, "basics.Leaf", "number")["offset"] += 2


def huge_id(value: Described) -> None:
    changed = field(value, "basics.Leaf", "number")
    changed["id"], changed["offset"] = 32767, 65535


def struct_offset(value: Described) -> None:
    field(value, "basics.Padded", "d")["offset"] = 4


def struct_offset_beyond(value: Described) -> None:
    field(value, "basics.Point", "z")["offset"] = 4000


def struct_size(value: Described) -> None:
    named(value, "objects", "basics.Point")["bytesize"] = 8


def struct_align(value: Described) -> None:
    named(value, "objects", "basics.Point")["minalign"] = 3


def struct_in_itself(value: Described) -> None:
    names = [each["name"] for each in value["objects"]]
    field(value, "basics.Line", "from")["type"]["index"] = names.index("basics.Line")


def table_in_a_struct(value: Described) -> None:
    names = [each["name"] for each in value["objects"]]
    field(value, "basics.Line", "from")["type"]["index"] = names.index("basics.Leaf")


def string_in_a_struct(value: Described) -> None:
    field(value, "basics.Point", "x")["type"]["base_type"] = "String"


def array_of_no_elements(value: Described) -> None:
    field(value, "basics.Arrays", "shorts")["type"]["fixed_length"] = 0


def array_in_a_table(value: Described) -> None:
    changed = field(value, "basics.Vectors", "i16")["type"]
    changed["base_type"], changed["fixed_length"] = "Array", 3


def name_twice(value: Described) -> None:
    named(value, "objects", "basics.Leaf")["name"] = "basics.Line"


def names_out_of_order(value: Described) -> None:
    value["objects"].reverse()


def name_that_is_none(value: Described) -> None:
    named(value, "objects", "basics.Leaf")["name"] = "basics.Le af"


def field_name_that_is_none(value: Described) -> None:
    field(value, "basics.Leaf", "name")["name"] = "na-me"


def enum_values_out_of_order(value: Described) -> None:
    named(value, "enums", "basics.Color")["values"].reverse()


def enum_of_floats(value: Described) -> None:
    named(value, "enums", "basics.Color")["underlying_type"]["base_type"] = "Double"


BROKEN: list[Callable[[Described], None]] = [
    type_index,
    negative_index,
    element_index,
    enum_index,
    gap_in_ids,
    id_twice,
    offset_that_is_not_the_ids,
    huge_id,
    struct_offset,
    struct_offset_beyond,
    struct_size,
    struct_align,
    struct_in_itself,
    table_in_a_struct,
    string_in_a_struct,
    array_of_no_elements,
    array_in_a_table,
    name_twice,
    names_out_of_order,
    name_that_is_none,
    field_name_that_is_none,
    enum_values_out_of_order,
    enum_of_floats,
]


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_a_file_that_contradicts_itself_is_refused(change):
    value = described("basics")
    change(value)
    with pytest.raises(CatalogError, match="not a usable schema"):
        Catalog.load(compiled(value))


def test_a_union_without_its_hidden_type_is_refused():
    value = described("unions")
    names = [each["name"] for each in named(value, "objects", "unions.Must")["fields"]]
    assert "shape_type" in names
    field(value, "unions.Must", "shape_type")["type"]["base_type"] = "Int"
    with pytest.raises(CatalogError):
        Catalog.load(compiled(value))


def test_a_union_without_none_is_refused():
    value = described("unions")
    shape = named(value, "enums", "unions.Shape")
    assert shape["values"][0]["name"] == "NONE"
    del shape["values"][0]
    with pytest.raises(CatalogError):
        Catalog.load(compiled(value))


def test_a_type_from_a_later_flatbuffers_makes_only_its_table_unusable():
    value = described("basics")
    field(value, "basics.Leaf", "number")["type"]["base_type"] = "MaxBaseType"
    catalog = Catalog.load(compiled(value))
    with pytest.raises(InvalidPayload, match=r"basics\.Leaf.*number"):
        catalog.encode("basics.Leaf", {})
    assert catalog.decode("basics.Node", catalog.encode("basics.Node", {"name": "x"})).name == "x"


def test_arg_and_kwarg_on_one_field_make_the_table_unusable():
    value = described("orders")
    attributes = field(value, "orders.Place", "quantity")["attributes"]
    attributes.append({"key": "kwarg", "value": "0"})
    catalog = Catalog.load(compiled(value))
    with pytest.raises(InvalidPayload, match=r"orders\.Place.*arg"):
        catalog.pack("orders.Place", ["a", 1])


def test_a_wamp_attribute_on_an_unsuitable_type_makes_the_table_unusable():
    value = described("wamp")
    changed = field(value, "checks.Times", "one")
    changed["type"]["base_type"] = "Double"
    changed["attributes"] = [{"key": "wampid", "value": "0"}]
    catalog = Catalog.load(compiled(value))
    with pytest.raises(InvalidPayload, match=r"checks\.Times"):
        catalog.encode("checks.Times", {})


def test_a_nested_buffer_of_an_unknown_table_makes_the_table_unusable():
    value = described("nested")
    for pair in field(value, "nested.Envelope", "letter")["attributes"]:
        if pair["key"] == "nested_flatbuffer":
            pair["value"] = "inner.Nothing"
    catalog = Catalog.load(compiled(value))
    with pytest.raises(InvalidPayload, match=r"nested\.Envelope.*letter"):
        catalog.encode("nested.Envelope", {})


def test_the_methods_of_an_interface_are_in_the_order_of_the_schema():
    (origin,) = Catalog.load(SCHEMAS / "orders.bfbs")._origins
    methods = origin.reflection.services["orders.IOrders"].methods
    assert [method.name for method in methods][:3] == ["place", "history", "absolute"]


def test_an_attribute_without_a_value_is_there():
    (origin,) = Catalog.load(SCHEMAS / "orders.bfbs")._origins
    codec = origin.schema.codec("orders.Mixed")
    assert codec.args == ("second", "fourth") and codec.kwargs == ("first", "third")
