#!/usr/bin/env python3
"""Compares current ratios with stored ones; prints a report, and is never a test.

    python benchmarks/guard.py [RESULTS]            measures now, or takes a suite's result file
    python benchmarks/guard.py RESULTS --store      stores the ratios of a result file as expected

It compares ratios, which are more portable than times, and reports only those that got worse by
more than the tolerance. The tolerance is wide (see ``expected.json``), so that a noisy machine with
two cores doesn't raise an alarm. The exit status is 0 unless --strict is given.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobahn_fbs._bench.contenders import FLOOR, MSGPACK, OURS, UPSTREAM
from report import rst_table
from results import Results, load
from targets import SIZES
from typed import DICT, FLATC, INSTANCE, MSGSPEC, VERIFY

EXPECTED = Path(__file__).with_name("expected.json")

#: The part of an expected ratio that may be lost before it is reported.
TOLERANCE = 0.3

#: Of typed payloads: job, our lane, the other.
_TYPED = (
    ("typed: encode", INSTANCE, MSGSPEC),
    ("typed: encode", INSTANCE, FLATC),
    ("typed: encode", DICT, MSGSPEC),
    ("typed: decode", INSTANCE, MSGSPEC),
    ("typed: decode", INSTANCE, FLATC),
    ("typed: decode", DICT, MSGSPEC),
    ("typed: decode", VERIFY, MSGSPEC),
)

_JOBS = ("serialize", "unserialize", "unserialize + payload", "unserialize + everything", "pass-on")


@dataclass(frozen=True)
class Line:
    """A ratio, "job / mode / size / contender": that contender's time relative to ours."""

    name: str
    expected: float
    measured: float | None
    tolerance: float

    @property
    def verdict(self) -> str:
        """ "slower" if more than the tolerance is lost, "faster" if more than it is gained."""
        if self.measured is None:
            return "not measured"
        if self.measured < self.expected * (1 - self.tolerance):
            return "SLOWER"
        if self.measured > self.expected / (1 - self.tolerance):
            return "faster"
        return "as expected"


def ratios(results: Results) -> dict[str, float]:
    """The ratios that are watched, by name."""
    found = {}
    for job in _JOBS:
        for mode in ("normal", "transparent"):
            for size in SIZES:
                for other in (MSGPACK, UPSTREAM, FLOOR):
                    value = results.times(job, mode, size, other, OURS)
                    if value is not None:
                        found[f"{job} / {mode} / {size} / {other}"] = value
    for job, ours, other in _TYPED:
        value = results.times(job, "typed", "570 bytes", other, ours)
        if value is not None:
            found[f"{job} / {ours} / {other}"] = value
    return found


def compare(expected: Mapping[str, Any], measured: Mapping[str, float]) -> list[Line]:
    """Expected and measured ratios side by side.

    :param expected: the output of `store`: ``tolerance``, and ``ratios`` by name.
    """
    tolerance = float(expected["tolerance"])
    return [
        Line(name, float(value), measured.get(name), tolerance)
        for name, value in expected["ratios"].items()
    ]


def text(lines: list[Line]) -> str:
    """The report: the changes, then the number of unchanged ratios."""
    rows = [
        [
            line.name,
            f"{line.expected:.2f}",
            "-" if line.measured is None else f"{line.measured:.2f}",
            line.verdict,
        ]
        for line in lines
        if line.verdict != "as expected"
    ]
    same = len(lines) - len(rows)
    summary = f"{same} of {len(lines)} ratios are as expected"
    if lines:
        summary += f", within {lines[0].tolerance:.0%}"
    if not rows:
        return summary
    return rst_table(["ratio", "expected", "measured", ""], rows) + "\n" + summary


def store(results: Results, file: Path) -> None:
    """Stores the ratios of a result file as the expected ones."""
    versions = {k: v for k, v in sorted(results.machine.items()) if k.startswith("version_")}
    content = {
        "about": "how many times as long as ours a contender takes; see guard.py",
        "machine": results.machine.get("cpu_model_name", "unknown"),
        "python": results.machine.get("python_version", "unknown"),
        "versions": versions,
        "tolerance": TOLERANCE,
        "ratios": {name: round(value, 2) for name, value in ratios(results).items()},
    }
    file.write_text(json.dumps(content, indent=1) + "\n")


def _measure() -> Results:
    suite = Path(__file__).with_name("suite.py")
    with tempfile.TemporaryDirectory(prefix="autobahn-fbs-guard-") as folder:
        file = Path(folder, "results.json")
        command = [sys.executable, str(suite), "-o", str(file), "--processes", "1"]
        command += [
            "--rounds",
            "9",
            "--seconds",
            "0.001",
            "--part",
            "normal",
            "transparent",
            "typed",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return load(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path, help="a result file of suite.py")
    parser.add_argument("--store", action="store_true", help="expect these ratios from now on")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if anything is slower")
    options = parser.parse_args()
    if options.store and options.results is None:
        parser.error("--store takes its ratios from a result file")
    results = load(options.results) if options.results else _measure()
    if options.store:
        store(results, EXPECTED)
        print(EXPECTED)
        return 0
    lines = compare(json.loads(EXPECTED.read_text()), ratios(results))
    print(text(lines))
    return int(options.strict and any(line.verdict == "SLOWER" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
