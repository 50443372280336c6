"""Reading less than everything: one value by its path, and fields on demand."""

from __future__ import annotations

from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_samples import DRAWING, EVERYTHING
from support.typed_schemas import SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
NAME = "basics.Everything"
DATA = BASICS.encode(NAME, EVERYTHING)
WHOLE: Any = BASICS.decode(NAME, DATA)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("scalars.i8", -128),
        ("scalars.color", 8),
        ("vectors.i64[0]", -(2**40)),
        ("vectors.strings[1]", "Ä€𝄞"),
        ("vectors.points[1].z", 0.25),
        ("vectors.arrays[0].points[1].z", 7.0),
        ("vectors.u8", b"bytes"),
        ("vectors.tables[0].name", "one"),
        ("vectors.tables[1].name", None),
        ("vectors.tables[1].number", 0),
        ("structs.line.to.y", -2.0),
        ("structs.arrays.bytes", b"\0\1\2\xfe\xff"),
        ("node.next.name", "b"),
        ("node.next.next.next", None),
        ("node.next.next.next.name", None),
        ("node.children[0].name", "c"),
    ],
)
def test_one_value_is_read_by_its_path(path, expected):
    assert BASICS.get(NAME, DATA, path) == expected


def test_a_path_may_end_anywhere():
    assert BASICS.get(NAME, DATA, "node") == WHOLE.node
    assert BASICS.get(NAME, DATA, "vectors.points[0]") == WHOLE.vectors.points[0]
    assert list(BASICS.get(NAME, DATA, "vectors.f64")) == WHOLE.vectors.f64
    assert BASICS.get(NAME, DATA, "structs.line") == WHOLE.structs.line


@pytest.mark.parametrize(
    "path", ["nothing", "scalars.nothing", "", ".", "scalars.", "vectors.i64[x]", "vectors.i64[0",
             "scalars.i8.x", "scalars[0]", "vectors.i64[-1]", "vectors.i64[0]x", "a" * 10_000]
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_an_error(path):
    with pytest.raises(KeyError):
        BASICS.get(NAME, DATA, path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scalar", "basics.Everything has no field 'scalar'; did you mean scalars?"),
        ("scalars.i16s", "basics.Scalars has no field 'i16s'; did you mean i16?"),
        ("vectors.points.0.x", "has no field '0'; an element is written as points[0]"),
        ("vectors.i64.0", "'i64' has no fields; an element is written as i64[0]"),
        ("zzz", "basics.Everything has no field 'zzz'"),
        ("scalars[0]", "basics.Everything has no path 'scalars[0]'"),
    ],
)
def test_an_error_about_a_path_names_the_wrong_step_and_suggests_a_field(path, text):
    with pytest.raises(KeyError) as caught:
        BASICS.get(NAME, DATA, path)
    assert text in str(caught.value)


def test_an_index_beyond_the_vector_is_an_error():
    with pytest.raises(IndexError):
        BASICS.get(NAME, DATA, "vectors.i64[1]")
    with pytest.raises(IndexError):
        BASICS.get(NAME, DATA, "vectors.i64[4294967296]")


def test_a_path_verifies_what_it_returns():
    data = BASICS.encode("basics.Leaf", {"name": "abcd", "number": 5})
    broken = data.replace(b"abcd", b"ab\xffd")
    assert BASICS.get("basics.Leaf", broken, "number") == 5
    with pytest.raises(InvalidPayload, match=r"basics\.Leaf\.name"):
        BASICS.get("basics.Leaf", broken, "name")


def test_every_cut_is_refused_or_gives_a_value():
    for size in range(len(DATA)):
        for path in ("node.next.name", "vectors.points[1].z", "scalars.u64"):
            try:
                BASICS.get(NAME, DATA[:size], path)
            except InvalidPayload as error:
                assert str(error).startswith(NAME)


def test_a_lazy_table_has_the_values_of_the_whole():
    lazy: Any = BASICS.lazy(NAME, DATA)
    assert lazy.decode() == WHOLE
    assert lazy.scalars.i8 == -128 and lazy.scalars.color is BASICS["basics.Color"].Blue
    assert list(lazy.vectors.strings) == WHOLE.vectors.strings
    assert lazy.structs.point == WHOLE.structs.point
    assert lazy.node.next.name == "b" and lazy.node.next.next.next is None
    assert [each.name for each in lazy.vectors.tables] == ["one", None]
    assert lazy.node.children[0].decode() == WHOLE.node.children[0]
    assert BASICS.lazy("basics.Defaults", BASICS.encode("basics.Defaults", {})).i8 == -7


def test_a_lazy_vector_of_numbers_is_a_view_of_the_buffer():
    lazy: Any = BASICS.lazy(NAME, DATA)
    for field in ("i8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"):
        view = getattr(lazy.vectors, field)
        assert isinstance(view, memoryview) and view.readonly, field
        assert list(view) == list(getattr(WHOLE.vectors, field)), field
    assert bytes(lazy.vectors.u8) == b"bytes"


def test_a_view_keeps_the_buffer_alive():
    data = bytearray(BASICS.encode("basics.Vectors", {"f64": [1.5, 2.5]}))
    view = BASICS.lazy("basics.Vectors", bytes(data)).f64
    del data
    assert list(view) == [1.5, 2.5]


def test_a_lazy_table_has_its_fields_and_no_others():
    lazy: Any = BASICS.lazy("basics.Leaf", BASICS.encode("basics.Leaf", {"name": "x"}))
    assert {"name", "number", "decode"} <= set(dir(lazy))
    with pytest.raises(AttributeError, match="nam"):
        _ = lazy.nam
    with pytest.raises(AttributeError):
        lazy.name = "y"


def test_a_lazy_union_is_its_member():
    lazy: Any = UNIONS.lazy("unions.Drawing", UNIONS.encode("unions.Drawing", DRAWING))
    whole: Any = UNIONS.decode("unions.Drawing", UNIONS.encode("unions.Drawing", DRAWING))
    assert lazy.decode() == whole
    assert lazy.shape.radius == 1.5
    assert lazy.title == "all"


def test_fields_with_the_names_of_lazy_access_hide_nothing_and_are_not_hidden():
    catalog = Catalog.load(SCHEMAS / "names.bfbs")
    name = "names.class.lazy"
    fields = [
        "decode",
        "to_dict",
        "_at",
        "_data",
        "_object",
        "_schema",
        "_read",
        "_union",
        "_vector",
    ]
    value = {field: number for number, field in enumerate(fields, 1)}
    data = catalog.encode(name, value)
    lazy = catalog.lazy(name, data)
    assert (lazy.decode_, lazy.to_dict_) == (1, 2)
    assert [getattr(lazy, field) for field in fields[2:]] == list(range(3, 10))
    assert lazy.decode() == catalog.decode(name, data) and lazy.to_dict() == value
