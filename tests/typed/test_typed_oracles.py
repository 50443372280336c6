"""Compares writing and reading with flatc's JSON and the Python code that flatc generates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog
from support.typed_oracles import camel, from_json, generated, module, parse, plain, same, to_json
from support.typed_samples import ALL, DRAWING, SCALARS, VECTORS
from support.typed_schemas import FOREIGN, SCHEMAS, needs_flatc, needs_foreign

flatbuffers = pytest.importorskip("flatbuffers")

CATALOGS: dict[str, Catalog] = {}
IDS = [f"{root}-{number}" for number, (_, root, _) in enumerate(ALL)]


def catalog(name: str) -> Catalog:
    if name not in CATALOGS:
        CATALOGS[name] = Catalog.load(SCHEMAS / f"{name}.bfbs")
    return CATALOGS[name]


@needs_flatc
@pytest.mark.parametrize(("schema", "root", "value"), ALL, ids=IDS)
def test_flatc_reads_what_we_write(schema, root, value, tmp_path: Path):
    data = catalog(schema).encode(root, value)
    (theirs,) = to_json(SCHEMAS / f"{schema}.fbs", root, [data], tmp_path)
    ours = plain(catalog(schema).decode(root, data, form=1))
    assert same(ours, theirs), (ours, theirs)


@needs_flatc
@pytest.mark.parametrize(("schema", "root", "value"), ALL, ids=IDS)
def test_we_read_what_flatc_writes(schema, root, value, tmp_path: Path):
    if schema == "names":
        pytest.skip("flatc's JSON can't express a field called __init__")
    (data,) = from_json(SCHEMAS / f"{schema}.fbs", root, [plain(value)], tmp_path)
    (theirs,) = to_json(SCHEMAS / f"{schema}.fbs", root, [data], tmp_path)
    assert same(plain(catalog(schema).decode(root, data, form=1)), theirs)
    again = catalog(schema).encode(root, value)
    assert repr(catalog(schema).decode(root, data)) == repr(catalog(schema).decode(root, again))


def as_dict(instance: Any) -> Any:
    """The content of flatc's object API, by its names."""
    if isinstance(instance, (list, tuple, bytes)) or hasattr(instance, "dtype"):
        return [as_dict(each) for each in instance]
    if hasattr(instance, "__dict__"):
        return {key: as_dict(each) for key, each in vars(instance).items()}
    return instance.decode() if isinstance(instance, bytes) else instance


def as_theirs(value: Any) -> Any:
    """An instance of ours, by the names of flatc's object API."""
    if hasattr(value, "to_dict"):
        python_names = getattr(type(value), "__fbs_fields__", {})
        return {
            camel(python_names.get(name, name)): as_theirs(getattr(value, name))
            for name in type(value).__match_args__
        }
    if isinstance(value, (list, tuple, bytes)):
        return [as_theirs(each) for each in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


@needs_flatc
def test_flatcs_python_reads_what_we_write(tmp_path: Path):
    data = catalog("basics").encode("basics.Vectors", VECTORS)
    with generated(SCHEMAS / "basics.fbs", tmp_path, object_api=False):
        reader = module("basics.Vectors").Vectors.GetRootAs(data)
        assert [reader.I8(i) for i in range(reader.I8Length())] == VECTORS["i8"]
        assert [reader.U64(i) for i in range(reader.U64Length())] == VECTORS["u64"]
        assert [reader.F32(i) for i in range(reader.F32Length())] == VECTORS["f32"]
        assert [reader.Truths(i) for i in range(reader.TruthsLength())] == VECTORS["truths"]
        assert [reader.Colors(i) for i in range(reader.ColorsLength())] == [0, 1, 8]
        assert reader.Strings(1).decode() == VECTORS["strings"][1]
        assert reader.Points(1).Z() == 0.25 and reader.Padded(0).D() == 2**63
        assert (
            reader.Arrays(0).Points(
                0,
            )
            is not None
        )
        assert reader.Tables(0).Name() == b"one" and reader.Tables(1).Name() is None


@needs_flatc
def test_flatcs_object_api_reads_what_we_write(tmp_path: Path):
    data = catalog("basics").encode("basics.Scalars", SCALARS)
    instance = catalog("basics").decode("basics.Scalars", data)
    with generated(SCHEMAS / "basics.fbs", tmp_path, object_api=True):
        theirs = module("basics.Scalars").ScalarsT.InitFromPackedBuf(data, 0)
        assert as_theirs(instance) == as_dict(theirs)


@needs_flatc
def test_we_read_what_flatcs_python_writes(tmp_path: Path):
    with generated(SCHEMAS / "basics.fbs", tmp_path, object_api=False):
        builder = flatbuffers.Builder()
        leaf, node = module("basics.Leaf"), module("basics.Node")
        name = builder.CreateString("Ä")
        leaf.Start(builder)
        leaf.AddName(builder, name)
        leaf.AddNumber(builder, -7)
        builder.Finish(leaf.End(builder))
        written = bytes(builder.Output())
        again = catalog("basics").decode("basics.Leaf", written)
        assert (again.name, again.number) == ("Ä", -7)

        builder = flatbuffers.Builder()
        node.Start(builder)
        inner = node.End(builder)
        node.StartChildrenVector(builder, 2)
        builder.PrependUOffsetTRelative(inner)
        builder.PrependUOffsetTRelative(inner)
        children = builder.EndVector()
        node.Start(builder)
        node.AddChildren(builder, children)
        node.AddNext(builder, inner)
        builder.Finish(node.End(builder))
        shared = catalog("basics").decode("basics.Node", bytes(builder.Output()))
        assert shared.children == [shared.next, shared.next]


@needs_flatc
def test_we_read_what_flatcs_object_api_writes(tmp_path: Path):
    with generated(SCHEMAS / "basics.fbs", tmp_path, object_api=True):
        everything = module("basics.Everything").EverythingT()
        everything.scalars = module("basics.Scalars").ScalarsT()
        everything.scalars.i64, everything.scalars.f64 = -(2**63), -0.5
        everything.structs = module("basics.Structs").StructsT()
        everything.structs.point = module("basics.Point").PointT()
        everything.structs.point.y = 2.5
        builder = flatbuffers.Builder()
        builder.Finish(everything.Pack(builder), b"BASE")
        read = catalog("basics").decode("basics.Everything", bytes(builder.Output()))
    assert read.scalars.i64 == -(2**63) and read.scalars.f64 == -0.5
    assert read.structs.point.y == 2.5 and read.node is None


@needs_flatc
def test_flatc_refuses_what_we_refuse(tmp_path: Path):
    from autobahn.wamp.exception import InvalidPayload

    wrong = [
        ("basics.Scalars", {"u8": 256}),
        ("basics.Scalars", {"i8": -129}),
        ("basics.Scalars", {"color": "Purple"}),
        ("basics.Scalars", {"i32": 1.5}),
        ("basics.Scalars", {"nothing": 1}),
        ("basics.Strict", {"text": "x"}),
        ("basics.Vectors", {"strings": [None]}),
    ]
    for root, value in wrong:
        with pytest.raises(InvalidPayload):
            catalog("basics").encode(root, value)
        with pytest.raises(AssertionError):
            from_json(SCHEMAS / "basics.fbs", root, [value], tmp_path)


def monster_json(data: bytes, folder: Path) -> Any:
    """flatc's JSON for a monster. It shows keys even if they are not in the buffer."""
    schema = FOREIGN / "monster_test.bfbs"
    (found,) = to_json(schema, "MyGame.Example.Monster", [data], folder)
    for stat in found.get("scalar_key_sorted_tables", ()):
        if stat["count"] == 0:
            del stat["count"]
    return found


@needs_flatc
@needs_foreign
@pytest.mark.parametrize(
    "name",
    ["monsterdata_test.mon", "monsterdata_python_wire.mon", "monsterdata_javascript_wire.mon"],
)
def test_monsters_read_as_flatc_reads_them(name, tmp_path: Path):
    monsters = Catalog.load(FOREIGN / "monster_test.bfbs")
    data = (FOREIGN / name).read_bytes()
    root = "MyGame.Example.Monster"
    theirs = monster_json(data, tmp_path)
    ours = monsters.decode(root, data, form=1)
    assert same(plain(ours), theirs)
    again = monsters.encode(root, ours)
    assert monsters.decode(root, again, form=1) == ours
    assert same(monster_json(again, tmp_path), theirs)


@needs_flatc
@needs_foreign
def test_the_monster_in_json_is_the_monster_in_binary(tmp_path: Path):
    schema, root = FOREIGN / "monster_test.bfbs", "MyGame.Example.Monster"
    monsters = Catalog.load(schema)
    text = (FOREIGN / "monsterdata_test.json").read_text("utf-8")
    (theirs,) = from_json(schema, root, [text], tmp_path)
    value = monsters.decode(root, theirs, form=1)
    assert value["hp"] == 80 and value["name"] == "MyMonster"
    again = monsters.encode(root, value)
    assert monsters.decode(root, again, form=1) == value


@needs_foreign
def test_unicode_is_unchanged():
    monsters = Catalog.load(FOREIGN / "monster_test.bfbs")
    value = parse((FOREIGN / "unicode_test.json").read_text("utf-8"))
    read = monsters.decode(
        "MyGame.Example.Monster", (FOREIGN / "unicode_test.mon").read_bytes(), form=1
    )
    assert {key: read[key] for key in value} == value


def test_unions_of_all_kinds_of_members_are_distinguished():
    unions = catalog("unions")
    drawing = unions.decode("unions.Drawing", unions.encode("unions.Drawing", DRAWING))
    assert type(drawing.shape) is unions["unions.Circle"]
    assert drawing.anything.type == "Large" and drawing.anything.value.side == 2.0
    assert [each.type for each in drawing.everything] == DRAWING["everything_type"]
    assert unions.to_dict(drawing) == unions.decode(
        "unions.Drawing", unions.encode("unions.Drawing", drawing), form=2
    )
