"""A link between two Crossbar.io nodes behaves the same with FlatBuffers and with CBOR.

If Crossbar.io forwards too little, the scene says so, and the link with CBOR proves that the
serializer isn't the cause (docs/upstream.rst). "out" is from node 1, which listens, to node 2,
which connects; "back" is the opposite direction.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from autobahn_fbs import forwarding
from autobahn_fbs._demo import linked
from autobahn_fbs._demo.links import LinkedRouter
from autobahn_fbs._demo.router import _listens
from support import link_scenes as scenes
from support.link_scenes import ACKNOWLEDGED, PATIENCE, Line
from support.linked_nodes import Nodes, Scene, Way, at_once, over_both
from support.relay import Relay

OUT: Way = (0, 1, 1)
BACK: Way = (1, 0, 0)


class Linked(LinkedRouter):
    """A node whose link goes through a relay."""

    relay: Relay

    def _link(self, node: LinkedRouter) -> dict[str, Any]:
        link = super()._link(node)
        self.relay = Relay(lambda: node.websocket)
        link["transport"]["endpoint"]["port"] = self.relay.port
        return link


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Nodes, Nodes]]:
    """Linked nodes with FlatBuffers on the link, and with CBOR."""
    with over_both(Linked, [1, 0]) as both:
        yield both
    for nodes in both:
        nodes.routers[1].relay.close()


def play(two: tuple[Nodes, Nodes], scene: Scene) -> list[Any]:
    """Runs a scene over both links, out and back at once; returns the four results."""
    return at_once(
        *(
            lambda nodes=nodes, way=way: asyncio.run(nodes.play(scene, way))
            for nodes in two
            for way in (OUT, BACK)
        )
    )


def compare(two: tuple[Nodes, Nodes], scene: Scene) -> tuple[Any, Any]:
    """Runs a scene over both links, out and back at once; returns the results out and back, which
    must be the same over both.
    """
    out, back, out_over_cbor, back_over_cbor = play(two, scene)
    assert (out, back) == (out_over_cbor, back_over_cbor)
    return out, back


def test_the_two_links_speak_flatbuffers_and_cbor(two: tuple[Nodes, Nodes]) -> None:
    async def spoken(line: Line) -> list[str]:
        return await linked.link_serializers(line.near)

    over_flatbuffers, over_cbor = (asyncio.run(nodes.play(spoken, OUT)) for nodes in two)
    assert (over_flatbuffers, over_cbor) == (["wamp.2.flatbuffers"], ["wamp.2.cbor.batched"])


# Links that break and nodes that die. They come first, because after some of the later tests,
# Crossbar.io can't establish a link again (docs/upstream.rst).


async def _count(line: Line, topic: str, start: int) -> list[int]:
    """Publishes ten numbers; returns those that are received."""
    line.heard.clear()
    for number in range(start, start + 10):
        await line.near.publish(topic, number, options=ACKNOWLEDGED)
    await line.fence()
    return [args[0] for args, *_ in line.heard if args[0] >= start]


@pytest.mark.parametrize("way", [OUT, BACK], ids=["out", "back"])
def test_a_link_that_breaks_in_a_stream_comes_back_and_doubles_nothing(
    two: tuple[Nodes, Nodes], way: Way
) -> None:
    async def stream(nodes: Nodes, line: Line) -> Any:
        topic, number = f"{line.base}.topic", 0
        await line.listen(topic)
        while len(line.heard) < 50:
            await line.near.publish(topic, number, options=ACKNOWLEDGED)
            number += 1
        assert nodes.routers[1].relay.cut() == 1
        cut = number
        deadline = asyncio.get_running_loop().time() + 2 * PATIENCE
        while line.heard[-1][0][0] < cut + 50:  # the link is back
            assert asyncio.get_running_loop().time() < deadline, "the link did not come back"
            await line.near.publish(topic, number, options=ACKNOWLEDGED)
            number += 1
            await asyncio.sleep(0.002)
        await line.fence()
        heard = [args[0] for args, *_ in line.heard]
        assert heard == sorted(set(heard))  # in order, none twice
        assert heard[:50] == list(range(50))
        begun = next(each for each in heard if each > cut)
        assert [each for each in heard if each >= begun] == list(range(begun, number))
        return await _count(line, topic, number) == list(range(number, number + 10))

    def play(nodes: Nodes) -> Any:
        async def scene(line: Line) -> Any:
            return await stream(nodes, line)

        scene.__name__ = "cut"
        return asyncio.run(nodes.play(scene, way))

    assert at_once(*(lambda nodes=nodes: play(nodes) for nodes in two)) == [True, True]


def _kill(nodes: Nodes, victim: int) -> None:
    """Kills a node and restarts it on its old ports."""
    router = nodes.routers[victim]
    config = json.loads((router.folder / "config.json").read_text())
    os.killpg(router._process.pid, signal.SIGKILL)
    router._process.wait()
    while any(map(_listens, router.ports)):  # the worker dies a moment later
        time.sleep(0.01)
    router.configure = lambda: config
    router._start()
    asyncio.run(nodes.settle())


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
def test_a_node_that_was_killed_is_linked_again_and_hears_everything_once(
    two: tuple[Nodes, Nodes],
) -> None:
    async def killed(line: Line) -> list[int]:
        await line.listen(f"{line.base}.topic")
        return await _count(line, f"{line.base}.topic", 0)

    def play(nodes: Nodes) -> list[Any]:
        _kill(nodes, 0)  # the link has to connect again
        return [asyncio.run(nodes.play(killed, way)) for way in (OUT, BACK)]

    found = at_once(*(lambda nodes=nodes: play(nodes) for nodes in two))
    assert found == [[list(range(10))] * 2] * 2


# What is forwarded, and what is not


def _heard(args: list[Any], kwargs: dict[str, Any], link_role: str) -> list[Any]:
    hops = [["near", "tina", "member"], ["link", "node2", link_role]]
    return [args, kwargs, True, False, ["near", hops]]


def _acknowledged(link_role: str) -> list[Any]:
    payloads: list[tuple[list[Any], dict[str, Any]]] = [
        ([1, "two"], {}),
        ([b"\x00\xff", [None, {"a": 1.5}]], {}),
        ([], {"name": "by keyword"}),
    ]
    return [True, *(_heard(*payload, link_role) for payload in payloads)]


SCENES = [
    (scenes.acknowledged, [_acknowledged("trusted"), _acknowledged("rlink")]),
    (scenes.shared, [["far", "far", "other", "other"]]),
    *scenes.OUTCOMES,
]


@pytest.mark.parametrize(("scene", "expected"), SCENES, ids=[scene.__name__ for scene, _ in SCENES])
def test_a_link_does_the_same_over_flatbuffers_and_over_cbor(
    two: tuple[Nodes, Nodes], scene: Scene, expected: list[Any]
) -> None:
    assert compare(two, scene) == (expected[0], expected[-1])


def test_an_error_becomes_none_over_either_link(two: tuple[Nodes, Nodes]) -> None:
    for failed, unknown in compare(two, scenes.errors):
        assert failed is None
        assert unknown[:2] == ["error", "wamp.error.no_such_procedure"]


@pytest.mark.skipif(find_spec("nacl") is None, reason="cryptobox needs PyNaCl")
def test_encrypted_payloads_pass_neither_link(two: tuple[Nodes, Nodes]) -> None:
    assert compare(two, scenes.encrypted) == (scenes.UNREADABLE, scenes.UNREADABLE)


def test_the_node_of_a_link_loses_events_with_kwargs_over_flatbuffers_and_over_cbor(
    two: tuple[Nodes, Nodes],
) -> None:
    lost = [False, False]
    for _ in range(6):  # it depends on the order of subscribers, which isn't known
        out, back, out_over_cbor, back_over_cbor = play(two, scenes.crowd)
        assert out == out_over_cbor == [10, "none lost"]
        assert {back[0], back_over_cbor[0]} == {10}
        lost = [
            before or result == [10, "some lost"]
            for before, result in zip(lost, (back, back_over_cbor), strict=True)
        ]
        if all(lost):
            break
    assert all(lost), lost


def test_the_chain_of_a_message_that_came_over_a_link_can_be_read_and_grown(
    two: tuple[Nodes, Nodes],
) -> None:
    async def chain(line: Line) -> Any:
        seen: list[Any] = []
        line.far.listener = lambda peer, way, msg: seen.append(msg)
        await line.listen(f"{line.base}.topic")
        await line.near.publish(f"{line.base}.topic", 1, options=ACKNOWLEDGED)
        await line.fence()
        (event,) = [msg for msg in seen if getattr(msg, "args", None) == [1]]
        first, last = forwarding.chain_of(event)
        assert first == {
            "session": line.near.details.session,
            "authid": "tina",
            "authrole": "member",
        }
        assert forwarding.reversed_chain(event) == [last, first]
        assert forwarding.has_loop(event, last["session"])
        assert not forwarding.has_loop(event)
        assert not forwarding.has_loop(event, line.far.details.session)
        forwarding.append_hop(event, line.far.details.session, "carl", "member")
        serializer = line.far._transport._serializer
        (again,) = serializer.unserialize(serializer.serialize(event)[0])
        assert [hop["session"] for hop in forwarding.chain_of(again)] == [
            first["session"],
            last["session"],
            line.far.details.session,
        ]
        with pytest.raises(ValueError, match="in a loop"):
            forwarding.append_hop(again, first["session"], "tina", "member")
        return [hop["authid"] for hop in forwarding.chain_of(again)]

    assert compare(two, chain) == (["tina", "node2", "carl"], ["tina", "node2", "carl"])
