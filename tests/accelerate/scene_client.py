"""Run by test_logs.py: a scene of all message types, one after the other, logging to stdout.

``python scene_client.py LEVEL WEBSOCKET RAWSOCKET [accelerated]``
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

import txaio

txaio.use_asyncio()

import autobahn_fbs  # noqa: E402

if "accelerated" in sys.argv:
    autobahn_fbs.accelerate()
autobahn_fbs.install()

from autobahn.wamp.exception import ApplicationError, Error  # noqa: E402
from autobahn.wamp.types import (  # noqa: E402
    CallOptions,
    PublishOptions,
    RegisterOptions,
    SubscribeOptions,
)

from autobahn_fbs._demo.config import REALM  # noqa: E402
from autobahn_fbs._demo.sessions import Door, join  # noqa: E402

ACKNOWLEDGED = PublishOptions(acknowledge=True, exclude_me=False)


async def settle() -> None:
    """Waits for everything, so that the order is the same each time."""
    await asyncio.sleep(0.03)


async def play(one: Any, two: Any) -> None:
    events: list[Any] = []

    def failing_handler(*args: Any) -> None:
        raise ValueError("on purpose")

    exact = await two.subscribe(lambda *args, **kwargs: events.append(args), "com.example.exact")
    prefix = await two.subscribe(
        lambda *args, details=None: events.append(details),
        "com.example",
        options=SubscribeOptions(match="prefix", details_arg="details"),
    )
    await two.subscribe(failing_handler, "com.example.failing")
    await one.publish("com.example.exact", 1, "two", three=[3.5], options=ACKNOWLEDGED)
    await settle()
    one.publish("com.example.exact", 2)
    await settle()
    await one.publish("com.example.failing", options=ACKNOWLEDGED)
    await settle()
    for topic in ("com..example", "wamp.example"):
        with suppress(Error):
            await one.publish(topic, options=ACKNOWLEDGED)
    await exact.unsubscribe()
    await prefix.unsubscribe()

    async def slowly(details: Any = None) -> str:
        details.progress(1)
        await settle()
        return "done"

    async def never() -> None:
        await asyncio.sleep(60)

    def failing(*args: Any) -> None:
        raise ApplicationError("com.example.error", 1, two=2)

    add = await two.register(lambda a, b: a + b, "com.example.add")
    await two.register(slowly, "com.example.slowly", options=RegisterOptions(details_arg="details"))
    await two.register(failing, "com.example.failing")
    await two.register(never, "com.example.never")
    with suppress(Error):
        await one.register(failing, "com.example.failing")
    await one.call("com.example.add", 1, 2)
    await one.call("com.example.slowly", options=CallOptions(on_progress=events.append))
    for procedure in ("com.example.failing", "com.example.missing", "com..example"):
        with suppress(Error):
            await one.call(procedure, 1)
    call = one.call("com.example.never")
    await settle()
    call.cancel()
    await settle()
    await add.unregister()
    await settle()


async def run(doors: list[Door]) -> None:
    for door in doors:
        sessions = []
        for _ in range(2):
            sessions.append(await join(door, "flatbuffers", "anonymous", {}, REALM))
            await settle()
        await play(*sessions)
        for session in sessions:
            await session.part()
            await settle()


if __name__ == "__main__":
    txaio.start_logging(level=sys.argv[1])
    ports = [int(word) for word in sys.argv[2:4]]
    asyncio.run(run([Door("websocket", ports[0]), Door("rawsocket", ports[1])]))
