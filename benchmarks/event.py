#!/usr/bin/env python3
"""How long a small EVENT takes: this package beside Autobahn's flatbuffers and msgpack.

    python benchmarks/event.py [--rounds N] [--require FACTOR]

Each serializer writes the same message and reads its own bytes; before anything is timed, every
one is checked to give the message back. Rounds are interleaved and the best one counts, so what
else the machine does disturbs all of them alike. The numbers are those of one process in a loop,
not of a router under load, and those of this machine; the ratios travel better.
"""

from __future__ import annotations

import argparse
import gc
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from time import perf_counter
from typing import Any

import txaio

txaio.use_asyncio()  # Autobahn's serializers take their clock from it

from autobahn.wamp.message import Event  # noqa: E402
from autobahn.wamp.serializer import (  # noqa: E402
    FlatBuffersSerializer as AutobahnFlatBuffersSerializer,
)
from autobahn.wamp.serializer import MsgPackSerializer  # noqa: E402

import autobahn_fbs  # noqa: E402

CONTENT: dict[str, Any] = {
    "subscription": 5735816,
    "publication": 7340032143,
    "args": [21.5, "celsius"],
    "kwargs": {"sensor": 7},
    "publisher": 815,
    "topic": "com.example.weather.temperature",
}
COUNT = 500  # messages a round

# What to do before each round, and what to measure.
Job = tuple[Callable[[], None], Callable[[], None]]


def new_event() -> Any:
    return Event(**CONTENT)


def check(name: str, serializer: Any) -> int:
    """The size of the message, which is shown to come back as it was."""
    data, _ = serializer.serialize(new_event())
    (back,) = serializer.unserialize(data, True)
    for attribute, value in CONTENT.items():
        if getattr(back, attribute) != value:
            sys.exit(f"{name}: {attribute} came back as {getattr(back, attribute)!r}")
    return len(data)


def nothing() -> None:
    pass


def serialize(serializer: Any) -> Job:
    messages = [new_event() for _ in range(COUNT)]

    def prepare() -> None:  # a message keeps the bytes it became
        for message in messages:
            message.uncache()

    def work() -> None:
        call = serializer.serialize
        for message in messages:
            call(message)

    return prepare, work


def unserialize(serializer: Any) -> Job:
    data, _ = serializer.serialize(new_event())

    def work() -> None:
        call = serializer.unserialize
        for _ in range(COUNT):
            call(data, True)

    return nothing, work


def unserialize_and_read(serializer: Any) -> Job:
    data, _ = serializer.serialize(new_event())

    def work() -> None:
        call = serializer.unserialize
        for _ in range(COUNT):
            message = call(data, True)[0]
            message.args, message.kwargs, message.topic  # noqa: B018 - decoded when they are read

    return nothing, work


JOBS = {
    "serialize": serialize,
    "unserialize": unserialize,
    "unserialize, read args, kwargs, topic": unserialize_and_read,
}


def best_times(jobs: dict[str, Job], rounds: int) -> dict[str, float]:
    """Nanoseconds a message, by name: each one's best of all rounds."""
    best = dict.fromkeys(jobs, float("inf"))
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, (prepare, work) in jobs.items():
                prepare()
                start = perf_counter()
                work()
                best[name] = min(best[name], (perf_counter() - start) / COUNT * 1e9)
    finally:
        gc.enable()
    return best


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
    serializers: dict[str, Any] = {
        "autobahn_fbs": autobahn_fbs.FlatBuffersSerializer(),
        "Autobahn flatbuffers": AutobahnFlatBuffersSerializer(),
        "Autobahn msgpack": MsgPackSerializer(),
    }
    ours, theirs, _ = serializers
    sizes = {name: check(name, serializer) for name, serializer in serializers.items()}
    print(
        f"autobahn_fbs {autobahn_fbs.__version__} ({autobahn_fbs.backend}), "
        f"autobahn {version('autobahn')}, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.machine()}"
    )
    print("A small EVENT: " + ", ".join(f"{size} bytes in {n}" for n, size in sizes.items()))
    print()
    print(f"{'nanoseconds a message':38}" + "".join(f"{name:>28}" for name in serializers))
    slowest = float("inf")
    for job, make in JOBS.items():
        times = best_times({n: make(s) for n, s in serializers.items()}, options.rounds)
        cells = [f"{times[ours]:>28.0f}"]
        cells += [f"{t:>14.0f} ({t / times[ours]:6.1f} x)" for n, t in times.items() if n != ours]
        print(f"{job:38}" + "".join(f"{cell:>28}" for cell in cells))
        if job in ("serialize", "unserialize"):
            slowest = min(slowest, times[theirs] / times[ours])
    print()
    print(f"serialize and unserialize: at least {slowest:.1f} times as fast as {theirs}")
    return 1 if slowest < options.require else 0


if __name__ == "__main__":
    sys.exit(main())
