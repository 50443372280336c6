"""The two nodes of the page on links start as the page says, and are linked with FlatBuffers."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from importlib.util import find_spec
from typing import Any

import pytest

import autobahn_fbs
from autobahn_fbs._demo import linked
from autobahn_fbs._demo.links import write_node_key
from autobahn_fbs._demo.router import Router, _free_ports
from autobahn_fbs._demo.sessions import Door, join
from support.docs_blocks import blocks_of

PAGE = "docs/links.rst"
CONFIGURATIONS = [block.code for block in blocks_of(PAGE) if block.language == "json"]
(COMMANDS,) = [
    block.code.splitlines()
    for block in blocks_of(PAGE)
    if block.language == "sh" and "crossbar start" in block.code
]


class NodeOfThePage(Router):
    """A node of the page, with other ports for itself and for the node that it links to."""

    def __init__(self, number: int) -> None:
        super().__init__({})
        words = shlex.split(COMMANDS[number])
        assert words[0] == "python" and words[-2:] == ["--cbdir", f"node{number + 1}"]
        self.COMMAND = tuple(words[1:-2])
        self.code = CONFIGURATIONS[number]
        self.public_key = write_node_key(self.folder)

    def configure(self) -> dict[str, Any]:
        self.ports = _free_ports(1)
        (self.websocket,) = self.ports
        config: dict[str, Any] = json.loads(self.code)
        (transport,) = config["workers"][0]["transports"]
        transport["endpoint"]["port"] = self.websocket
        return config


@pytest.mark.skipif(
    find_spec("crossbar") is None, reason='needs Crossbar.io: pip install ".[demo]"'
)
def test_the_nodes_of_the_page_are_linked_with_flatbuffers() -> None:
    one, two = NodeOfThePage(0), NodeOfThePage(1)
    one.code = one.code.replace("0" * 64, two.public_key)
    assert two.public_key in one.code

    async def play() -> tuple[list[str], int]:
        peers: list[Any] = [
            await join(Door("websocket", node.websocket), "flatbuffers", "anonymous", {}, "realm1")
            for node in (one, two)
        ]
        while not (spoken := await linked.link_serializers(peers[0])):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)  # until then, Crossbar.io doesn't forward all new registrations
        await peers[0].register(lambda a, b: a + b, "com.example.add")
        await linked.wait_for(peers[1], "callees", "com.example.add")
        result = await peers[1].call("com.example.add", 2, 3)
        for peer in peers:
            await peer.part()
        return spoken, result

    autobahn_fbs.install()
    try:
        with one:
            two.code = re.sub(r"\b8080\b", str(one.websocket), two.code)
            with two:
                assert asyncio.run(play()) == (["wamp.2.flatbuffers"], 5)
    finally:
        autobahn_fbs.uninstall()
