#!/usr/bin/env python3
"""Typed payloads compared with msgspec and flatc's Python: one message of 12 fields, writing and
reading.

    python benchmarks/typed.py [--rounds N]

The message (``typed_schema/bench.fbs``) has three integers, an enum, a bool, two doubles, a struct,
ten nested tables, three strings, bytes and a title. msgspec has a ``Struct`` with the same fields,
in MessagePack. flatc's Python is the generated builder and reader, whose result is converted to a
dict. Each contender's round trip is checked before it is timed. Contenders take turns in one
process, and ratios compare the best rounds.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobahn_fbs._bench.jobs import Run, over_batches
from autobahn_fbs._bench.races import Race, hold
from autobahn_fbs.typed import Catalog
from autobahn_fbs.typed.sources import find_flatc

SCHEMAS = Path(__file__).resolve().parent / "typed_schema"
NAME = "bench.Frame"

#: Lanes: ours by the form of the values, and the others.
INSTANCE, DICT, VERIFY = "instance", "dict", "verify"
GET, LAZY = "get", "lazy field"
MSGSPEC, FLATC = "msgspec", "flatc's Python"

#: A vector of numbers, by lane: does reading it as a view take constant time?
VECTORS = {"1,000 doubles": 1_000, "1,000,000 doubles": 1_000_000}

BATCH = 32

VALUE: dict[str, Any] = {
    "id": 2**40 + 7,
    "seq": 123_456,
    "level": -3,
    "kind": "Trade",
    "active": True,
    "price": 101.25,
    "ratio": 0.0625,
    "place": {"x": 1.5, "y": -2.5, "z": 0.125},
    "parts": [{"id": n, "name": f"part-{n}", "weight": n + 0.5} for n in range(1, 11)],
    "tags": ["alpha", "beta", "gamma"],
    "raw": bytes(range(8)),
    "title": "a frame",
}


class Wrong(Exception):
    """A contender changes the message in a round trip."""


@functools.cache
def catalog() -> Catalog:
    """The message's schema."""
    return Catalog.load(SCHEMAS / "bench.bfbs")


def _over(item: Any, work: Callable[[Any], Any]) -> Run:
    return over_batches([item] * BATCH, work, lambda item: None)


# msgspec


@functools.cache
def _structs() -> Any:
    """msgspec's class for the message; None if msgspec is not installed."""
    if importlib.util.find_spec("msgspec") is None:
        return None
    import msgspec

    kind = catalog()["bench.Kind"]
    part = msgspec.defstruct("Part", [("id", int), ("name", str), ("weight", float)])
    place = msgspec.defstruct("Place", [("x", float), ("y", float), ("z", float)])
    types: dict[str, Any] = {
        "id": int, "seq": int, "level": int, "kind": kind, "active": bool, "price": float,
        "ratio": float, "place": place, "parts": list[part], "tags": list[str],  # type: ignore[valid-type]
        "raw": bytes, "title": str,
    }  # fmt: skip
    return msgspec.defstruct("Frame", list(types.items()))


def _msgspec() -> tuple[Callable[[Any], bytes], Callable[[bytes], Any], Any] | None:
    struct = _structs()
    if struct is None:
        return None
    import msgspec

    given = VALUE | {"kind": int(catalog()["bench.Kind"][VALUE["kind"]])}  # type: ignore[index]
    value = msgspec.convert(given, struct)
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(struct).decode
    if decode(encode(value)) != value:
        raise Wrong("msgspec")
    return encode, decode, value


# flatc's Python


@functools.cache
def _generated() -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]] | None:
    """A writer and a reader that use flatc's generated code; None without flatc or its runtime."""
    flatc = find_flatc()
    if flatc is None or importlib.util.find_spec("flatbuffers") is None:
        return None
    folder = tempfile.TemporaryDirectory(prefix="autobahn-fbs-bench-")
    subprocess.run([flatc, "--python", "-o", folder.name, SCHEMAS / "bench.fbs"], check=True)
    sys.path.insert(0, folder.name)
    try:
        frame, part, place = (
            importlib.import_module(f"bench.{n}") for n in ("Frame", "Part", "Place")
        )
    finally:
        sys.path.remove(folder.name)
        folder.cleanup()
    import flatbuffers  # type: ignore[import-untyped]

    kinds = {"Snapshot": 0, "Update": 1, "Trade": 2}
    names = {number: name for name, number in kinds.items()}

    def vector(builder: Any, refs: list[int], start: Callable[[Any, int], Any]) -> Any:
        start(builder, len(refs))
        for ref in reversed(refs):
            builder.PrependUOffsetTRelative(ref)
        return builder.EndVector()

    def write(value: dict[str, Any]) -> bytes:
        builder = flatbuffers.Builder(1024)
        parts = []
        for each in value["parts"]:
            name = builder.CreateString(each["name"])
            part.Start(builder)
            part.AddId(builder, each["id"])
            part.AddName(builder, name)
            part.AddWeight(builder, each["weight"])
            parts.append(part.End(builder))
        tags = [builder.CreateString(tag) for tag in value["tags"]]
        all_parts = vector(builder, parts, frame.StartPartsVector)
        all_tags = vector(builder, tags, frame.StartTagsVector)
        raw, title = builder.CreateByteVector(value["raw"]), builder.CreateString(value["title"])
        frame.Start(builder)
        frame.AddId(builder, value["id"])
        frame.AddSeq(builder, value["seq"])
        frame.AddLevel(builder, value["level"])
        frame.AddKind(builder, kinds[value["kind"]])
        frame.AddActive(builder, value["active"])
        frame.AddPrice(builder, value["price"])
        frame.AddRatio(builder, value["ratio"])
        at = value["place"]
        frame.AddPlace(builder, place.CreatePlace(builder, at["x"], at["y"], at["z"]))
        frame.AddParts(builder, all_parts)
        frame.AddTags(builder, all_tags)
        frame.AddRaw(builder, raw)
        frame.AddTitle(builder, title)
        builder.Finish(frame.End(builder))
        return bytes(builder.Output())

    def read(data: bytes) -> dict[str, Any]:
        root = frame.Frame.GetRootAs(data)
        at = root.Place()
        parts = []
        for index in range(root.PartsLength()):
            each = root.Parts(index)
            parts.append({"id": each.Id(), "name": each.Name().decode(), "weight": each.Weight()})
        return {
            "id": root.Id(), "seq": root.Seq(), "level": root.Level(),
            "kind": names[root.Kind()], "active": root.Active(), "price": root.Price(),
            "ratio": root.Ratio(), "place": {"x": at.X(), "y": at.Y(), "z": at.Z()},
            "parts": parts,
            "tags": [root.Tags(index).decode() for index in range(root.TagsLength())],
            "raw": bytes(root.Raw(index) for index in range(root.RawLength())),
            "title": root.Title().decode(),
        }  # fmt: skip

    if read(write(VALUE)) != VALUE:
        raise Wrong(FLATC)
    if catalog().decode(NAME, write(VALUE), form=1) != VALUE:
        raise Wrong("ours reads something else than flatc's Python wrote")
    return write, read


# The races


@dataclass(frozen=True)
class Typed:
    """A race that has not been created yet, because creating it checks the contenders; and the
    bytes of each lane."""

    job: str
    make: Callable[[], tuple[Race, dict[str, int]]]


def _encode() -> tuple[Race, dict[str, int]]:
    ours = catalog()
    data = ours.encode(NAME, VALUE)
    instance = ours.decode(NAME, data)
    if ours.encode(NAME, instance) != data or ours.decode(NAME, data, form=1) != VALUE:
        raise Wrong("ours")
    encode = functools.partial(ours.encode, NAME)
    lanes = {INSTANCE: _over(instance, encode), DICT: _over(VALUE, encode)}
    sizes = dict.fromkeys(lanes, len(data))
    if (found := _msgspec()) is not None:
        lanes[MSGSPEC] = _over(found[2], found[0])
        sizes[MSGSPEC] = len(found[0](found[2]))
    if (generated := _generated()) is not None:
        lanes[FLATC] = _over(VALUE, generated[0])
        sizes[FLATC] = len(generated[0](VALUE))
    return Race("typed: encode", lanes), sizes


def _decode() -> tuple[Race, dict[str, int]]:
    ours = catalog()
    data = ours.encode(NAME, VALUE)
    lazy: Any = ours.lazy(NAME, data)
    lanes = {
        INSTANCE: _over(data, functools.partial(ours.decode, NAME)),
        DICT: _over(data, lambda item: ours.decode(NAME, item, form=1)),
        VERIFY: _over(data, functools.partial(ours.verify, NAME)),
        GET: _over(data, lambda item: ours.get(NAME, item, "place.y")),
        LAZY: _over(lazy, lambda item: item.price),
    }
    sizes = dict.fromkeys(lanes, len(data))
    if (found := _msgspec()) is not None:
        packed = found[0](found[2])
        lanes[MSGSPEC] = _over(packed, found[1])
        sizes[MSGSPEC] = len(packed)
    if (generated := _generated()) is not None:
        lanes[FLATC] = _over(data, generated[1])
        sizes[FLATC] = len(data)
    return Race("typed: decode", lanes), sizes


def _vector() -> tuple[Race, dict[str, int]]:
    ours, lanes, sizes = catalog(), {}, {}
    for lane, count in VECTORS.items():
        data = ours.encode("bench.Samples", {"values": [float(n) for n in range(count)]})
        lazy: Any = ours.lazy("bench.Samples", data)
        if len(lazy.values) != count:
            raise Wrong("ours")
        lanes[lane] = _over(lazy, lambda item: item.values)
        sizes[lane] = len(data)
    return Race("typed: vector as a view", lanes), sizes


def _load() -> tuple[Race, dict[str, int]]:
    """The time to load a schema: interned schemas are forgotten before each run."""
    from autobahn_fbs.typed import _helpers

    def fresh(sources: list[Any]) -> None:
        _helpers.forget()
        Catalog.load(*sources)

    files = {"bench.bfbs": [(SCHEMAS / "bench.bfbs").read_bytes()]}
    for lane, package, pattern in (
        ("wamp-meta.bfbs", "xbr", "test/catalog/schema/wamp-meta.bfbs"),
        ("all of cfxdb", "cfxdb", "gen/*.bfbs"),
    ):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found = sorted(Path(spec.origin).parent.glob(pattern))
            files[lane] = [path.read_bytes() for path in found]
    lanes = {
        lane: over_batches([sources], fresh, lambda item: None)
        for lane, sources in files.items()
        if sources
    }
    return Race("typed: load", lanes), {lane: sum(map(len, files[lane])) for lane in lanes}


def races() -> Iterator[Typed]:
    """All of them."""
    yield Typed("typed: encode", _encode)
    yield Typed("typed: decode", _decode)
    yield Typed("typed: vector as a view", _vector)
    yield Typed("typed: load", _load)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    for each in races():
        race, sizes = each.make()
        hold(race, options.rounds, 0.002)
        best = {lane: min(values) for lane, values in race.values.items()}
        to = best.get(MSGSPEC)
        print(race.name)
        for lane, seconds in best.items():
            beside = f"{seconds / to:8.2f} of msgspec" if to else ""
            print(f"  {lane:20} {sizes[lane]:9,} bytes {seconds * 1e6:12,.3f} us {beside}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
