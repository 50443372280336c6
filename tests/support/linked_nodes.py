"""Linked Crossbar.io nodes, between which the scenes of link_scenes.py are played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import autobahn_fbs
from autobahn_fbs._demo import linked
from autobahn_fbs._demo.config import REALM, make_site
from autobahn_fbs._demo.links import LinkedRouter, LinkedRouters
from autobahn_fbs._demo.router import Router
from autobahn_fbs._demo.sessions import Door, join
from support.link_scenes import PATIENCE, Line

Scene = Callable[[Line], Awaitable[Any]]
#: The places of a line's near, far and other session: indexes of nodes.
Way = tuple[int, int, int]


class Nodes:
    """Nodes that are all linked to each other, or (for scenes without events) in a row.

    :param kind: how they are started and linked.
    :param links: the number of links that each node accepts.
    """

    def __init__(self, kind: type[LinkedRouter], links: Sequence[int]) -> None:
        self.site = make_site()
        self._links = links
        self._linked = LinkedRouters(self.site, len(links), kind)
        self.routers: list[Any] = self._linked.routers

    def start(self) -> None:
        self._linked.__enter__()
        asyncio.run(self.settle())

    async def settle(self) -> None:
        """Waits until all links are established. Meanwhile, Crossbar.io forwards some new
        subscriptions twice and others not at all.
        """
        deadline = asyncio.get_running_loop().time() + 2 * PATIENCE
        for place, count in enumerate(self._links):
            peer = await self.join(place, "rawsocket", "flatbuffers", "ticket")
            while len(await linked.link_serializers(peer)) < count:
                assert asyncio.get_running_loop().time() < deadline, "a link was not made"
                await asyncio.sleep(0.1)
            await peer.part()
        await asyncio.sleep(1)

    def stop(self) -> None:
        self._linked.__exit__(None, None, None)

    async def join(self, place: int, transport: str, serializer: str, method: str) -> Any:
        login = self.site.logins[method]
        door = Door(transport, getattr(self.routers[place], transport))
        return await join(door, serializer, login.method, login.options, REALM)

    async def play(self, scene: Scene, way: Way) -> Any:
        """Plays a scene between these places."""
        near, far, other = way
        peers = [
            await self.join(near, "rawsocket", "flatbuffers", "ticket"),
            await self.join(far, "websocket", "flatbuffers", "wampcra"),
            await self.join(other, "websocket", "json", "ticket"),
        ]

        async def beside(serializer: str) -> Any:
            peers.append(await self.join(near, "websocket", serializer, "ticket"))
            return peers[-1]

        # The URIs are never the same: links need a moment to forget.
        name = f"{scene.__name__}.from{near + 1}to{far + 1}"
        line = Line(name, *peers, beside, links=len(self._links) - 1)
        try:
            return await scene(line)
        finally:
            for peer in peers:
                await peer.part()


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Calls them in threads; their results."""
    with ThreadPoolExecutor(len(functions)) as pool:
        return [each.result() for each in [pool.submit(function) for function in functions]]


@contextmanager
def over_both(kind: type[LinkedRouter], links: Sequence[int]) -> Iterator[tuple[Nodes, Nodes]]:
    """Nodes with FlatBuffers on the links; and the same without that preference, with CBOR."""
    over_cbor = type(f"{kind.__name__}OverCbor", (kind,), {"COMMAND": Router.COMMAND})
    autobahn_fbs.install()
    both = Nodes(kind, links), Nodes(over_cbor, links)
    try:
        at_once(*(nodes.start for nodes in both))
        yield both
    finally:
        at_once(*(nodes.stop for nodes in both))
        autobahn_fbs.uninstall()
