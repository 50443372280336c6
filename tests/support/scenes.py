"""What sessions say to each other in the tests of a router, whatever is between them."""

from __future__ import annotations

import asyncio
from typing import Any

from autobahn.wamp.types import PublishOptions, SubscribeOptions

from autobahn_fbs._demo import talk
from autobahn_fbs._demo.sessions import Peer

ACKNOWLEDGED = PublishOptions(acknowledge=True)


def quiet(text: str) -> None:
    """What the demo's scenes report to."""


async def everything(one: Peer, two: Peer) -> None:
    """All of the demo's scenes, each in both directions."""
    await talk.everything(one, two, quiet)
    await talk.everything(two, one, quiet)
    await one.part()
    await two.part()


async def publish_to_all(speaker: Peer, listeners: list[Peer]) -> list[Any]:
    """What each of the listeners got of one event."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    for listener in listeners:
        await listener.subscribe(lambda *args: received.put_nowait(args), "com.example.all")
    await speaker.publish("com.example.all", "one", 2, options=ACKNOWLEDGED)
    results = [await asyncio.wait_for(received.get(), 10) for _ in listeners]
    for peer in (speaker, *listeners):
        await peer.part()
    return results


async def publish_as_tina(speaker: Peer, listener: Peer) -> None:
    """The event says who published it and where."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    options = SubscribeOptions(match="prefix", details_arg="details")
    await listener.subscribe(
        lambda details: received.put_nowait(details), "com.example.who", options=options
    )
    await speaker.publish("com.example.who.me", options=ACKNOWLEDGED)
    details = await asyncio.wait_for(received.get(), 10)
    assert details.topic == "com.example.who.me"
    assert details.publisher == speaker.details.session
    assert (details.publisher_authid, details.publisher_authrole) == ("tina", "member")


async def cancel(caller: Peer, callee: Peer) -> None:
    """The callee is interrupted."""
    started, interrupted = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            interrupted.set()
            raise

    await callee.register(wait, "com.example.wait")
    call = caller.call("com.example.wait")
    await asyncio.wait_for(started.wait(), 10)
    call.cancel()
    await asyncio.wait_for(interrupted.wait(), 10)
