"""All races of the suite: every message, size and mode, and races that answer one question each.

The questions: does unserialize depend on the payload's size? Is a large payload copied once? What
does a second serialize cost compared with a look-up in a dictionary? Is forwarding a message
constant?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typed
from autobahn_fbs._bench import contenders, jobs, messages
from autobahn_fbs._bench.contenders import MSGPACK, OURS, UPSTREAM, Contender
from autobahn_fbs._bench.jobs import JOBS, Run, batch_size, over_batches
from autobahn_fbs._bench.messages import Scenario
from autobahn_fbs._bench.races import Race

COPY = "bare copy"
LOOKUP = "dictionary look-up"

#: Bytes of payload, by the name of the lane or size.
KILOBYTE = {"1 kB": 1_000, "1 MB": 1_000_000}
OPAQUE = {"64 kB": 65_536, "1 MB": 1_000_000}

#: The parts that `plan` can make.
PARTS = ("normal", "transparent", "control", "growth", "copy", "typed")

_CONTROL_JOBS = ("serialize", "unserialize", "unserialize + everything")


@dataclass(frozen=True)
class Planned:
    """A race that has not been created yet, because creating it checks its messages.

    Lanes are contenders, or references for ours. `make` returns the race and facts about each lane:
    the message's length, and the attributes that it loses.
    """

    job: str
    mode: str
    size: str
    type: str
    make: Callable[[], tuple[Race, dict[str, dict[str, Any]]]]


def _facts(found: list[Contender]) -> dict[str, dict[str, Any]]:
    return {each.name: {"bytes": len(each.data), "lost": " ".join(each.lost)} for each in found}


def _lookup(found: list[Contender]) -> Run:
    """A dictionary's `get`, which does the work of a message's cache: it returns a serializer's
    bytes."""
    ours = found[0]
    key = object()
    return over_batches([key] * batch_size(len(ours.data)), {key: ours.data}.get, lambda item: None)


def _works(contender: Contender, run: Run) -> bool:
    """Tries the contender. Only Autobahn's flatbuffers may fail; it then has no lane."""
    try:
        run.seconds(1)
    except Exception:
        if contender.name != UPSTREAM:
            raise
        return False
    return True


def _race(job: str, scenario: Scenario) -> Planned:
    def make() -> tuple[Race, dict[str, dict[str, Any]]]:
        found = contenders.prepare(scenario)
        lanes = {}
        for contender in found:
            run = JOBS[job](contender, scenario)
            if run is not None and _works(contender, run):
                lanes[contender.name] = run
        if job == "fan-out":
            lanes[LOOKUP] = _lookup(found)
        return Race(job, lanes), _facts(found)

    return Planned(job, scenario.mode, scenario.size, scenario.type, make)


def _growth(job: str, name: str, mode: str) -> Planned:
    """One of our jobs with payloads of 1 kB and 1 MB: text as the only arg, or opaque bytes."""

    def scenario(size: int) -> Scenario:
        if mode == "transparent":
            return messages.opaque(name, b"\x5a" * size, "")
        return messages.with_args(name, ["z" * size])

    def make() -> tuple[Race, dict[str, dict[str, Any]]]:
        lanes, facts = {}, {}
        for lane, size in KILOBYTE.items():
            message = scenario(size)
            found = contenders.prepare(message, (OURS,))
            run = JOBS[job](found[0], message)
            assert run is not None
            lanes[lane] = run
            facts[lane] = _facts(found)[OURS]
        return Race(job, lanes), facts

    return Planned(f"{job}, growth", mode, "1 kB to 1 MB", name, make)


def _copy(name: str, size: str) -> Planned:
    """Serializing opaque bytes compared with copying them; both keep their results."""

    def make() -> tuple[Race, dict[str, dict[str, Any]]]:
        payload = bytes(bytearray(range(256)) * (OPAQUE[size] // 256 + 1))[: OPAQUE[size]]
        message = messages.opaque(name, payload, size)
        found = contenders.prepare(message, (OURS, MSGPACK))
        lanes = {each.name: jobs.serialize(each, message) for each in found}
        kept: list[dict[str, bytes]] = [{} for _ in range(batch_size(len(payload)))]
        view = memoryview(payload)

        def copy(item: dict[str, bytes]) -> None:
            item["copy"] = bytes(view)

        lanes[COPY] = over_batches(kept, copy, dict.clear)
        return Race("serialize", lanes), _facts(found)

    return Planned("serialize, opaque", "transparent", size, name, make)


def _typed(each: typed.Typed) -> Planned:
    def make() -> tuple[Race, dict[str, dict[str, Any]]]:
        race, sizes = each.make()
        return race, {lane: {"bytes": size} for lane, size in sizes.items()}

    return Planned(each.job, "typed", "570 bytes", "Frame", make)


def plan(parts: tuple[str, ...] = PARTS) -> Iterator[Planned]:
    """The races of some parts, or of all."""
    for mode in messages.MODES:
        if mode in parts:
            for scenario in messages.scenarios(mode):
                for job in JOBS:
                    yield _race(job, scenario)
    if "control" in parts:
        for scenario in messages.control_scenarios():
            for job in _CONTROL_JOBS:
                yield _race(job, scenario)
    for name in messages.TYPES:
        if "growth" in parts:
            for mode in messages.MODES:
                yield _growth("unserialize", name, mode)
                yield _growth("pass-on", name, mode)
        if "copy" in parts:
            for size in OPAQUE:
                yield _copy(name, size)
    if "typed" in parts:
        yield from map(_typed, typed.races())
