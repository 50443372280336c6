"""The client process of ``cost``: sessions that publish and call through routers.

The first session joins the first router, all others join the last. Started once for each contender.
Reads a line of JSON for each turn and answers with one, so that the processes take turns. At the
end of a turn, everything that was sent has been received.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .cost_loops import HOST, LOOPS, PATIENCE

TOPIC = "com.example.weather"
PROCEDURE = "com.example.echo"


async def _join(loop: Any, transport: str, port: int, serializer: str, realm: str) -> Any:
    """An Autobahn session that has joined."""
    from autobahn.wamp.serializer import create_transport_serializer
    from autobahn.wamp.types import ComponentConfig

    joined = loop.future()
    session = import_module(f"{loop.PACKAGE}.wamp").Session(ComponentConfig(realm=realm))
    session.on("join", lambda _session, details: loop.settle(joined, details))
    codec = create_transport_serializer(serializer)
    module: Any = import_module(f"{loop.PACKAGE}.{transport}")
    if transport == "websocket":
        url = f"ws://{HOST}:{port}/"
        factory = module.WampWebSocketClientFactory(lambda: session, url=url, serializers=[codec])
        factory.setProtocolOptions(closeHandshakeTimeout=PATIENCE)
    else:
        factory = module.WampRawSocketClientFactory(lambda: session, serializer=codec)
    await loop.connect(factory, port)
    await loop.within_patience(joined)
    return session


async def _arrived(loop: Any, session: Any, kind: str, uri: str) -> None:
    """Waits until a "subscription" or a "registration" has reached this session's router."""
    for _ in range(int(PATIENCE / 0.02)):
        if await session.call(f"wamp.{kind}.lookup", uri) is not None:
            return
        await loop.sleep(0.02)
    raise TimeoutError(f"the {kind} of {uri} did not arrive")


class Events:
    """One session publishes, the others receive; at most a window of events is in flight."""

    def __init__(
        self,
        loop: Any,
        sessions: list[Any],
        topic: str,
        payload: tuple[list[Any], dict[str, Any]],
        window: int,
    ) -> None:
        self._loop = loop
        self._publisher, *self._subscribers = sessions
        self._topic = topic
        self._args, self._kwargs = payload
        # Counts received events.
        self._each = len(self._subscribers)
        self._window = max(2 * self._each, window)
        self._received = self._awaited = 0
        self._more: Any = None

    def _on_event(self, *args: Any, **kwargs: Any) -> None:
        self._received += 1
        if self._more is not None and self._awaited - self._received < self._window // 2:
            more, self._more = self._more, None
            self._loop.settle(more)

    async def open(self) -> None:
        for each in self._subscribers:
            await each.subscribe(self._on_event, self._topic)
        await _arrived(self._loop, self._publisher, "subscription", self._topic)

    async def run(self, seconds: float) -> int:
        """Publishes for a while and waits for the rest; returns the number of received events."""
        publish: Callable[..., Any] = self._publisher.publish
        args, kwargs, first = self._args, self._kwargs, self._received
        topic = self._topic
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            while self._awaited - self._received < self._window:
                publish(topic, *args, **kwargs)
                self._awaited += self._each
            more = self._more = self._loop.future()
            await self._loop.within_patience(more)
        deadline = time.monotonic() + PATIENCE
        while self._received < self._awaited:
            if time.monotonic() > deadline:
                raise TimeoutError("events were lost")
            await self._loop.sleep(0.0005)
        return self._received - first


class Calls:
    """One session calls the other, with a number of calls in flight."""

    def __init__(
        self,
        loop: Any,
        sessions: list[Any],
        procedure: str,
        payload: tuple[list[Any], dict[str, Any]],
        flights: int,
    ) -> None:
        self._loop = loop
        self._caller, self._callee = sessions
        self._procedure = procedure
        self._args, self._kwargs = payload
        self._flights = flights

    async def open(self) -> None:
        await self._callee.register(lambda *args, **kwargs: args[0], self._procedure)
        await _arrived(self._loop, self._caller, "registration", self._procedure)

    async def run(self, seconds: float) -> int:
        end = time.perf_counter() + seconds
        call, args, kwargs = self._caller.call, self._args, self._kwargs
        procedure = self._procedure

        async def fly() -> int:
            count = 0
            while time.perf_counter() < end:
                await call(procedure, *args, **kwargs)
                count += 1
            return count

        return sum(await self._loop.gather(fly() for _ in range(self._flights)))


class Everywhere:
    """The same in several realms at the same time."""

    def __init__(self, loop: Any, talks: list[Any]) -> None:
        self._loop = loop
        self._talks = talks

    async def run(self, seconds: float) -> int:
        return sum(await self._loop.gather(talk.run(seconds) for talk in self._talks))


async def _open(
    loop: Any, scene: dict[str, Any], options: argparse.Namespace, number: int
) -> tuple[Any, list[Any]]:
    """The scene's roles and its sessions. URIs are new each time, because routers far away may be
    slow to forget those of the previous scene.
    """
    ports = options.websocket if scene["transport"] == "websocket" else options.rawsocket
    first, last = (ports[-1], ports[0]) if scene["turned"] else (ports[0], ports[-1])
    others = 1 if scene["kind"] == "calls" else scene["subscribers"]
    blob = [bytes(range(256)) * (scene["blob"] // 256)] if scene["blob"] else []
    payload = [*scene["args"], *blob], scene["kwargs"]
    talks: list[Any] = []
    everybody = []
    for realm in options.realm:
        sessions = [
            await _join(loop, scene["transport"], port, options.serializer, realm)
            for port in [first] + [last] * others
        ]
        if scene["kind"] == "calls":
            talk: Any = Calls(loop, sessions, f"{PROCEDURE}{number}", payload, scene["flights"])
        else:
            talk = Events(loop, sessions, f"{TOPIC}{number}", payload, scene["window"])
        await talk.open()
        talks.append(talk)
        everybody += sessions
    return Everywhere(loop, talks), everybody


async def _leave(loop: Any, sessions: list[Any]) -> None:
    for session in sessions:
        left = loop.future()
        session.on("disconnect", lambda *_, left=left, **__: loop.settle(left))
        session.leave()
        await loop.within_patience(left)


async def _serve(loop: Any, options: argparse.Namespace) -> None:
    """Executes the lines: {"open": scene}, {"run": seconds}, {"close": true}."""
    talk: Any = None
    sessions: list[Any] = []
    opened = 0
    while line := await loop.in_thread(sys.stdin.readline):
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if "open" in order:
            opened += 1
            talk, sessions = await _open(loop, order["open"], options, opened)
        elif "run" in order:
            cpu, start = time.process_time(), time.perf_counter()
            count = await talk.run(order["run"])
            answer = {
                "count": count,
                "cpu": time.process_time() - cpu,
                "seconds": time.perf_counter() - start,
            }
        elif "close" in order:
            await _leave(loop, sessions)
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--websocket", type=int, nargs="+", required=True, metavar="PORT")
    parser.add_argument("--rawsocket", type=int, nargs="+", required=True, metavar="PORT")
    parser.add_argument("--realm", nargs="+", default=["demo"])
    parser.add_argument("--serializer", required=True)
    parser.add_argument("--drop-in", action="store_true")
    parser.add_argument("--accelerate", metavar="PARTS", help="with commas; all of them for all")
    parser.add_argument("--loop", choices=list(LOOPS), default="asyncio")
    options = parser.parse_args()
    if options.accelerate:
        import autobahn_fbs

        parts = None if options.accelerate == "all" else options.accelerate.split(",")
        autobahn_fbs.accelerate(parts)
    loop = LOOPS[options.loop]()
    import_module(f"{loop.PACKAGE}.wamp")  # asyncio or Twisted must be chosen before Autobahn
    if options.drop_in:
        import autobahn_fbs

        autobahn_fbs.install()
    loop.run(_serve(loop, options))


if __name__ == "__main__":
    main()
