#!/usr/bin/env python3
"""EVENT and CALL in rotation, as a JIT compiler meets them in practice: for PyPy, compared with
CPython.

    python benchmarks/rotate.py [--repeat N] [--only Event small ...]

64 messages with different IDs, URIs, optional attributes and payloads take turns, because PyPy's
compiler would optimize a constant message away. Each contender is measured in a process of its own,
so that code compiled for another doesn't affect it, after half a second of warm-up. The best of N
rounds counts, in nanoseconds per message. "cold" means the first 100 messages of a new process.

The jobs: ``new + serialize`` creates a message and serializes it; ``serialize`` uses existing
messages, with nothing cached; ``unserialize``; ``+ envelope`` also reads all attributes except args
and kwargs; ``+ payload`` reads these two instead; ``+ all`` reads everything.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

CONTENDERS = ("ours", "flatbuffers", "msgpack", "cbor")
TYPES = ("Event", "Call")
SIZES = ("empty", "small", "medium", "large")
COUNT = 64
WARM_UP = 0.5  # seconds

#: Row, size, the other contender, and our target as a multiple of its speed.
TARGETS = (
    ("new + serialize", "empty", "flatbuffers", 9.0),
    ("serialize", "empty", "flatbuffers", 9.0),
    ("+ envelope", "empty", "flatbuffers", 4.0),
    ("new + serialize", "small", "msgpack", 1.0),
    ("serialize", "small", "msgpack", 1.0),
    ("+ payload", "small", "msgpack", 2.0),
    ("+ payload", "small", "flatbuffers", 1.0),
    *(
        (row, size, "cbor", 1.0)
        for size in ("medium", "large")
        for row in ("new + serialize", "serialize", "unserialize", "+ envelope", "+ payload")
    ),
    ("cold serialize", "empty", "flatbuffers", 5.0),
    ("cold + envelope", "empty", "flatbuffers", 5.0),
)


def _reading(number: int) -> dict[str, Any]:
    return {
        "id": 40_000 + number,
        "place": f"station {number}",
        "celsius": 20.5 + number,
        "tags": ["roof", "west", None],
        "ok": number % 2 == 0,
    }


def payload(size: str, i: int) -> dict[str, Any]:
    """Args and kwargs of a size for the i-th message."""
    if size == "empty":
        return {}
    if size == "small":
        kwargs: dict[str, Any] = {"sensor": i, "station": f"station {i}"}
        return {"args": [21.5 + i, "celsius", 4711 + i], "kwargs": kwargs}
    if size == "medium":
        text = f"a sentence of about {i:02} characters."
        args: list[Any] = [i, 2.5 * i, text, list(range(i, 2000, 250)), True]
        return {"args": args, "kwargs": {f"reading{n}": _reading(n + i) for n in range(4)}}
    return {
        "args": [_reading(n + i) for n in range(40)],
        "kwargs": {f"station{n}": 1_000 * n + i for n in range(32)},
    }


def arguments(kind: str, size: str, i: int) -> dict[str, Any]:
    """The constructor's arguments for the i-th message."""
    found: dict[str, Any] = payload(size, i)
    if kind == "Event":
        found["subscription"] = 5_735_816 + 977 * i
        found["publication"] = 7_340_032_143_918_221 - 31 * i
        found["topic"] = f"com.example.weather.station{i}"
        found["publisher"] = 5_912_350_218_374_113 + i
        optional = {"publisher_authid": f"user{i}", "publisher_authrole": "member"}
    else:
        found["request"] = 4711 + i
        found["procedure"] = f"com.example.divide.unit{i}"
        found["timeout"] = 1000 + i
        optional = {"caller_authid": f"user{i}", "caller_authrole": "member"}
        found["caller"] = 5_912_350_218_374_113 + i
    if i % 2:
        found.update(optional)
    if i % 4 == 3:
        found["retained" if kind == "Event" else "receive_progress"] = True
    return found


def serializer_of(name: str) -> Any:
    """A transport's serializer."""
    import txaio

    txaio.use_asyncio()
    if name == "ours":
        import autobahn_fbs

        return autobahn_fbs.FlatBuffersSerializer()
    from autobahn.wamp import serializer

    makers: dict[str, Any] = serializer.SERID_TO_SER
    return makers[name]()


class Work:
    """The jobs of one contender with the messages of one type and size."""

    def __init__(self, name: str, kind: str, size: str) -> None:
        from autobahn.wamp import message

        self.cls = getattr(message, kind)
        self.serializer = serializer_of(name)
        self.arguments = [arguments(kind, size, i) for i in range(COUNT)]
        self.fresh = [self.cls(**each) for each in self.arguments]
        self.wires = [self.serializer.serialize(m)[0] for m in self.fresh]
        names = [
            n
            for n in self.cls.__init__.__code__.co_varnames
            if isinstance(getattr(self.cls, n, None), property)
        ]
        envelope = [n for n in names if n not in ("args", "kwargs")]
        self.read_envelope = _reader(envelope)
        self.read_payload = _reader(["args", "kwargs"])
        self.read_all = _reader(names)

    def forget(self) -> None:
        """New messages for `serialize`: nothing is cached."""
        for m in self.fresh:
            m._serialized = {}

    def new_and_serialize(self) -> None:
        serialize, cls = self.serializer.serialize, self.cls
        for each in self.arguments:
            serialize(cls(**each))

    def serialize(self) -> None:
        serialize = self.serializer.serialize
        for m in self.fresh:
            serialize(m)

    def unserialize(self, read: Callable[[Any], Any] | None = None) -> None:
        unserialize = self.serializer.unserialize
        if read is None:
            for wire in self.wires:
                unserialize(wire)
        else:
            for wire in self.wires:
                read(unserialize(wire)[0])

    def jobs(self) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
        """The timed work, and the untimed work before it."""
        return {
            "new + serialize": (self.new_and_serialize, _nothing),
            "serialize": (self.serialize, self.forget),
            "unserialize": (self.unserialize, _nothing),
            "+ envelope": (lambda: self.unserialize(self.read_envelope), _nothing),
            "+ payload": (lambda: self.unserialize(self.read_payload), _nothing),
            "+ all": (lambda: self.unserialize(self.read_all), _nothing),
        }


def _nothing() -> None:
    pass


def _reader(names: list[str]) -> Callable[[Any], Any]:
    """A function that reads attributes one after the other, like an application."""
    lines = "\n".join(f"    m.{name}" for name in names)
    namespace: dict[str, Any] = {}
    exec(f"def read(m):\n{lines}\n", namespace)
    read: Callable[[Any], Any] = namespace["read"]
    return read


def warm(work: Work, job: str, rounds: int) -> float:
    """The best time per message in a job, in nanoseconds."""
    run, prepare = work.jobs()[job]
    best = float("inf")
    end = time.perf_counter() + WARM_UP
    while time.perf_counter() < end:
        prepare()
        run()
    for _ in range(rounds):
        spent, count, end = 0, 0, time.perf_counter() + 0.05
        while time.perf_counter() < end:
            prepare()
            start = time.perf_counter_ns()
            run()
            spent += time.perf_counter_ns() - start
            count += COUNT
        best = min(best, spent / count)
    return best


def cold(name: str, kind: str, size: str, job: str) -> float:
    """The mean time of the first 100 messages, in nanoseconds."""
    from autobahn.wamp import message

    serializer = serializer_of(name)
    cls = getattr(message, kind)
    if job == "cold serialize":
        fresh = [cls(**arguments(kind, size, i)) for i in range(100)]
        start = time.perf_counter_ns()
        for m in fresh:
            serializer.serialize(m)
        return (time.perf_counter_ns() - start) / 100
    wires = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    names = [
        n for n in cls.__init__.__code__.co_varnames if isinstance(getattr(cls, n, None), property)
    ]
    read = _reader([n for n in names if n not in ("args", "kwargs")])
    start = time.perf_counter_ns()
    for wire in wires:
        read(serializer.unserialize(wire)[0])
    return (time.perf_counter_ns() - start) / 100


def child(options: argparse.Namespace) -> None:
    """Measures one contender and prints JSON."""
    name, kind, size, job = options.child
    gc.collect()
    if job == "wires":
        serializer = serializer_of(name)
        from autobahn.wamp import message

        cls = getattr(message, kind)
        for i in range(100):
            print(serializer.serialize(cls(**arguments(kind, size, i)))[0].hex())
    elif job.startswith("cold"):
        print(cold(name, kind, size, job))
    else:
        work = Work(name, kind, size)
        print(json.dumps({job: warm(work, job, options.repeat) for job in work.jobs()}))


def run(options: argparse.Namespace, *what: str, stdin: str = "") -> str:
    command = [sys.executable, __file__, "--repeat", str(options.repeat), "--child", *what]
    ran = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{' '.join(what)}:\n{ran.stderr}")
    return ran.stdout


def measure(options: argparse.Namespace, kind: str, size: str) -> dict[str, dict[str, float]]:
    """All times, by contender and job."""
    found: dict[str, dict[str, float]] = {}
    for name in CONTENDERS:
        found[name] = json.loads(run(options, name, kind, size, "warm"))
        if size == "empty":
            wires = run(options, name, kind, size, "wires")
            for job in ("cold serialize", "cold + envelope"):
                times = [float(run(options, name, kind, size, job, stdin=wires)) for _ in range(5)]
                found[name][job] = min(times)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15, help="rounds")
    parser.add_argument("--only", nargs="+", default=[], help="types and sizes")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return 0
    print(f"{platform.python_implementation()} {platform.python_version()}, ns a message")
    missed = 0
    for kind in TYPES:
        for size in SIZES:
            if options.only and not {kind, size} & set(options.only):
                continue
            found = measure(options, kind, size)
            print(f"\n{kind} {size:25}" + "".join(f"{name:>22}" for name in found))
            for job, ours in found["ours"].items():
                line = f"{job:30}"
                for name, times in found.items():
                    ratio = "" if name == "ours" else f"{times[job] / ours:5.1f} x"
                    line += f"{times[job]:>14,.0f} {ratio:>7}"
                for row, of, name, factor in TARGETS:
                    if row == job and of == size:
                        met = found[name][job] / ours >= factor
                        missed += not met
                        line += f"  {'met' if met else 'MISSED'}: {factor:g} x {name}"
                print(line, flush=True)
    print(f"\n{missed} targets missed" if missed else "\nall targets met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
