#!/usr/bin/env python3
"""The benchmark suite: every message, size and mode, all contenders; results for pyperf.

    python benchmarks/suite.py -o results.json [--processes 5] [--rounds 9] [--part normal ...]

pyperf measures one benchmark after the other, each in processes of its own, so other work on the
machine affects only one contender. Here, each worker process runs all races, in which the
contenders take turns every few milliseconds. Its results are stored as one pyperf run of each
benchmark, so that pyperf's own tools (``python -m pyperf show``, ``stats``, ``compare_to``) can
read the file.

A benchmark's name is "job / mode / size / message / contender". Each value is the time of one
message, in seconds. Nothing is subtracted from it; ``autobahn_fbs/_bench/jobs.py`` describes the
untimed work. Python's cyclic garbage collector is off, as with timeit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyperf  # type: ignore[import-untyped]

import memory
from autobahn_fbs import __version__
from autobahn_fbs._bench.races import hold
from autobahn_fbs._bench.short import versions
from plan import PARTS, plan

#: Facts that pyperf collects and that should not be published.
_PRIVATE = {
    "hostname",
    "python_executable",
    "python_config_args",
    "command",
    "command_max_rss",
    "boot_time",
    "uptime",
    "runnable_threads",
}

SEPARATOR = " / "


def _machine() -> dict[str, Any]:
    """pyperf's facts about the machine and Python, and the versions of the measured packages."""
    collected = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    found = {key: value for key, value in collected.items() if key not in _PRIVATE}
    found.pop("date", None)
    found.update({f"version_{name}": number for name, number in versions().items()})
    found["version_autobahn_fbs"] = __version__
    return found


def work(options: argparse.Namespace) -> None:
    """A worker: runs all races, and writes its measurements as JSON."""
    planned = list(plan(tuple(options.part)))
    results: dict[str, Any] = {"machine": _machine(), "benchmarks": []}
    start = time.monotonic()
    for index, each in enumerate(planned):
        race, facts = each.make()
        hold(race, options.rounds, options.seconds)
        for lane, values in race.values.items():
            name = SEPARATOR.join((each.job, each.mode, each.size, each.type, lane))
            known = {k: v for k, v in facts.get(lane, {}).items() if v != ""}
            results["benchmarks"].append({"name": name, "values": values, "facts": known})
        if sys.stderr.isatty() or index % 50 == 49:
            left = (time.monotonic() - start) / (index + 1) * (len(planned) - index - 1)
            text = f"{index + 1} of {len(planned)} races, {left:.0f} s left"
            print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, end="", file=sys.stderr)
            print("" if sys.stderr.isatty() else "\n", end="", file=sys.stderr, flush=True)
    if options.memory:
        results["memory"] = memory.measure()
    Path(options.worker).write_text(json.dumps(results))


def merge(workers: list[dict[str, Any]]) -> pyperf.BenchmarkSuite:
    """The measurements of all workers: one run of each benchmark from each."""
    runs: dict[str, list[Any]] = {}
    for worker in workers:
        shared = dict(worker["machine"])
        if "memory" in worker:
            shared["memory"] = json.dumps(worker["memory"])
        for found in worker["benchmarks"]:
            metadata = {**shared, **found["facts"], "name": found["name"], "unit": "second"}
            run = pyperf.Run(found["values"], metadata=metadata, collect_metadata=False)
            runs.setdefault(found["name"], []).append(run)
            shared.pop("memory", None)  # once is enough
    return pyperf.BenchmarkSuite([pyperf.Benchmark(each) for each in runs.values()])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", default="results.json", help="the result file")
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=9, help="values in each process")
    parser.add_argument("--seconds", type=float, default=0.002, help="the time of one value")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return 0
    found = []
    with tempfile.TemporaryDirectory(prefix="autobahn-fbs-bench-") as folder:
        for number in range(options.processes):
            print(f"process {number + 1} of {options.processes}", file=sys.stderr, flush=True)
            file = Path(folder, f"{number}.json")
            command = [sys.executable, __file__, *sys.argv[1:], "--worker", str(file)]
            command += ["--memory"] if number == 0 else []
            if subprocess.run(command).returncode:
                return 1
            found.append(json.loads(file.read_text()))
            print(file=sys.stderr)
    merge(found).dump(options.output, replace=True)
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
