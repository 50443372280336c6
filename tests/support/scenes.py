"""Messages that sessions exchange in the tests of a router, whatever is between them."""

from __future__ import annotations

import asyncio
from typing import Any

from autobahn.wamp.types import PublishOptions, SubscribeOptions

from autobahn_fbs._demo import talk
from autobahn_fbs._demo.sessions import Peer

ACKNOWLEDGED = PublishOptions(acknowledge=True)
RECEIPT = PublishOptions(acknowledge=True, exclude_me=False)
ARGS = [1, "two", None, {"three": [3.5, True]}]
KWARGS = {"name": "alice", "tags": ["a", "b"]}


def quiet(text: str) -> None:
    """The object that the demo's scenes report to."""


async def everything(one: Peer, two: Peer) -> None:
    """All of the demo's scenes, each in both directions."""
    await talk.everything(one, two, quiet)
    await talk.everything(two, one, quiet)
    await one.part()
    await two.part()


async def publish_to_all(speaker: Peer, listeners: list[Peer]) -> list[Any]:
    """What each of the listeners received of one event."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    for listener in listeners:
        await listener.subscribe(lambda *args: received.put_nowait(args), "com.example.all")
    await speaker.publish("com.example.all", "one", 2, options=ACKNOWLEDGED)
    results = [await asyncio.wait_for(received.get(), 10) for _ in listeners]
    for peer in (speaker, *listeners):
        await peer.part()
    return results


async def publish_as_tina(speaker: Peer, listener: Peer) -> None:
    """Checks that the event states its publisher and its topic."""
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


async def exchange(one: Peer, two: Peer) -> list[tuple[Any, Any]]:
    """An event and a call with its result between two sessions; returns what the far side
    received."""
    got: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()

    async def event(*args: Any, **kwargs: Any) -> None:
        await got.put((list(args), kwargs))

    async def procedure(*args: Any, **kwargs: Any) -> Any:
        await got.put((list(args), kwargs))
        return [list(args), kwargs]

    subscription = await two.subscribe(event, "com.example.payload.topic")
    registration = await two.register(procedure, "com.example.payload.echo")
    await one.publish("com.example.payload.topic", *ARGS, **KWARGS, options=RECEIPT)
    seen = [await asyncio.wait_for(got.get(), 10)]
    result = await one.call("com.example.payload.echo", *ARGS, **KWARGS)
    seen.append(await asyncio.wait_for(got.get(), 10))
    seen.append((result[0], result[1]))
    await subscription.unsubscribe()
    await registration.unregister()
    return seen


def keyrings(*uris: str) -> tuple[Any, Any]:
    """The two ends of Autobahn's own end-to-end encryption (WAMP-cryptobox), for these URIs or for
    those of `exchange`.
    """
    from autobahn.wamp.cryptobox import Key, KeyRing

    ring = KeyRing()
    originator, originator_public = ring.generate_key()
    responder, responder_public = ring.generate_key()
    first, second = KeyRing(), KeyRing()
    for uri in uris or (
        "com.example.payload.topic",
        "com.example.payload.echo",
        "com.example.payload.fail",
    ):
        first.set_key(uri, Key(originator_priv=originator, responder_pub=responder_public))
        second.set_key(uri, Key(originator_pub=originator_public, responder_priv=responder))
    return first, second
