"""The client process of ``cost``: sessions that publish and call through a router.

Started once for each contender. Reads a line of JSON for each turn and answers with one, so that
the processes take turns. What has been sent has been received when a turn ends.
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
REALM = "demo"
WINDOW = 200  # events on their way at most


async def _join(loop: Any, transport: str, port: int, serializer: str) -> Any:
    """A session of Autobahn's own that has joined."""
    from autobahn.wamp.serializer import create_transport_serializer
    from autobahn.wamp.types import ComponentConfig

    joined = loop.future()
    session = import_module(f"{loop.PACKAGE}.wamp").Session(ComponentConfig(realm=REALM))
    session.on("join", lambda _session, details: loop.settle(joined, details))
    codec = create_transport_serializer(serializer)
    module: Any = import_module(f"{loop.PACKAGE}.{transport}")
    if transport == "websocket":
        url = f"ws://{HOST}:{port}/"
        factory = module.WampWebSocketClientFactory(lambda: session, url=url, serializers=[codec])
    else:
        factory = module.WampRawSocketClientFactory(lambda: session, serializer=codec)
    await loop.connect(factory, port)
    await loop.within_patience(joined)
    return session


class Events:
    """One publishes, the others receive; at most a window of events is on its way."""

    def __init__(
        self, loop: Any, sessions: list[Any], payload: tuple[list[Any], dict[str, Any]]
    ) -> None:
        self._loop = loop
        self._publisher, *self._subscribers = sessions
        self._args, self._kwargs = payload
        # Counted in events that are received.
        self._each = len(self._subscribers)
        self._window = max(2 * self._each, WINDOW)
        self._received = self._awaited = 0
        self._more: Any = None

    def _on_event(self, *args: Any, **kwargs: Any) -> None:
        self._received += 1
        if self._more is not None and self._awaited - self._received < self._window // 2:
            more, self._more = self._more, None
            self._loop.settle(more)

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
            more = self._more = self._loop.future()
            await self._loop.within_patience(more)
        deadline = time.monotonic() + PATIENCE
        while self._received < self._awaited:
            if time.monotonic() > deadline:
                raise TimeoutError("events were lost")
            await self._loop.sleep(0.0005)
        return self._received - first


class Calls:
    """One calls the other, with a number of calls on their way."""

    def __init__(
        self,
        loop: Any,
        sessions: list[Any],
        payload: tuple[list[Any], dict[str, Any]],
        flights: int,
    ) -> None:
        self._loop = loop
        self._caller, self._callee = sessions
        self._args, self._kwargs = payload
        self._flights = flights

    async def open(self) -> None:
        await self._callee.register(lambda *args, **kwargs: args[0], PROCEDURE)

    async def run(self, seconds: float) -> int:
        """Calls for a while; how many calls have been answered."""
        end = time.perf_counter() + seconds
        call, args, kwargs = self._caller.call, self._args, self._kwargs

        async def fly() -> int:
            count = 0
            while time.perf_counter() < end:
                await call(PROCEDURE, *args, **kwargs)
                count += 1
            return count

        return sum(await self._loop.gather(fly() for _ in range(self._flights)))


async def _open(loop: Any, scene: dict[str, Any], port: int, serializer: str) -> Any:
    count = 2 if scene["kind"] == "calls" else 1 + scene["subscribers"]
    sessions = [await _join(loop, scene["transport"], port, serializer) for _ in range(count)]
    blob = [bytes(range(256)) * (scene["blob"] // 256)] if scene["blob"] else []
    payload = [*scene["args"], *blob], scene["kwargs"]
    if scene["kind"] == "calls":
        talk: Any = Calls(loop, sessions, payload, scene["flights"])
    else:
        talk = Events(loop, sessions, payload)
    await talk.open()
    return talk, sessions


async def _leave(loop: Any, sessions: list[Any]) -> None:
    for session in sessions:
        left = loop.future()
        session.on("disconnect", lambda *_, left=left, **__: loop.settle(left))
        session.leave()
        await loop.within_patience(left)


async def _serve(loop: Any, options: argparse.Namespace) -> None:
    """Does what the lines say: {"open": scene}, {"run": seconds}, {"close": true}."""
    talk: Any = None
    sessions: list[Any] = []
    while line := await loop.in_thread(sys.stdin.readline):
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if "open" in order:
            scene = order["open"]
            port = options.websocket if scene["transport"] == "websocket" else options.rawsocket
            talk, sessions = await _open(loop, scene, port, options.serializer)
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
    parser.add_argument("--websocket", type=int, required=True, metavar="PORT")
    parser.add_argument("--rawsocket", type=int, required=True, metavar="PORT")
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
    import_module(f"{loop.PACKAGE}.wamp")  # Autobahn wants asyncio or Twisted chosen first
    if options.drop_in:
        import autobahn_fbs

        autobahn_fbs.install()
    loop.run(_serve(loop, options))


if __name__ == "__main__":
    main()
