"""Schemas and buffers made by others: google/flatbuffers, xbr, cfxdb and Autobahn itself."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_oracles import plain, same, to_json
from support.typed_schemas import FLATC, FOREIGN, needs_foreign


def package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def found() -> list[Path]:
    """Every compiled schema of the packages that are installed, and of google/flatbuffers."""
    folders = [package(name) for name in ("xbr", "cfxdb", "autobahn", "autobahn_fbs")]
    paths = [path for folder in folders if folder for path in sorted(folder.rglob("*.bfbs"))]
    return paths + sorted(FOREIGN.glob("*.bfbs"))


FILES = found()
IDS = [f"{path.parts[-3]}-{path.stem}" for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_schema_loads_and_every_usable_table_works(path, tmp_path: Path):
    catalog = Catalog.load(path)
    schema = catalog._origins[0].schema
    assert schema.tables
    for name in schema.tables:
        if name in schema.refused:
            with pytest.raises(InvalidPayload, match=r"."):
                catalog.encode(name, {})
            continue
        fields = catalog._origins[0].reflection.objects[name].get("fields", ())
        if any(field.get("required") for field in fields):
            with pytest.raises(InvalidPayload, match="required"):
                catalog.encode(name, {})
            continue
        data = catalog.encode(name, {})
        catalog.verify(name, data)
        instance = catalog.decode(name, data)
        if any(each["key"] == "wampid" for field in fields for each in field.get("attributes", ())):
            continue  # the default 0 isn't one
        assert catalog.decode(name, catalog.encode(name, instance)) == instance
        assert catalog.decode(name, data, form=1) == {}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_schema_describes_itself_as_flatc_says(path, tmp_path: Path):
    folder = package("autobahn")
    reflection = folder / "flatbuffers" / "reflection.fbs" if folder else None
    if FLATC is None or reflection is None or not reflection.is_file():
        pytest.skip("NOT TESTED: needs flatc and reflection.fbs")
    (theirs,) = to_json(reflection, "reflection.Schema", [path.read_bytes()], tmp_path)
    objects = Catalog.load(path)._origins[0].reflection.objects
    assert list(objects) == [each["name"] for each in theirs["objects"]]
    for each in theirs["objects"]:
        fields = [field["name"] for field in each.get("fields", ())]
        assert [field["name"] for field in objects[each["name"]].get("fields", ())] == fields


def test_the_catalog_of_xbr_loads_as_a_folder():
    folder = package("xbr")
    if folder is None or not (folder / "test" / "catalog" / "catalog.yaml").is_file():
        pytest.skip("NOT TESTED: needs xbr's test catalog")
    catalog = Catalog.load(folder / "test" / "catalog")
    assert any(name.startswith("trading.") or "demo" in name for name in catalog)


def test_xbrs_files_can_be_combined_although_they_share_names():
    folder = package("xbr")
    if folder is None:
        pytest.skip("NOT TESTED: needs xbr")
    catalog = Catalog.load(folder / "test" / "catalog" / "schema")
    data = catalog.encode("KeyValue", {"key": "a", "value": "b"})
    assert catalog.decode("KeyValue", data).value == "b"
    assert "wamp.WampMeta" in catalog or len(catalog) > 30


@needs_foreign
def test_googles_arrays_make_a_round_trip():
    catalog = Catalog.load(FOREIGN / "arrays_test.bfbs")
    nested = {"a": [1, 2], "b": "B", "c": ["A", "C"], "d": [-(2**63), 2**63 - 1]}
    value = {
        "a": {
            "a": 0.5, "b": list(range(15)), "c": -1, "d": [nested, nested], "e": 3, "f": [5, 6],
        }
    }  # fmt: skip
    data = catalog.encode("MyGame.Example.ArrayTable", value)
    assert plain(catalog.decode("MyGame.Example.ArrayTable", data, form=1)) == value


@needs_foreign
def test_the_annotated_buffer_reads_as_its_json(tmp_path: Path):
    catalog = Catalog.load(FOREIGN / "annotated_binary.bfbs")
    data = (FOREIGN / "annotated_binary.bin").read_bytes()
    root = catalog._origins[0].schema.root
    ours = plain(catalog.decode(root, data, form=1))
    if FLATC:
        (theirs,) = to_json(FOREIGN / "annotated_binary.bfbs", root, [data], tmp_path)
        assert same(ours, theirs)
    assert catalog.decode(root, catalog.encode(root, ours), form=1) == catalog.decode(
        root, data, form=1
    )


INVALID = sorted((FOREIGN / "invalid").glob("*.bin"))


@needs_foreign
@pytest.mark.parametrize("path", INVALID, ids=[path.stem for path in INVALID])
def test_every_broken_buffer_is_refused_where_it_is_broken(path):
    catalog = Catalog.load(FOREIGN / "annotated_binary.bfbs")
    root = catalog._origins[0].schema.root
    data = path.read_bytes()
    with pytest.raises(InvalidPayload) as caught:
        catalog.verify(root, data)
    notes = path.with_suffix(".afb").read_text("utf-8")
    places = {int(place, 16) for place in re.findall(r"^\s*\+0x([0-9A-F]+).*ERROR", notes, re.M)}
    assert caught.value.offset in places
    with pytest.raises(InvalidPayload):
        catalog.decode(root, data)
    with pytest.raises(InvalidPayload):
        catalog.lazy(root, data)


@needs_foreign
def test_refused_types_leave_the_rest_of_the_file_usable():
    catalog = Catalog.load(FOREIGN / "monster_test.bfbs")
    assert catalog["MyGame.Example.Stat"](id="x").id == "x"
