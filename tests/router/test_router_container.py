"""A component in a container worker of Crossbar.io, whose configuration names no serializer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from autobahn_fbs._demo.router import HOST, Router
from support.router import Place, running


class WithContainer(Router):
    """A node with a container worker, started with ``run --prefer``. Its component joins over
    WebSocket and does nothing.
    """

    COMMAND = (*Router.COMMAND[:3], "--prefer", *Router.COMMAND[3:])

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        endpoint = {"type": "tcp", "host": HOST, "port": self.websocket}
        url = f"ws://{HOST}:{self.websocket}/"
        component = {
            "type": "class",
            "classname": "autobahn.twisted.wamp.ApplicationSession",
            "realm": "demo",
            "transport": {"type": "websocket", "url": url, "endpoint": endpoint},
        }
        config["workers"].append({"type": "container", "components": [component]})
        return config


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(WithContainer) as place:
        yield place


def test_a_component_in_a_container_prefers_flatbuffers(place: Place) -> None:
    async def spoken() -> list[str]:
        """The other sessions' serializers, if there are any."""
        peer: Any = await place.join(("rawsocket", "flatbuffers"))
        try:
            for _ in range(300):
                others = set(await peer.call("wamp.session.list")) - {peer.details.session}
                if others:
                    found = [await peer.call("wamp.session.get", each) for each in others]
                    return [each["transport"]["websocket_protocol"] for each in found]
                await asyncio.sleep(0.1)
            raise AssertionError("the component did not join")
        finally:
            await peer.part()

    assert asyncio.run(spoken()) == ["wamp.2.flatbuffers"]
