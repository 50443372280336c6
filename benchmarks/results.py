"""A result file of the suite, in a form that is easy to query."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from autobahn_fbs._bench.races import geometric_mean, ratio

SEPARATOR = " / "


@dataclass
class Cell:
    """One race: the times of each lane, and facts about it.

    :ivar runs: by lane, one list of seconds for each process that ran the race.
    """

    runs: dict[str, list[list[float]]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ratio(self, slower: str, faster: str) -> float | None:
        """The ratio of two lanes' times: the median over the processes. None if there was no such
        race."""
        if slower not in self.runs or faster not in self.runs:
            return None
        return median(
            ratio(a, b) for a, b in zip(self.runs[slower], self.runs[faster], strict=True)
        )


@dataclass
class Results:
    """:ivar cells: races by (job, mode, size, type).
    :ivar machine: the machine, Python and the versions.
    :ivar memory: the result of ``memory.measure``; empty if it is not in the file.
    """

    cells: dict[tuple[str, str, str, str], Cell] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, values: Iterable[float], facts: dict[str, Any] | None = None) -> None:
        """Adds a process's measurements; the name is "job / mode / size / type / lane"."""
        job, mode, size, type_name, lane = name.split(SEPARATOR)
        cell = self.cells.setdefault((job, mode, size, type_name), Cell())
        cell.runs.setdefault(lane, []).append(list(values))
        cell.facts.setdefault(lane, {}).update(facts or {})

    def select(self, job: str, mode: str, size: str) -> dict[str, Cell]:
        """Races by message type."""
        return {key[3]: cell for key, cell in self.cells.items() if key[:3] == (job, mode, size)}

    def times(self, job: str, mode: str, size: str, slower: str, faster: str) -> float | None:
        """The ratio of two lanes' times: the geometric mean over the types.

        None if they were not in one race.
        """
        found = self.each(job, mode, size, slower, faster)
        return geometric_mean(found.values()) if found else None

    def each(self, job: str, mode: str, size: str, slower: str, faster: str) -> dict[str, float]:
        """The same by message type."""
        found = {}
        for name, cell in self.select(job, mode, size).items():
            value = cell.ratio(slower, faster)
            if value is not None:
                found[name] = value
        return found

    def seconds(self, job: str, mode: str, size: str, lane: str) -> float | None:
        """A lane's time for one message, best round, geometric mean over the types."""
        found = [
            min(min(run) for run in cell.runs[lane])
            for cell in self.select(job, mode, size).values()
            if lane in cell.runs
        ]
        return geometric_mean(found) if found else None

    def lengths(self, mode: str, size: str, lane: str) -> dict[str, int]:
        """The bytes of each message type."""
        return {
            name: int(cell.facts[lane]["bytes"])
            for name, cell in self.select("serialize", mode, size).items()
            if lane in cell.facts and "bytes" in cell.facts[lane]
        }


def load(file: Path) -> Results:
    """Reads a result file.

    :raises OSError: it can't be read.
    :raises ValueError: it is not a result file of the suite.
    """
    import pyperf  # type: ignore[import-untyped]

    results = Results()
    suite = pyperf.BenchmarkSuite.load(str(file))
    results.machine = suite.get_metadata()
    for benchmark in suite.get_benchmarks():
        metadata = benchmark.get_metadata()
        facts = {key: metadata[key] for key in ("bytes", "lost") if key in metadata}
        for run in benchmark.get_runs():
            results.add(benchmark.get_name(), run.values, facts)
            if "memory" in run.get_metadata():
                results.memory = json.loads(run.get_metadata()["memory"])
    return results
