"""A catalog's names, files, identifiers, exceptions and bound classes."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, CatalogError, InvalidPayload, identifiers
from support.typed_schemas import SCHEMAS, needs_flatc


def load(*names: str, **options: Any) -> Catalog:
    return Catalog.load(*(SCHEMAS / f"{name}.bfbs" for name in names), **options)


def test_invalid_payload_is_autobahns():
    from autobahn.wamp import exception

    assert InvalidPayload is exception.InvalidPayload


def test_load_takes_one_or_more_sources():
    with pytest.raises(TypeError, match="one or more sources"):
        Catalog.load()


@pytest.mark.parametrize(
    ("name", "near"),
    [("Leaf", "basics.Leaf"), ("basics.leaf", "basics.Leaf"), ("basics.Scalar", "basics.Scalars")],
)
def test_an_unknown_name_is_a_key_error_with_similar_names(name, near):
    catalog = load("basics")
    for ask in (
        lambda: catalog[name],
        lambda: catalog.encode(name, {}),
        lambda: catalog.decode(name, b""),
        lambda: catalog.verify(name, b""),
        lambda: catalog.pack(name),
        lambda: catalog.unpack(name, b""),
        lambda: catalog.lazy(name, b""),
        lambda: catalog.get(name, b"", "x"),
    ):
        with pytest.raises(KeyError, match=f"did you mean {near}"):
            ask()


def test_a_name_without_a_similar_one_gets_no_suggestion():
    with pytest.raises(KeyError) as caught:
        load("basics")["zzzzzzzzzz"]
    assert "did you mean" not in str(caught.value)


def test_a_catalog_lists_its_types():
    catalog = load("unions")
    assert "unions.Drawing" in catalog and "unions.Nothing" not in catalog
    assert len(catalog) == len(list(catalog)) and sorted(catalog) == list(catalog)
    assert repr(catalog).startswith("<Catalog of ") and "unions.bfbs" in repr(catalog)


def test_a_struct_or_an_enum_is_not_a_table():
    catalog = load("basics")
    for name in ("basics.Point", "basics.Color"):
        with pytest.raises(KeyError):
            catalog.encode(name, {})


def test_a_broken_schema_is_an_error_that_names_the_file(tmp_path: Path):
    path = tmp_path / "broken.bfbs"
    path.write_bytes((SCHEMAS / "basics.bfbs").read_bytes()[:500])
    with pytest.raises(CatalogError, match=r"broken\.bfbs: not a usable schema"):
        Catalog.load(path)


def test_a_file_that_is_given_twice_is_loaded_once():
    assert repr(load("basics", "basics")) == repr(load("basics"))


# Types of several files


def test_types_that_are_defined_differently_are_an_error_only_by_their_bare_name():
    catalog = load("first", "second")
    with pytest.raises(KeyError, match=r"shared\.Thing.*first\.bfbs.*second\.bfbs"):
        catalog["shared.Thing"]
    with pytest.raises(KeyError, match="defined differently"):
        catalog.encode("shared.Thing", {})
    first = catalog.decode("shared.First", catalog.encode("shared.First", {"thing": {"number": 1}}))
    second = catalog.decode(
        "shared.Second", catalog.encode("shared.Second", {"thing": {"text": "x"}})
    )
    assert first.thing.number == 1 and second.thing.text == "x"


def test_types_of_services_are_those_of_their_own_file():
    catalog = load("first", "second")
    one = catalog.types("procedure", "com.example.first.get")["call"][0]
    two = catalog.types("procedure", "com.example.second.get")["call"][0]
    assert one is not two and one.__match_args__ == ("number",) and two.__match_args__ == ("text",)


def test_structurally_equal_types_of_several_files_are_one():
    catalog = load("first", "second")
    common = catalog["shared.Common"]
    value = common(name="a", child=common(name="b"))
    for table in ("shared.First", "shared.Second"):
        data = catalog.encode(table, {"common": value})
        read = catalog.decode(table, data).common
        assert read == value and type(read) is common


def test_loading_in_another_order_makes_no_difference():
    assert sorted(load("first", "second")) == sorted(load("second", "first"))


# Identifiers


def test_a_root_table_has_the_declared_identifier_and_others_one_of_their_name():
    catalog = load("basics")
    assert catalog.identifier("basics.Everything") == b"BASE"
    other = catalog.identifier("basics.Leaf")
    assert len(other) == 4 and other != b"BASE" and other == identifiers.of_name("basics.Leaf")


def test_a_packed_payload_identifies_its_table():
    catalog = load("orders")
    data = catalog.pack("orders.Query", [5])
    assert data[4:8] == catalog.identifier("orders.Query")
    assert catalog.identify(data) == "orders.Query"
    assert catalog.identify(catalog.pack("orders.Query", [5], identify=False)) is None
    assert catalog.unpack("orders.Query", data) == ([5], {})


def test_a_payload_is_never_decoded_as_a_table_that_it_does_not_identify():
    catalog = load("orders")
    data = catalog.pack("orders.Query", [5])
    with pytest.raises(InvalidPayload, match=r"orders\.Done.*orders\.Query"):
        catalog.unpack("orders.Done", data)
    foreign = data[:4] + b"ELSE" + data[8:]
    with pytest.raises(InvalidPayload, match="ELSE"):
        catalog.unpack("orders.Query", foreign)


def test_a_payload_without_an_identifier_is_read_as_the_expected_table():
    catalog = load("orders")
    data = catalog.pack("orders.Query", [5], identify=False)
    assert catalog.unpack("orders.Query", data) == ([5], {})


def test_no_vtable_looks_like_an_identifier():
    for name in ("basics", "unions", "orders", "wamp"):
        catalog = load(name)
        for table in catalog._origins[0].schema.tables:
            try:
                data = catalog.encode(table, {})
            except InvalidPayload:
                continue
            assert identifiers.found_in(data) is None


def test_equal_identifiers_are_found_on_loading(monkeypatch):
    monkeypatch.setattr(identifiers, "of_name", lambda name: b"same")
    with pytest.raises(CatalogError, match="same identifier"):
        load("orders")


# Exceptions


def test_an_error_table_is_an_exception():
    from autobahn.wamp.exception import ApplicationError

    catalog = load("orders")
    no_limit: Any = catalog["orders.NoLimit"]
    assert issubclass(no_limit, ApplicationError)
    with pytest.raises(no_limit) as caught:
        raise no_limit(5, reason="none given")
    error = caught.value
    assert error.error == "com.example.orders.error.no_limit"
    assert (error.id, error.reason) == (5, "none given")
    assert error.args == (5,) and error.kwargs == {"reason": "none given"}
    assert error == no_limit(id=5, reason="none given") and error != no_limit(6)
    assert "NoLimit(id=5, reason='none given')" in repr(error)
    assert catalog.error("com.example.orders.error.no_limit") is no_limit
    assert catalog.error("com.example.other") is None


def test_an_exception_survives_bytes_and_pickle():
    catalog = load("orders")
    no_limit: Any = catalog["orders.NoLimit"]
    error = no_limit(id=5, reason="x")
    data = catalog.encode("orders.NoLimit", error)
    assert catalog.decode("orders.NoLimit", data) == error
    assert catalog.unpack("orders.NoLimit", catalog.pack("orders.NoLimit", [error])) == (
        [5],
        {"reason": "x"},
    )
    assert pickle.loads(pickle.dumps(error)) == error
    assert catalog.to_dict(error) == {"id": 5, "reason": "x"}


def test_an_exception_accepts_only_its_fields():
    no_limit: Any = load("orders")["orders.NoLimit"]
    with pytest.raises(TypeError, match="nothing"):
        no_limit(nothing=1)
    with pytest.raises(TypeError):
        no_limit(1, "x", 3)
    with pytest.raises(TypeError, match="id"):
        no_limit(1, id=2)
    closed: Any = load("orders")["orders.Closed"]
    assert closed() == closed() and closed().args == ()


# Classes of a user


@needs_flatc
def test_a_dataclass_stands_for_a_table(tmp_path: Path):
    path = tmp_path / "own.fbs"
    path.write_text(
        "namespace own; struct P { x: int; y: int; }\ntable Inner { text: string; }\n"
        "table Outer { inner: Inner; p: P; many: [Inner]; n: int = 3; }"
    )
    catalog = Catalog.load(path)

    @catalog.table("own.Inner")
    @dataclasses.dataclass
    class Inner:
        text: str | None = None

    @catalog.table("own.P")
    @dataclasses.dataclass(slots=True)
    class P:
        x: int
        y: int

    outer: Any = catalog["own.Outer"]
    value = outer(inner=Inner("a"), p=P(1, 2), many=[Inner("b"), Inner()])
    read: Any = catalog.decode("own.Outer", catalog.encode("own.Outer", value))
    assert read == value and type(read.inner) is Inner and type(read.p) is P
    assert catalog.decode("own.Inner", catalog.encode("own.Inner", Inner("x"))) == Inner("x")
    assert catalog["own.Inner"] is Inner
    assert catalog.to_dict(Inner("x")) == {"text": "x"}


@needs_flatc
def test_a_struct_of_msgspec_stands_for_a_table(tmp_path: Path):
    msgspec = pytest.importorskip("msgspec")
    path = tmp_path / "own.fbs"
    path.write_text("namespace own2; table T { number: int; text: string; }")
    catalog = Catalog.load(path)

    @catalog.table("own2.T")
    class T(msgspec.Struct):  # type: ignore[misc, name-defined]
        number: int
        text: str | None = None

    value = T(5, "x")
    assert catalog.decode("own2.T", catalog.encode("own2.T", value)) == value


@needs_flatc
def test_a_class_that_lacks_a_field_or_is_bound_too_late_is_refused(tmp_path: Path):
    path = tmp_path / "own.fbs"
    path.write_text("namespace own3; table T { number: int; text: string; } table U { a: int; }")
    catalog = Catalog.load(path)

    @dataclasses.dataclass
    class T:
        number: int

    with pytest.raises(TypeError, match=r"^T has no attribute 'text' of own3\.T$"):
        catalog.table("own3.T")(T)
    assert catalog["own3.U"]

    @dataclasses.dataclass
    class U:
        a: int

    with pytest.raises(ValueError, match="already has a class"):
        catalog.table("own3.U")(U)
    with pytest.raises(KeyError):
        catalog.table("own3.V")(U)


# Possible problems


def test_a_schema_without_the_built_in_attributes_is_reported():
    assert any("--bfbs-builtins" in text for text in load("bare").check())
    assert not any("--bfbs-builtins" in text for text in load("basics").check())


def test_facts_that_a_compiled_schema_cannot_express_are_reported():
    assert any("untold.Text.text" in text for text in load("untold").check())


def test_an_arg_after_a_kwarg_and_a_method_without_a_type_are_reported():
    found = load("orders").check()
    assert any(
        "Mixed.second: positional field after the keyword field first" in text for text in found
    )
    assert any("IOrders.fixme" in text for text in found)


def test_refused_types_are_reported_and_the_rest_works():
    catalog = load("unreadable")
    for name in ("unreadable.Long", "unreadable.Explicit", "unreadable.Around"):
        assert any(name in text for text in catalog.check())
        with pytest.raises(InvalidPayload, match=name.replace(".", r"\.")):
            catalog.encode(name, {})
    data = catalog.encode("unreadable.Works", {"number": 5})
    assert catalog.decode("unreadable.Works", data).number == 5


def test_a_good_schema_has_nothing_to_report():
    assert load("unions").check() == []
