#!/usr/bin/env python3
"""Events a second from one session to another, through a real Crossbar.io router on loopback.

    python benchmarks/router.py [--seconds 1] [--rounds 5] [--size small large] [-o FILE]

The router runs with the drop-in in its processes, as ``python -m autobahn_fbs run`` starts it. One
client process holds a publisher and a subscriber for each serializer, over RawSocket; they take
turns, each publishing without acknowledgement, with at most WINDOW events on their way, for a part
of a second. Counted is what the subscriber's handler was called with, and what processor time that
took, in the router's worker and in the client: both belong to every event.

Where the client's time goes is a profile (cProfile) of a run of its own, which is slower: it is
there for the shares. The serializer's share of the router is an estimate: what unserializing the
PUBLISH and serializing the EVENT takes in a loop, beside the worker's processor time for an event.

Autobahn's own flatbuffers has a client process of its own, without the drop-in, where it works.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import autobahn.asyncio.wamp  # noqa: F401 - Autobahn wants asyncio or Twisted chosen first

import autobahn_fbs
from autobahn_fbs._bench.messages import PAYLOADS

SERIALIZERS = ("flatbuffers", "msgpack", "cbor", "json")
UPSTREAM = "flatbuffers of Autobahn"
TOPIC = "com.example.weather"
WINDOW = 200


@dataclass
class Outcome:
    """Medians of the rounds: events a second, and microseconds of processor time an event."""

    serializer: str
    size: str
    rate: float
    router: float
    client: float


def _cpu_seconds(pids: list[int]) -> float:
    """Processor time that processes have used so far (Linux; 0 elsewhere)."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:  # the thread has ended
                continue
    return total / 1e9


class Line:
    """A publisher and a subscriber that share a topic and a serializer."""

    def __init__(self, name: str, publisher: Any, subscriber: Any) -> None:
        self.name = name
        self._publisher = publisher
        self._subscriber = subscriber
        self._received = 0
        self._sent = 0
        self._more = asyncio.Event()

    def _on_event(self, *args: Any, **kwargs: Any) -> None:
        self._received += 1
        if self._sent - self._received < WINDOW // 2:
            self._more.set()

    async def open(self) -> None:
        """Subscribes."""
        await self._subscriber.subscribe(self._on_event, f"{TOPIC}.{self.name.replace(' ', '_')}")

    async def run(self, size: str, seconds: float) -> int:
        """Publishes for a while and waits for the rest; returns the number of events."""
        args, kwargs = PAYLOADS[size]
        topic = f"{TOPIC}.{self.name.replace(' ', '_')}"
        publish: Callable[..., Any] = self._publisher.publish
        first = self._received
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            while self._sent - self._received < WINDOW:
                publish(topic, *(args or ()), **(kwargs or {}))
                self._sent += 1
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 10)
        deadline = time.monotonic() + 10
        while self._received < self._sent:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {self._sent - self._received} events were lost")
            await asyncio.sleep(0.0005)
        return self._received - first

    async def close(self) -> None:
        await self._publisher.part()
        await self._subscriber.part()


async def _open(port: int, serializer: str, name: str) -> Line:
    from autobahn_fbs._demo.config import REALM
    from autobahn_fbs._demo.sessions import Door, join

    door = Door("rawsocket", port)
    peers = [await join(door, serializer, "anonymous", {}, REALM) for _ in range(2)]
    line = Line(name, *peers)
    await line.open()
    return line


async def measure(
    lines: list[Line], workers: list[int], sizes: list[str], rounds: int, seconds: float
) -> list[Outcome]:
    """Lets the lines take turns."""
    outcomes = []
    for size in sizes:
        found: dict[str, list[tuple[float, float, float]]] = {line.name: [] for line in lines}
        for line in lines:
            await line.run(size, seconds / 5)  # to warm up
        for _ in range(rounds):
            for line in lines:
                router, client, start = (
                    _cpu_seconds(workers),
                    time.process_time(),
                    time.perf_counter(),
                )
                count = await line.run(size, seconds)
                spent = time.perf_counter() - start
                client = (time.process_time() - client) / count * 1e6
                router = (_cpu_seconds(workers) - router) / count * 1e6
                found[line.name].append((count / spent, router, client))
        for name, values in found.items():
            rate, router, client = (median(column) for column in zip(*values, strict=True))
            outcomes.append(Outcome(name, size, rate, router, client))
    return outcomes


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Where the time went, in parts of 1: by the module that the time was spent in.

    What a built-in function took (`isinstance`, `append`) is its callers'.
    """
    parts: dict[str, float] = {}

    def add(part: str, seconds: float) -> None:
        parts[part] = parts.get(part, 0.0) + seconds

    stats: Any = pstats.Stats(profile)
    for (file, _, function), (_, _, own, _, callers) in stats.stats.items():
        part = _part(file, function)
        if file == "~" and part == "other" and callers:
            for (caller, _, name), (_, _, seconds, _) in callers.items():
                add(_part(caller, name), seconds)
        else:
            add(part, own)
    total = sum(parts.values())
    return {name: own / total for name, own in sorted(parts.items(), key=lambda each: -each[1])}


# What a built-in function's name gives away.
_CODECS = ("Serializer", "cbor2", "msgpack", "ujson", "Unpacker", "Packer", "json")


def _part(file: str, function: str) -> str:
    if "select" in function or "epoll" in function:
        return "waiting"
    if "socket" in function and file == "~":
        return "socket"
    if file == "~" and any(name in function for name in _CODECS):
        return "serializer"
    for ending, part in (
        ("wamp/serializer.py", "serializer"),
        ("autobahn_fbs/_serializer.py", "serializer"),
        ("wamp/message.py", "message"),
        ("wamp/protocol.py", "session"),
        ("_demo/sessions.py", "session"),
        ("benchmarks/router.py", "session"),
        ("asyncio/rawsocket.py", "transport"),
        ("autobahn/rawsocket/util.py", "transport"),
        ("autobahn/util.py", "log texts"),  # made of every message, whether they are logged or not
    ):
        if file.endswith(ending):
            return part
    if "/click/" in file:
        return "log texts"
    if "/txaio/" in file:
        return "asyncio"
    if "/cbor2/" in file or "/msgpack/" in file or "/json/" in file:
        return "serializer"
    return "asyncio" if "asyncio" in file else "other"


async def _profiled(lines: list[Line], size: str, seconds: float) -> dict[str, dict[str, float]]:
    found = {}
    for line in lines:
        profile = cProfile.Profile()
        profile.enable()
        try:
            await line.run(size, seconds)
        finally:
            profile.disable()
        found[line.name] = shares(profile)
        found[line.name].pop("waiting", None)
    return found


def serializer_microseconds(name: str, size: str) -> float:
    """What the router has to do for one event: a PUBLISH in, an EVENT with its payload out."""
    from autobahn.wamp import message
    from autobahn.wamp.serializer import create_transport_serializer

    from autobahn_fbs._bench.races import no_collections

    classes: Any = message
    serializer = create_transport_serializer(name)
    args, kwargs = PAYLOADS[size]
    data, binary = serializer.serialize(classes.Publish(1, TOPIC, args=args, kwargs=kwargs))
    times = []
    with no_collections():
        for _ in range(50):
            spent = 0.0
            for _ in range(30):
                start = time.perf_counter()
                (msg,) = serializer.unserialize(data, binary)
                args, kwargs = msg.args, msg.kwargs
                spent += time.perf_counter() - start
                event = classes.Event(1, 2, args=args, kwargs=kwargs, topic=TOPIC)
                start = time.perf_counter()
                serializer.serialize(event)
                spent += time.perf_counter() - start
            times.append(spent / 30)
    return min(times) * 1e6


def _upstream(options: argparse.Namespace, port: int) -> tuple[list[Outcome], str]:
    """Autobahn's own flatbuffers in a process without the drop-in; outcomes, or why none."""
    command = [sys.executable, __file__, "--upstream", str(port), "--rounds", str(options.rounds)]
    command += ["--seconds", str(options.seconds), "--size", *options.size]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return [], "no end in two minutes"
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [], reason
    return [Outcome(**each) for each in json.loads(lines[-1])], ""


async def _client(port: int, names: list[str], options: argparse.Namespace) -> list[Outcome]:
    lines = [await _open(port, "flatbuffers", name) for name in names]
    outcomes = await measure(lines, [], options.size, options.rounds, options.seconds)
    for line in lines:
        await line.close()
    return outcomes


async def _all(
    port: int, workers: list[int], options: argparse.Namespace
) -> tuple[list[Outcome], dict[str, dict[str, float]]]:
    lines = [await _open(port, serializer, serializer) for serializer in SERIALIZERS]
    outcomes = await measure(lines, workers, options.size, options.rounds, options.seconds)
    profiles = await _profiled(lines, options.size[0], options.seconds)
    for line in lines:
        await line.close()
    return outcomes, profiles


def _print(outcomes: list[Outcome], profiles: dict[str, dict[str, float]]) -> None:
    head = f"{'':24}{'events/s':>10}{'router µs':>11}{'client µs':>11}{'serializer µs':>15}"
    for size in dict.fromkeys(outcome.size for outcome in outcomes):
        print(f"\n{size} payload\n{head}")
        for outcome in outcomes:
            if outcome.size != size:
                continue
            row = f"{outcome.serializer:24}{outcome.rate:>10,.0f}"
            if outcome.router:
                row += f"{outcome.router:>11.1f}{outcome.client:>11.1f}"
                spent = serializer_microseconds(outcome.serializer, size)
                row += f"{spent:>9.1f} {spent / outcome.router:>5.0%}"
            print(row)
    print(
        "\nrouter, client: processor time an event; serializer: the router's two calls, its share"
    )
    print("\nthe client's time (profiled, so for the shares only; waiting left out)")
    for name, parts in profiles.items():
        total = sum(parts.values())
        print(f"  {name:12}", "  ".join(f"{part} {own / total:.0%}" for part, own in parts.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", nargs="+", choices=list(PAYLOADS), default=["small", "large"])
    parser.add_argument("-o", "--output", type=Path, help="write what was measured there, as JSON")
    parser.add_argument("--upstream", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        outcomes = asyncio.run(_client(options.upstream, [UPSTREAM], options))
        print(json.dumps([asdict(outcome) for outcome in outcomes]))
        return 0

    autobahn_fbs.install()
    from autobahn_fbs._demo.config import make_site
    from autobahn_fbs._demo.router import Router, RouterFailed, installed_version

    version = installed_version()
    if version is None:
        print("Crossbar.io is not installed for this Python", file=sys.stderr)
        return 1
    try:
        with Router(make_site().auth) as router:
            workers = router.processes()[1:]
            outcomes, profiles = asyncio.run(_all(router.rawsocket, workers, options))
            theirs, reason = _upstream(options, router.rawsocket)
    except RouterFailed as error:
        print(f"{error}\n{error.log}", file=sys.stderr)
        return 1
    print(f"Crossbar.io {version}, Python {sys.version.split()[0]}, one publisher, one subscriber")
    _print([*outcomes, *theirs], profiles)
    if reason:
        print(f"\n{UPSTREAM}: does not work here: {reason}")
    if options.output:
        found = {
            "crossbar": version,
            "outcomes": [asdict(each) for each in [*outcomes, *theirs]],
            "client": profiles,
            "upstream": reason or "works",
        }
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
