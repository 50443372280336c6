#!/usr/bin/env python3
"""The parts of the time of a serialize: the same message with less and less work around it.

    python benchmarks/anatomy.py [--rounds N]

For each payload size, as geometric means over the seven messages with a payload: the transport
serializer's call, the object serializer's call, the same without a cache to fill, the same without
payload; and the two msgspec floors. The cost of a step is the difference to the next line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import autobahn_fbs
from autobahn_fbs._bench import contenders, messages
from autobahn_fbs._bench.contenders import FLOOR, FLOOR_ARRAY, Contender
from autobahn_fbs._bench.jobs import Run, batch_size, over_batches, serialize
from autobahn_fbs._bench.messages import Scenario
from autobahn_fbs._bench.races import Race, geometric_mean, hold

SIZES = ("empty", "small")
SECONDS = 0.001  # seconds per round

TRANSPORT = "transport serializer: statistics and a tuple"
OBJECT = "object serializer: fills the message's cache"
BARE = "object serializer, a message without a cache"
EMPTY = "the same, without payload"


def _uncache(msg: Any) -> None:
    msg._serialized = {}


def _no_cache(msg: Any) -> None:
    msg._serialized = None


def _ours(scenario: Scenario, work: Callable[[Any], Any], before: Callable[[Any], None]) -> Run:
    items = [scenario.make() for _ in range(batch_size(500))]
    return over_batches(items, work, before)


def _floor(each: Contender, scenario: Scenario) -> Run:
    run = serialize(each, scenario)
    assert run is not None
    return run


def lanes(scenario: Scenario, without_payload: Scenario) -> dict[str, Run]:
    """The message's lanes, outermost first."""
    transport = autobahn_fbs.FlatBuffersSerializer()
    inner = autobahn_fbs.FlatBuffersObjectSerializer()
    found = contenders.prepare(scenario, (FLOOR_ARRAY, FLOOR))
    return {
        TRANSPORT: _ours(scenario, transport.serialize, _uncache),
        OBJECT: _ours(scenario, inner.serialize, _uncache),
        BARE: _ours(scenario, inner.serialize, _no_cache),
        EMPTY: _ours(without_payload, inner.serialize, _no_cache),
        **{each.name: _floor(each, scenario) for each in found},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    by_size = {
        size: [each for each in messages.scenarios("normal") if each.size == size] for size in SIZES
    }
    table: dict[str, list[str]] = {}
    for scenarios in by_size.values():
        best: dict[str, list[float]] = {}
        for scenario, empty in zip(scenarios, by_size["empty"], strict=True):
            race = Race(scenario.type, lanes(scenario, empty))
            hold(race, options.rounds, SECONDS)
            for name, values in race.values.items():
                best.setdefault(name, []).append(min(values) * 1e9)
        for name, times in best.items():
            table.setdefault(name, []).append(f"{geometric_mean(times):8.0f}")
    print(f"{'nanoseconds a message':48}" + "".join(f"{size:>8}" for size in by_size))
    for name, cells in table.items():
        print(f"{name:48}" + "".join(cells))


if __name__ == "__main__":
    main()
