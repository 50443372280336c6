#!/usr/bin/env python3
"""A real router under hundreds of good and bad sessions at the same time.

    python benchmarks/load.py [--good 200] [--bad 100] [--seconds 30] [--rounds 1] [--accelerate]

The router is Crossbar.io with the drop-in in its processes, started by
``python -m autobahn_fbs run``. Good sessions, over WebSocket (plain and batched) and RawSocket,
each publish numbered events to a neighbour and call a procedure of it. Everything that arrives is
compared with what was sent, including the order. Meanwhile, bad peers come and go (hostile.py):
with malformed, truncated and oversize messages, incomplete frames, payloads that can't be decoded,
messages out of place, and noise. The router must drop each with the right code, and good sessions
must not be affected.

Memory is that of all processes of the router after all sessions have left: after a warm-up round
with the same sessions, and after each measured one. Exits with status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import autobahn.asyncio.wamp  # noqa: F401 - asyncio or Twisted must be chosen before Autobahn

import autobahn_fbs
from autobahn_fbs._demo.config import REALM, make_site
from autobahn_fbs._demo.router import Router
from autobahn_fbs._demo.sessions import Door, Peer, join
from hostile import LARGEST, Record, misbehave

WAYS = [
    ("websocket", "flatbuffers"),
    ("rawsocket", "flatbuffers"),
    ("websocket", "flatbuffers.batched"),
]
WINDOW = 8  # maximum number of events of one session in flight
SIZES = (0, 10, 100, 1000, 3000, 20_000)  # length of the text in an event

# Memory that the router may keep after the last round, because allocators don't return every page.
KEPT_SHARE, KEPT_BYTES = 0.10, 12 << 20


def content(owner: int, number: int) -> tuple[int, int, str, dict[str, Any]]:
    """The arguments of the event `number` of a session."""
    size = SIZES[(owner * 7 + number * 5) % len(SIZES)]
    return owner, number, chr(97 + number % 26) * size, {"half": number / 2, "list": [number] * 3}


class Good:
    """A session that talks with its neighbour and counts messages."""

    def __init__(self, index: int, peer: Peer) -> None:
        self.index = index
        self.peer = peer
        self.neighbour = self
        self.sent = self.received = self.calls = 0
        self.failures: list[str] = []

    def _on_event(self, *args: Any) -> None:
        expected = content(self.neighbour_before.index, self.received)
        if args != expected:
            self.failures.append(f"{self.index}: event {args[:2]} instead of {expected[:2]}")
        self.received += 1

    async def begin(self, before: Good, after: Good) -> None:
        """Subscribes to the previous session, and will talk to the next one."""
        self.neighbour_before, self.neighbour = before, after
        await self.peer.subscribe(self._on_event, f"com.example.load.{self.index}")
        await self.peer.register(lambda *args: list(args), f"com.example.echo.{self.index}")

    async def talk(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                while self.sent - self.neighbour.received < WINDOW:
                    topic = f"com.example.load.{self.neighbour.index}"
                    self.peer.publish(topic, *content(self.index, self.sent))
                    self.sent += 1
                sent = content(self.index, self.calls)
                answer = await self.peer.call(f"com.example.echo.{self.neighbour.index}", *sent)
                if tuple(answer) != sent:
                    self.failures.append(f"{self.index}: call {self.calls} got another answer")
                self.calls += 1
        except Exception as error:
            self.failures.append(f"{self.index}: {type(error).__name__}: {error}")

    async def end(self) -> None:
        """Waits for the last events, and leaves."""
        deadline = time.monotonic() + 30
        while self.received < self.neighbour_before.sent and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if self.received != self.neighbour_before.sent:
            lost = self.neighbour_before.sent - self.received
            self.failures.append(f"{self.index}: {lost} events of the last have not arrived")
        if not self.peer.is_attached():
            self.failures.append(f"{self.index}: was dropped by the router")
        await self.peer.part()


async def play(router: Router, good: int, bad: int, seconds: float, seed: int) -> dict[str, Any]:
    """One round: all sessions join, talk, and leave. Returns the counts."""
    ports = {"websocket": router.websocket, "rawsocket": router.rawsocket}
    sessions: list[Good] = []
    for index in range(good):
        transport, serializer = WAYS[index % len(WAYS)]
        door = Door(transport, ports[transport])
        sessions.append(Good(index, await join(door, serializer, "anonymous", {}, REALM)))
    for index, each in enumerate(sessions):
        await each.begin(sessions[index - 1], sessions[(index + 1) % good])
    stop, record, begin = asyncio.Event(), Record(), time.monotonic()
    tasks = [asyncio.create_task(each.talk(stop)) for each in sessions]
    tasks += [
        asyncio.create_task(misbehave(ports, seed * 1000 + number, record, stop))
        for number in range(bad)
    ]
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.gather(*tasks)
    took = time.monotonic() - begin
    await asyncio.gather(*(each.end() for each in sessions))
    return {
        "events": sum(each.received for each in sessions),
        "calls": sum(each.calls for each in sessions),
        "seconds": took,
        "bad": record.deeds,
        "failures": [text for each in sessions for text in each.failures] + record.failures,
    }


class AcceleratedRouter(Router):
    """The router, started with ``run --accelerate``."""

    COMMAND = (*Router.COMMAND[:3], "--accelerate", *Router.COMMAND[3:])


def resident(router: Router) -> int:
    """Memory of the router's processes in bytes (Linux)."""
    total = 0
    for pid in router.processes():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def settled(router: Router) -> int:
    """The same once it no longer falls, because the router's collector takes its time."""
    least = resident(router)
    for _ in range(3):
        time.sleep(1)
        least = min(least, resident(router))
    return least


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--good", type=int, default=200, help="good sessions (default: 200)")
    parser.add_argument("--bad", type=int, default=100, help="bad peers at a time (default: 100)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of a round (default: 30)")
    parser.add_argument("--rounds", type=int, default=1, help="after that to warm up (default: 1)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds of the first round")
    parser.add_argument("--seed", type=int, default=1, help="what bad peers do")
    parser.add_argument("--accelerate", action="store_true", help="the router and the sessions")
    options = parser.parse_args()
    if options.accelerate:
        autobahn_fbs.accelerate()
    autobahn_fbs.install()
    with (AcceleratedRouter if options.accelerate else Router)(
        make_site().auth, largest=LARGEST
    ) as router:
        memory = [resident(router)]
        rounds = []
        for number in range(options.rounds + 1):
            seconds = options.seconds if number else options.warm_up
            seed = options.seed + number
            rounds.append(asyncio.run(play(router, options.good, options.bad, seconds, seed)))
            memory.append(settled(router))
        failures = [text for each in rounds for text in each["failures"]]
        kept = memory[-1] - memory[1]
        if kept > max(KEPT_SHARE * memory[1], KEPT_BYTES):
            failures.append(f"memory has not come back: {kept >> 20} MiB more")
        if failures:
            print(router.log_tail(), file=sys.stderr)
    bad = sum((each["bad"] for each in rounds[1:]), Counter[str]())
    print(
        f"{options.good} good sessions, {options.bad} bad peers at a time, "
        f"{sum(each['seconds'] for each in rounds[1:]):.0f} s: "
        f"{sum(each['events'] for each in rounds[1:])} events and "
        f"{sum(each['calls'] for each in rounds[1:])} calls, {sum(bad.values())} bad peers"
    )
    for name, count in sorted(bad.items()):
        print(f"  {count:6} {name}")
    print("memory of the router, MiB, at first and after each round:", *(n >> 20 for n in memory))
    for text in failures[:20]:
        print("WRONG:", text)
    print(f"{len(failures)} failures" if failures else "all good")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
