"""The performance targets of this package, and whether a result file reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autobahn_fbs._bench.contenders import FLOOR, FLOOR_ARRAY, MSGPACK, OURS, UPSTREAM
from plan import COPY, LOOKUP, OPAQUE
from results import Results
from typed import DICT, FLATC, GET, INSTANCE, LAZY, MSGSPEC, VECTORS, VERIFY

SIZES = ("empty", "small", "medium", "large")


@dataclass(frozen=True)
class Target:
    """`limit` is the minimum of `measured`, or the maximum if not `at_least`.

    `measured` is None if the file has no value for it.
    """

    title: str
    limit: float
    at_least: bool
    measured: float | None
    unit: str = "times"

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if unknown."""
        if self.measured is None:
            return None
        if self.at_least:
            return self.measured >= self.limit
        return self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """The verdict in a word."""
        return {None: "not measured", True: "met", False: "MISSED"}[self.met]


# Row title, job, the other contender, and the limits for SIZES.
_Row = tuple[str, str, str, tuple[float, float, float, float]]

# Our speed as a multiple of the other contender's.
_FASTER: tuple[_Row, ...] = (
    ("serialize, faster than Autobahn msgpack", "serialize", MSGPACK, (8, 7, 4.5, 3)),
    ("serialize, faster than Autobahn flatbuffers", "serialize", UPSTREAM, (100, 100, 45, 22)),
    ("unserialize, faster than Autobahn msgpack", "unserialize", MSGPACK, (16, 20, 30, 150)),
    (
        "unserialize, args and kwargs read, faster than Autobahn msgpack",
        "unserialize + payload",
        MSGPACK,
        (12, 7, 3.2, 1.8),
    ),
    (
        "unserialize, every attribute read, faster than Autobahn msgpack",
        "unserialize + everything",
        MSGPACK,
        (8, 5, 3, 1.7),
    ),
)
# Our time as a multiple of the other contender's.
_SLOWER: tuple[_Row, ...] = (
    ("serialize, time against the floor", "serialize", FLOOR, (1.6, 1.4, 1.3, 1.2)),
    (
        "unserialize, args and kwargs read, time against the floor",
        "unserialize + payload",
        FLOOR,
        (1.5, 1.3, 1.2, 1.15),
    ),
)

#: The look-up is a call of `dict.get`. Ours looks up, keeps statistics and returns a tuple.
_LOOKUP_LIMIT = 3.0
_CONSTANT = 1.2
_COPY_LIMIT = 1.3
_MEMORY_LIMIT = 150
#: Memory that tracemalloc's own bookkeeping and Python's free lists may take without growth.
_PEAK_LIMIT = 2_000


def _table(results: Results) -> Iterator[Target]:
    for title, job, other, limits in _FASTER:
        for size, limit in zip(SIZES, limits, strict=True):
            measured = results.times(job, "normal", size, other, OURS)
            yield Target(f"{title}: {size}", limit, True, measured)
    for title, job, other, limits in _SLOWER:
        for size, limit in zip(SIZES, limits, strict=True):
            measured = results.times(job, "normal", size, OURS, other)
            yield Target(f"{title}: {size}", limit, False, measured)
    # The floor in the strict sense: no field names on the wire. The targets don't require this.
    for title, job, _, limits in _SLOWER:
        for size, limit in zip(SIZES, limits, strict=True):
            measured = results.times(job, "normal", size, OURS, FLOOR_ARRAY)
            strict = title.replace("the floor", "the array floor")
            yield Target(f"{strict}: {size}", limit, False, measured)


def _constant(results: Results) -> Iterator[Target]:
    for job in ("unserialize", "pass-on"):
        for mode in ("normal", "transparent"):
            measured = results.times(f"{job}, growth", mode, "1 kB to 1 MB", "1 MB", "1 kB")
            yield Target(f"{job}, 1 MB against 1 kB, {mode}", _CONSTANT, False, measured)
    peaks = results.memory.get("unserialize peak")
    grown = peaks["1 MB"] - peaks["1 kB"] if peaks else None
    title = "unserialize, allocated for 1 MB beyond what 1 kB takes"
    yield Target(title, _PEAK_LIMIT, False, grown, "bytes")
    for size in OPAQUE:
        measured = results.times("serialize, opaque", "transparent", size, OURS, COPY)
        title = f"serialize, {size} of opaque payload, against a bare copy"
        yield Target(title, _COPY_LIMIT, False, measured)
    for size in SIZES:
        measured = results.times("fan-out", "normal", size, OURS, LOOKUP)
        title = f"fan-out: serialize again, against a call of dict.get: {size}"
        yield Target(title, _LOOKUP_LIMIT, False, measured)


def larger_than_upstream(results: Results) -> list[str]:
    """Messages that take more bytes than with Autobahn's flatbuffers, if that can encode them."""
    found = []
    for (job, mode, size, name), cell in results.cells.items():
        facts = cell.facts
        if job != "serialize" or OURS not in facts or UPSTREAM not in facts:
            continue
        if mode == "control" and facts[UPSTREAM].get("lost"):
            continue  # theirs is smaller because it lacks something
        if int(facts[OURS]["bytes"]) > int(facts[UPSTREAM]["bytes"]):
            found.append(f"{name} {mode} {size}".strip())
    return found


def _sizes(results: Results) -> Iterator[Target]:
    measured = len(larger_than_upstream(results)) if results.cells else None
    yield Target("messages larger than Autobahn's flatbuffers", 0, False, measured, "messages")


def _memory(results: Results) -> Iterator[Target]:
    for name, found in results.memory.get("messages", {}).items():
        title = f"memory of a received {name.upper()}, more than Autobahn's object and the buffer"
        yield Target(title, _MEMORY_LIMIT, False, found["extra"], "bytes")


def _control(results: Results) -> Iterator[Target]:
    for job in ("serialize", "unserialize", "unserialize + everything"):
        found = results.each(job, "control", "", MSGPACK, OURS)
        for name, measured in found.items():
            yield Target(f"{name.upper()}: {job}, faster than Autobahn msgpack", 1, True, measured)


#: Title, job, lane, limit against msgspec.
_TYPED: tuple[tuple[str, str, str, float], ...] = (
    ("typed: encode an instance, time against msgspec", "typed: encode", INSTANCE, 1.5),
    ("typed: encode a dict, time against msgspec", "typed: encode", DICT, 2.5),
    ("typed: decode to an instance, time against msgspec", "typed: decode", INSTANCE, 1.5),
    ("typed: decode to a dict, time against msgspec", "typed: decode", DICT, 2.5),
    ("typed: verify alone, time against msgspec's decode", "typed: decode", VERIFY, 0.4),
)
#: Title, job, lane, limit in microseconds.
_TYPED_TIMES: tuple[tuple[str, str, str, float], ...] = (
    ("typed: one nested field of bytes", "typed: decode", GET, 0.2),
    ("typed: one field of a lazy table", "typed: decode", LAZY, 0.2),
    ("typed: load wamp-meta.bfbs", "typed: load", "wamp-meta.bfbs", 2_000),
    ("typed: load all of cfxdb", "typed: load", "all of cfxdb", 50_000),
)


def _typed(results: Results) -> Iterator[Target]:
    where = ("typed", "570 bytes")
    for title, job, lane, limit in _TYPED:
        yield Target(title, limit, False, results.times(job, *where, lane, MSGSPEC))
    for job in ("typed: encode", "typed: decode"):
        measured = results.times(job, *where, FLATC, INSTANCE)
        yield Target(f"{job}, faster than flatc's Python", 100, True, measured)
    small, large = VECTORS
    measured = results.times("typed: vector as a view", *where, large, small)
    yield Target(f"typed: a view of {large} against {small}", _CONSTANT, False, measured)
    for title, job, lane, limit in _TYPED_TIMES:
        seconds = results.seconds(job, *where, lane)
        micros = None if seconds is None else seconds * 1e6
        yield Target(title, limit, False, micros, "µs")


def check(results: Results) -> list[Target]:
    """All targets."""
    parts = (_table, _constant, _sizes, _memory, _control, _typed)
    return [target for part in parts for target in part(results)]


def text(targets: list[Target]) -> str:
    """A readable table; missed targets stand out."""
    width = max(len(target.title) for target in targets)
    lines = [f"{'':{width}}  {'target':>12}  {'measured':>10}"]
    for target in targets:
        sign = ">=" if target.at_least else "<="
        measured = "-" if target.measured is None else f"{target.measured:,.2f}"
        limit = f"{sign} {target.limit:,g}"
        lines.append(f"{target.title:{width}}  {limit:>12}  {measured:>10}  {target.verdict}")
    missed = sum(target.met is False for target in targets)
    unknown = sum(target.met is None for target in targets)
    lines.append(f"{len(targets)} targets, {missed} missed, {unknown} not measured")
    return "\n".join(lines)
