"""What payloads do on their way through a real router: every codec, and end-to-end encryption."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any

import pytest
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import PublishOptions

from autobahn_fbs import payloads
from test_router import FLATBUFFERS, OTHERS, Peer, Place, Way, both, ids, place

__all__ = ["place"]  # the fixture

CODECS = payloads.known_ids()
RECEIPT = PublishOptions(acknowledge=True, exclude_me=False)
ARGS = [1, "two", None, {"three": [3.5, True]}]
KWARGS = {"name": "alice", "tags": ["a", "b"]}


async def exchange(one: Peer, two: Peer) -> list[tuple[Any, Any]]:
    """An event and a call with its result between two sessions; what the far side got."""
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


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("transport", ["websocket", "rawsocket"])
def test_every_composition_works_in_a_session(place: Place, transport: str, codec: str) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        assert await exchange(two, one) == [(ARGS, KWARGS)] * 3
        assert one.details.serializer == "flatbuffers"

    both(place, (transport, f"flatbuffers-{codec}"), (transport, "flatbuffers"), scene)


def keyrings() -> tuple[Any, Any]:
    """The two ends of Autobahn's own end-to-end encryption (WAMP-cryptobox)."""
    from autobahn.wamp.cryptobox import Key, KeyRing

    ring = KeyRing()
    originator, originator_public = ring.generate_key()
    responder, responder_public = ring.generate_key()
    first, second = KeyRing(), KeyRing()
    for uri in (
        "com.example.payload.topic",
        "com.example.payload.echo",
        "com.example.payload.fail",
    ):
        first.set_key(uri, Key(originator_priv=originator, responder_pub=responder_public))
        second.set_key(uri, Key(originator_pub=originator_public, responder_priv=responder))
    return first, second


@pytest.mark.skipif(find_spec("nacl") is None, reason="cryptobox needs PyNaCl")
@pytest.mark.parametrize(
    ("way", "other"),
    [(way, way) for way in FLATBUFFERS]
    + [(FLATBUFFERS[0], OTHERS[1]), (OTHERS[1], FLATBUFFERS[0]), (FLATBUFFERS[2], OTHERS[2])],
    ids=ids,
)
def test_autobahns_keyring_encrypts_from_end_to_end(place: Place, way: Way, other: Way) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        seen: list[Any] = []
        two.listener = lambda peer, direction, msg: seen.append(msg)
        first, second = keyrings()
        one.set_payload_codec(first)
        two.set_payload_codec(second)
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        sealed = [msg for msg in seen if getattr(msg, "payload", None)]
        assert sealed and all(msg.enc_algo == "cryptobox" for msg in sealed)
        assert all(b"alice" not in bytes(msg.payload) for msg in sealed)

    both(place, way, other, scene)


def test_an_error_carries_its_payload_through_every_codec(place: Place) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        def fail() -> None:
            raise ApplicationError("com.example.bad", *ARGS, **KWARGS)

        await two.register(fail, "com.example.payload.fail")
        with pytest.raises(ApplicationError) as caught:
            await one.call("com.example.payload.fail")
        assert (list(caught.value.args), caught.value.kwargs) == (ARGS, KWARGS)

    for codec in CODECS:
        both(place, ("websocket", f"flatbuffers-{codec}"), ("websocket", "flatbuffers"), scene)
