"""Integers that were chosen to collide as keys cost a router no more than others of that size."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from autobahn.wamp import message
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import PublishOptions

from autobahn_fbs._demo.router import Router
from autobahn_fbs._demo.sessions import Peer, Refused
from support.colliding import colliding_integers
from support.router import Place, Way, ids

WAYS = [("websocket", "flatbuffers"), ("rawsocket", "flatbuffers")]
ACKNOWLEDGED = PublishOptions(acknowledge=True)

Send = Callable[[dict[int, None]], Awaitable[None]]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads processor time in /proc"
)


@pytest.fixture(scope="module")
def chosen() -> dict[int, None]:
    """55 kB, which took a dict 0.15 s."""
    return dict.fromkeys(colliding_integers(10_922))


def spent(router: Router) -> int:
    """Nanoseconds of processor time of the router's main threads."""
    return sum(
        int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in router.processes()
    )


async def cost_of(router: Router, work: Awaitable[None]) -> int:
    before = spent(router)
    await work
    return spent(router) - before


async def costs_no_more_than_honest(router: Router, send: Send, chosen: dict[int, None]) -> None:
    honest = dict.fromkeys(range(65_536, 65_536 + len(chosen)))
    await send(honest)  # once before, because it imports modules
    usual = min([await cost_of(router, send(honest)) for _ in range(3)])
    cost = min([await cost_of(router, send(chosen)) for _ in range(3)])
    assert cost < 5 * usual, f"{cost / usual:.1f} times as much"


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_in_a_payload_they_are_an_error_and_the_session_goes_on(
    place: Place, way: Way, chosen: dict[int, None]
) -> None:
    async def play() -> None:
        peer = await place.join(way, "ticket")

        async def publish(keys: dict[int, None]) -> None:
            try:
                await peer.publish("com.example.keys", keys, options=ACKNOWLEDGED)
            except ApplicationError as error:
                assert (error.error, keys is chosen) == ("wamp.error.invalid_argument", True)
            else:
                assert keys is not chosen

        await costs_no_more_than_honest(place.router, publish, chosen)
        await peer.part()

    asyncio.run(play())


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_before_authentication_they_end_the_connection(
    place: Place, way: Way, chosen: dict[int, None]
) -> None:
    async def play() -> None:
        async def knock(keys: dict[int, None]) -> None:
            def add_keys(peer: Peer, direction: str, msg: Any) -> None:
                if isinstance(msg, message.Hello):
                    msg.authextra = {"keys": keys}

            try:
                await (await place.join(way, "anonymous", listener=add_keys)).part()
            except Refused as error:
                assert (error.reason, keys is chosen) == ("wamp.close.transport_lost", True)
            else:
                assert keys is not chosen

        other = await place.join(way, "ticket")
        await costs_no_more_than_honest(place.router, knock, chosen)
        assert await other.call("wamp.session.count") >= 1
        await other.part()

    asyncio.run(play())
