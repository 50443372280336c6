"""Any value of any schema survives a round trip, and flatc reads the same value."""

from __future__ import annotations

import functools
import math
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog
from support.typed_oracles import plain, same, to_json
from support.typed_schemas import FLATC, SCHEMAS, needs_flatc

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

INTEGERS = {
    3: (-(2**7), 2**7 - 1), 4: (0, 2**8 - 1), 5: (-(2**15), 2**15 - 1), 6: (0, 2**16 - 1),
    7: (-(2**31), 2**31 - 1), 8: (0, 2**32 - 1), 9: (-(2**63), 2**63 - 1), 10: (0, 2**64 - 1),
}  # fmt: skip
BOOL, UBYTE, FLOAT, DOUBLE, STRING, VECTOR, OBJECT, UNION, ARRAY = 2, 4, 11, 12, 13, 14, 15, 16, 17


class Values:
    """Strategies for the values of a catalog's tables, as mappings."""

    def __init__(self, catalog: Catalog) -> None:
        (origin,) = catalog._origins
        self.catalog, self.reflection = catalog, origin.reflection
        self.objects = list(self.reflection.objects.values())
        self.enums = list(self.reflection.enums.values())

    def of(self, name: str, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
        described = self.reflection.objects[name]
        fields = sorted(described.get("fields", ()), key=lambda f: f.get("id", 0))
        always, sometimes = {}, {}
        for field in fields:
            type_ = field["type"]
            kinds = (type_["base_type"], type_.get("element"))
            if field.get("deprecated") or 1 in kinds:
                continue
            must = described.get("is_struct") or field.get("required")
            deep = UNION in kinds or (OBJECT in kinds and not self._is_struct(type_))
            if deep and depth == 0 and not must:
                continue
            (always if must else sometimes)[field["name"]] = self._value(type_, depth)
        return st.fixed_dictionaries(always, optional=sometimes)

    def _is_struct(self, type_: dict[str, Any]) -> bool:
        return bool(self.objects[type_["index"]].get("is_struct"))

    def _value(self, type_: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        base = type_["base_type"]
        if base in (VECTOR, ARRAY):
            element = type_["element"]
            fixed = type_.get("fixed_length", 0) if base == ARRAY else None
            size = {"min_size": fixed or 0, "max_size": fixed if fixed is not None else 4}
            if element == UBYTE and type_.get("index", -1) < 0:
                return st.binary(**size)
            inner = {k: v for k, v in type_.items() if k not in ("element", "fixed_length")}
            return st.lists(self._value(inner | {"base_type": element}, depth), **size)
        if base == OBJECT:
            return self.of(self.objects[type_["index"]]["name"], max(depth - 1, 0))
        if base == UNION:
            return self._union(self.enums[type_["index"]], depth)
        if base == STRING:
            return st.text(max_size=12)
        if base == BOOL:
            return st.booleans()
        if base in (FLOAT, DOUBLE):
            return st.floats(width=32 if base == FLOAT else 64)
        if type_.get("index", -1) >= 0:
            return self._enum(self.enums[type_["index"]])
        return st.integers(*INTEGERS[base])

    def _enum(self, enum: dict[str, Any]) -> st.SearchStrategy[Any]:
        names = [value["name"] for value in enum["values"]]
        if any(each["key"] == "bit_flags" for each in enum.get("attributes", ())):
            return st.lists(st.sampled_from(names), min_size=1, unique=True).map(" ".join)
        return st.sampled_from(names)

    def _union(self, enum: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        members = [value for value in enum["values"] if value.get("value")]
        return st.one_of(
            st.tuples(st.just(m["name"]), self._value(m["union_type"], max(depth - 1, 0)))
            for m in members
        )


def bits(value: Any) -> Any:
    """A form in which floats are compared by their bits."""
    if isinstance(value, float):
        return struct.pack("<d", value) if not math.isnan(value) else "nan"
    if isinstance(value, dict):
        return {key: bits(each) for key, each in value.items()}
    return [bits(each) for each in value] if isinstance(value, (list, tuple)) else value


TABLES = {
    "basics": ["basics.Everything", "basics.Defaults", "basics.Optionals", "basics.Strict"],
    "unions": ["unions.Drawing", "unions.Must"],
}


@functools.cache
def values_of(name: str) -> Values:
    return Values(Catalog.load(SCHEMAS / f"{name}.bfbs"))


def check(catalog: Catalog, name: str, value: Any) -> bytes:
    """A value there and back, by each way."""
    data = catalog.encode(name, value)
    catalog.verify(name, data, strict=True)
    instance = catalog.decode(name, data)
    present = catalog.decode(name, data, form=1)
    assert bits(catalog.decode(name, catalog.encode(name, present), form=1)) == bits(present)
    again = catalog.encode(name, instance)
    assert bits(catalog.decode(name, again, form=2)) == bits(catalog.decode(name, data, form=2))
    assert bits(instance.to_dict()) == bits(catalog.decode(name, data, form=2))
    assert repr(catalog.lazy(name, data).decode()) == repr(instance)
    return data


@pytest.mark.parametrize(("schema", "table"), [(s, t) for s in TABLES for t in TABLES[s]])
@given(data=st.data())
def test_any_value_survives_a_round_trip(schema, table, data):
    values = values_of(schema)
    check(values.catalog, table, data.draw(values.of(table)))


SCALARS = ["byte", "ubyte", "short", "ushort", "int", "uint", "long", "ulong", "float", "double"]


@st.composite
def schemas(draw: st.DrawFn) -> str:
    """A schema: enums, structs, tables and unions that refer to each other."""
    enums = [f"E{n}" for n in range(draw(st.integers(0, 2)))]
    structs = [f"S{n}" for n in range(draw(st.integers(0, 3)))]
    tables = [f"T{n}" for n in range(draw(st.integers(1, 4)))]
    text = []
    for name in enums:
        base = draw(st.sampled_from(SCALARS[:8]))
        flags = draw(st.booleans()) and base in ("ubyte", "ushort", "uint", "ulong")
        count = draw(st.integers(1, 5))
        values = ", ".join(f"{name}V{n}" for n in range(count))
        text.append(f"enum {name} : {base}{' (bit_flags)' if flags else ''} {{ {values} }}")
    flag_enums = {line.split()[1] for line in text if "bit_flags" in line}
    inline = [*SCALARS, "bool", *(each for each in enums if each not in flag_enums)]
    for number, name in enumerate(structs):
        fields = []
        for field in range(draw(st.integers(1, 5))):
            kind = draw(st.sampled_from([*inline, *structs[:number]]))
            if draw(st.booleans()):
                kind = f"[{kind}:{draw(st.integers(1, 4))}]"
            fields.append(f"f{field}: {kind};")
        align = draw(st.sampled_from(["", "", "(force_align: 16) "]))
        text.append(f"struct {name} {align}{{ {' '.join(fields)} }}")
    union = draw(st.booleans())
    if union:
        members = draw(st.lists(st.sampled_from([*tables, *structs]), min_size=1, unique=True))
        text.append(f"union U {{ {', '.join(members)} }}")
    kinds = [*inline, *structs, *tables, "string", *flag_enums, *(["U"] if union else [])]
    for name in tables:
        fields = []
        for field in range(draw(st.integers(0, 7))):
            kind, extra = draw(st.sampled_from(kinds)), ""
            if draw(st.booleans()):
                kind = f"[{kind}]"
            elif kind in (*SCALARS, "bool") and draw(st.booleans()):
                extra = " = null"
            elif kind in SCALARS and draw(st.booleans()):
                extra = f" = {draw(st.integers(0, 100))}"
            elif kind == "string" and draw(st.integers(0, 3)) == 0:
                extra = " (required)"
            fields.append(f"f{field}: {kind}{extra};")
        text.append(f"table {name} {{ {' '.join(fields)} }}")
    return "namespace any;\n" + "\n".join(text) + "\nroot_type T0;\n"


@needs_flatc
@settings(max_examples=20)
@given(schema=schemas(), data=st.data())
def test_any_value_of_any_schema_reads_as_flatc_reads_it(schema, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.fbs"
        path.write_text(schema)
        command = [FLATC, "--schema", "--binary", "--bfbs-builtins", "-o", folder, path]
        done = subprocess.run(command, capture_output=True, text=True)
        assume(done.returncode == 0)
        catalog = Catalog.load(Path(folder) / "any.bfbs")
        assert catalog._origins[0].schema.refused == {}
        values = Values(catalog)
        buffers = [check(catalog, "any.T0", data.draw(values.of("any.T0"))) for _ in range(4)]
        for ours, theirs in zip(
            buffers, to_json(path, "any.T0", buffers, Path(folder)), strict=True
        ):
            assert same(plain(catalog.decode("any.T0", ours, form=1)), theirs)
