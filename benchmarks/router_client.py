"""The client process of benchmarks/router.py: sessions that publish and call through a router.

Started once for each contender. Reads a line of JSON for each turn and answers with one, so that
the processes take turns. What has been sent has been received when a turn ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

TOPIC = "com.example.weather"
PROCEDURE = "com.example.echo"
REALM = "demo"
WINDOW = 200  # events on their way at most
PATIENCE = 30.0


def _payload(size: str) -> tuple[list[Any], dict[str, Any]]:
    if size == "128kB":
        return [bytes(range(256)) * 512], {}
    from autobahn_fbs._bench.messages import PAYLOADS

    args, kwargs = PAYLOADS[size]
    return args or [], kwargs or {}


async def _join(transport: str, port: int, serializer: str) -> Any:
    """A session of Autobahn's own that has joined."""
    from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
    from autobahn.asyncio.wamp import Session
    from autobahn.asyncio.websocket import WampWebSocketClientFactory
    from autobahn.wamp.serializer import create_transport_serializer
    from autobahn.wamp.types import ComponentConfig

    loop = asyncio.get_running_loop()
    joined = loop.create_future()
    session = Session(ComponentConfig(realm=REALM))
    session.on("join", lambda _session, details: joined.set_result(details))
    codec = create_transport_serializer(serializer)
    if transport == "websocket":
        url = f"ws://127.0.0.1:{port}/"
        factory: Any = WampWebSocketClientFactory(lambda: session, url=url, serializers=[codec])
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=codec)
    await loop.create_connection(factory, "127.0.0.1", port)
    await asyncio.wait_for(joined, PATIENCE)
    return session


class Events:
    """One publishes, the others receive; at most a window of events is on its way."""

    def __init__(self, sessions: list[Any], payload: tuple[list[Any], dict[str, Any]]) -> None:
        self._publisher, *self._subscribers = sessions
        self._args, self._kwargs = payload
        # Counted in events that are received.
        self._each = len(self._subscribers)
        self._window = max(2 * self._each, WINDOW)
        self._received = self._awaited = 0
        self._more = asyncio.Event()

    def _on_event(self, *args: Any, **kwargs: Any) -> None:
        self._received += 1
        if self._awaited - self._received < self._window // 2:
            self._more.set()

    async def open(self) -> None:
        for each in self._subscribers:
            await each.subscribe(self._on_event, TOPIC)

    async def run(self, seconds: float) -> int:
        """Publishes for a while and waits for the rest; how many events have been received."""
        publish: Callable[..., Any] = self._publisher.publish
        args, kwargs, first = self._args, self._kwargs, self._received
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            while self._awaited - self._received < self._window:
                publish(TOPIC, *args, **kwargs)
                self._awaited += self._each
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while self._received < self._awaited:
            if time.monotonic() > deadline:
                raise TimeoutError("events were lost")
            await asyncio.sleep(0.0005)
        return self._received - first


class Calls:
    """One calls the other, with a number of calls on their way."""

    def __init__(
        self, sessions: list[Any], payload: tuple[list[Any], dict[str, Any]], flights: int
    ) -> None:
        self._caller, self._callee = sessions
        self._args, self._kwargs = payload
        self._flights = flights

    async def open(self) -> None:
        await self._callee.register(lambda *args, **kwargs: args[0], PROCEDURE)

    async def run(self, seconds: float) -> int:
        end = time.perf_counter() + seconds
        call, args, kwargs = self._caller.call, self._args, self._kwargs

        async def fly() -> int:
            count = 0
            while time.perf_counter() < end:
                await call(PROCEDURE, *args, **kwargs)
                count += 1
            return count

        return sum(await asyncio.gather(*(fly() for _ in range(self._flights))))


async def _open(scene: dict[str, Any], port: int, serializer: str) -> Any:
    count = 2 if scene["kind"] == "calls" else 1 + scene["subscribers"]
    sessions = [await _join(scene["transport"], port, serializer) for _ in range(count)]
    payload = _payload(scene["size"])
    if scene["kind"] == "calls":
        talk: Any = Calls(sessions, payload, scene["flights"])
    else:
        talk = Events(sessions, payload)
    await talk.open()
    return talk, sessions


async def _serve(options: argparse.Namespace) -> None:
    """Does what the lines say: {"open": scene}, {"run": seconds}, {"close": true}."""
    loop = asyncio.get_running_loop()
    talk: Any = None
    sessions: list[Any] = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if "open" in order:
            scene = order["open"]
            port = options.websocket if scene["transport"] == "websocket" else options.rawsocket
            talk, sessions = await _open(scene, port, options.serializer)
        elif "run" in order:
            cpu, start = time.process_time(), time.perf_counter()
            count = await talk.run(order["run"])
            answer = {
                "count": count,
                "cpu": time.process_time() - cpu,
                "seconds": time.perf_counter() - start,
            }
        elif "close" in order:
            gone: list[Awaitable[Any]] = []
            for session in sessions:
                left = loop.create_future()
                session.on("disconnect", lambda *_, left=left, **__: left.set_result(None))
                session.leave()
                gone.append(left)
            await asyncio.wait_for(asyncio.gather(*gone), PATIENCE)
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--websocket", type=int, required=True, metavar="PORT")
    parser.add_argument("--rawsocket", type=int, required=True, metavar="PORT")
    parser.add_argument("--serializer", required=True)
    parser.add_argument("--drop-in", action="store_true")
    parser.add_argument("--accelerate", metavar="PARTS", help="with commas; all of them for all")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    options = parser.parse_args()
    if options.accelerate:
        import autobahn_fbs

        parts = None if options.accelerate == "all" else options.accelerate.split(",")
        autobahn_fbs.accelerate(parts)
    import autobahn.asyncio.wamp  # noqa: F401 - Autobahn wants asyncio or Twisted chosen first

    if options.drop_in:
        import autobahn_fbs

        autobahn_fbs.install()
    if options.loop == "uvloop":
        import uvloop

        uvloop.run(_serve(options))
    else:
        asyncio.run(_serve(options))


if __name__ == "__main__":
    main()
