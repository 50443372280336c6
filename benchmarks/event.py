#!/usr/bin/env python3
"""The time of a small EVENT: this package compared with Autobahn's flatbuffers and msgpack.

    python benchmarks/event.py [--rounds N] [--require FACTOR]

Each serializer writes the same message and reads its own bytes. Before anything is timed, each
round trip is checked. Rounds are interleaved and the best one counts, so other work on the machine
affects all serializers equally. The numbers are those of a loop in one process, not of a router
under load, and of this machine; ratios are more portable. For all messages and payload sizes, see
``suite.py``.
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version
from typing import Any

import autobahn_fbs
from autobahn_fbs._bench.contenders import MSGPACK, OURS, UPSTREAM, prepare
from autobahn_fbs._bench.jobs import JOBS
from autobahn_fbs._bench.messages import Scenario
from autobahn_fbs._bench.races import Race, hold

CONTENT: dict[str, Any] = {
    "subscription": 5735816,
    "publication": 7340032143,
    "args": [21.5, "celsius"],
    "kwargs": {"sensor": 7},
    "publisher": 815,
    "topic": "com.example.weather.temperature",
}
SECONDS = 0.001  # seconds per round


def new_event() -> Any:
    from autobahn.wamp import message

    classes: Any = message
    return classes.Event(**CONTENT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--require",
        type=float,
        default=0.0,
        metavar="FACTOR",
        help="exit with status 1 if serialize or unserialize is not that many times faster "
        "than Autobahn's flatbuffers",
    )
    options = parser.parse_args()
    scenario = Scenario("Event", "small", "normal", new_event)
    found = prepare(scenario, (OURS, UPSTREAM, MSGPACK))
    for each in found:
        if each.lost:
            sys.exit(f"{each.name}: {', '.join(each.lost)} came back different")
    print(
        f"autobahn_fbs {autobahn_fbs.__version__} ({autobahn_fbs.backend}), "
        f"autobahn {version('autobahn')}, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.machine()}"
    )
    print("A small EVENT: " + ", ".join(f"{len(each.data)} bytes in {each.name}" for each in found))
    print()
    print(f"{'nanoseconds a message':38}" + "".join(f"{each.name:>28}" for each in found))
    slowest = float("inf")
    for job in ("serialize", "unserialize", "unserialize + payload"):
        runs = {each.name: JOBS[job](each, scenario) for each in found}
        race = Race(job, {name: run for name, run in runs.items() if run is not None})
        hold(race, options.rounds, SECONDS)
        best = {name: min(values) * 1e9 for name, values in race.values.items()}
        cells = [f"{best[OURS]:>28.0f}"]
        cells += [f"{t:>14.0f} ({t / best[OURS]:6.1f} x)" for n, t in best.items() if n != OURS]
        print(f"{job:38}" + "".join(f"{cell:>28}" for cell in cells))
        if job in ("serialize", "unserialize"):
            slowest = min(slowest, best[UPSTREAM] / best[OURS])
    print()
    print(f"serialize and unserialize: at least {slowest:.1f} times as fast as {UPSTREAM}")
    return 1 if slowest < options.require else 0


if __name__ == "__main__":
    sys.exit(main())
