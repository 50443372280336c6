"""A running router, Crossbar.io, and sessions that join it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from autobahn.wamp import auth

import autobahn_fbs
from autobahn_fbs._demo.config import REALM, Login, Site, make_site
from autobahn_fbs._demo.router import Router
from autobahn_fbs._demo.sessions import Door, Peer, Refused, join

# How a session can reach the router in FlatBuffers, and in something else.
FLATBUFFERS = [
    ("websocket", "flatbuffers"),
    ("websocket", "flatbuffers.batched"),
    ("rawsocket", "flatbuffers"),
]
OTHERS = [("websocket", "json"), ("websocket", "cbor.batched"), ("rawsocket", "msgpack")]
METHODS = ["anonymous", "ticket", "wampcra", "salted", "scram", "cryptosign"]

Way = tuple[str, str]


def ids(way: Way) -> str:
    return "-".join(way)


def more_ways_to_join(site: Site) -> None:
    """Adds logins that the demo omits: SCRAM, and WAMP-CRA with a salted secret."""
    from argon2 import low_level

    site.logins["scram"] = Login(
        "scram",
        "member",
        {"authid": "sam", "password": "open sesame"},
        {"authid": "sam", "password": "open says me"},
    )
    # Autobahn's own choice of four thousand rounds takes a second or more for each session.
    hash_secret = low_level.hash_secret
    with patch.object(low_level, "hash_secret", lambda **kw: hash_secret(**kw | {"time_cost": 4})):
        credential = auth.derive_scram_credential("sam", "open sesame")
    site.auth["scram"] = {"type": "static", "principals": {"sam": {**credential, "role": "member"}}}
    site.logins["salted"] = Login(
        "wampcra",
        "member",
        {"authid": "sally", "secret": "pepper"},
        {"authid": "sally", "secret": "salt"},
    )
    site.auth["wampcra"]["users"]["sally"] = {
        "secret": "pepper",
        "role": "member",
        "salt": "any salt",
        "iterations": 100,
        "keylen": 32,
    }


class Place:
    """A running router and the logins that it accepts."""

    def __init__(self, router: Router, site: Site) -> None:
        self.router = router
        self.site = site

    def door(self, transport: str) -> Door:
        return Door(transport, getattr(self.router, transport))

    async def join(self, way: Way, login: str = "anonymous", **more: Any) -> Peer:
        transport, serializer = way
        chosen = self.site.logins[login]
        return await join(
            self.door(transport), serializer, chosen.method, chosen.options, REALM, **more
        )

    async def try_wrong(self, way: Way, login: str) -> Peer:
        transport, serializer = way
        chosen = self.site.logins[login]
        assert chosen.wrong is not None
        return await join(self.door(transport), serializer, chosen.method, chosen.wrong, REALM)


@contextmanager
def running(kind: type[Router], *changes: Callable[[Site], None]) -> Iterator[Place]:
    """Starts a router of this kind with the drop-in, in this process too; `changes` add to the
    demo's logins."""
    site = make_site()
    for change in (more_ways_to_join, *changes):
        change(site)
    autobahn_fbs.install()
    try:
        with kind(site.auth) as router:
            yield Place(router, site)
    finally:
        autobahn_fbs.uninstall()


def both(
    place: Place, first: Way, second: Way, scene: Callable[[Peer, Peer], Awaitable[None]]
) -> None:
    """Plays a scene between two sessions."""

    async def play() -> None:
        one, two = await place.join(first, "ticket"), await place.join(second, "wampcra")
        try:
            await scene(one, two)
        finally:
            await one.part()
            await two.part()

    asyncio.run(play())


def expect_no_such_realm(place: Place, way: Way) -> None:
    """Joining an unknown realm is refused with the router's reason."""
    with pytest.raises(Refused) as refusal:
        asyncio.run(join(place.door(way[0]), way[1], "anonymous", {}, "com.example.nowhere"))
    assert refusal.value.reason == "wamp.error.no_such_realm"


def expect_native_code(place: Place, least: int) -> None:
    """Every process of a node, at least so many, has loaded the native code."""
    if not sys.platform.startswith("linux"):
        pytest.skip("finds the router's processes in /proc")
    processes = place.router.processes()
    assert len(processes) >= least
    for pid in processes:
        assert f"autobahn_fbs/_{autobahn_fbs.backend}" in Path(f"/proc/{pid}/maps").read_text()
