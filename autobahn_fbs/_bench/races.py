"""Contenders take turns, so that they are measured side by side.

A race has one lane for each contender. In every round, each lane runs once for a few milliseconds.
A ratio compares the best rounds of two lanes. A race takes a fraction of a second, so slow phases
of the machine affect both sides of the ratio. Disturbances of single rounds don't matter, as long
as each lane has one undisturbed round.
"""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from .jobs import Run

#: The warm-up time of a lane in seconds, if there is a JIT compiler: on PyPy.
WARM_UP = 0.0 if sys.implementation.name == "cpython" else 0.25


@dataclass
class Race:
    """`values` are each lane's seconds for one message, one for each round."""

    name: str
    lanes: dict[str, Run]
    values: dict[str, list[float]] = field(default_factory=dict)


@contextmanager
def no_collections() -> Iterator[None]:
    """Disables Python's cyclic garbage collector, like timeit."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _batches(run: Run, seconds: float) -> int:
    """The number of batches that take about this long. Runs the lane at least twice, to warm it
    up."""
    start = perf_counter()
    run.seconds(1)
    while perf_counter() - start < WARM_UP:
        run.seconds(32)
    once = run.seconds(1)
    return max(1, round(seconds / max(once, 1e-9)))


def hold(race: Race, rounds: int, seconds: float) -> None:
    """Runs the lanes in turn, each for about `seconds` per round, and fills in `values`."""
    with no_collections():
        batches = {name: _batches(run, seconds) for name, run in race.lanes.items()}
        race.values = {name: [] for name in race.lanes}
        for _ in range(rounds):
            for name, run in race.lanes.items():
                count = batches[name]
                race.values[name].append(run.seconds(count) / (count * run.count))


def ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """The ratio of two lanes' times, best round against best round."""
    return min(slower) / min(faster)


def geometric_mean(values: Iterable[float]) -> float:
    """:raises ValueError: there are no values."""
    logs = [math.log(value) for value in values]
    if not logs:
        raise ValueError("a mean of no values")
    return math.exp(sum(logs) / len(logs))


def ratios(values: Mapping[str, Sequence[float]], to: str) -> dict[str, float]:
    """Each lane's time relative to one lane's."""
    return {name: ratio(times, values[to]) for name, times in values.items() if name != to}
