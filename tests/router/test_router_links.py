"""Crossbar.io nodes that are linked on loopback, started with ``run --prefer``: the links use
FlatBuffers. test_router_link_behaviour.py compares links with FlatBuffers and CBOR."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from autobahn.wamp import message
from autobahn.wamp.types import PublishOptions

import autobahn_fbs
from autobahn_fbs import forwarding
from autobahn_fbs._demo import linked
from autobahn_fbs._demo.config import Site, make_site
from autobahn_fbs._demo.links import LinkedRouter, LinkedRouters
from support.programs import run_python

Scene = Callable[[list[list[Any]]], Awaitable[Any]]


@pytest.fixture(scope="module")
def three() -> Iterator[tuple[list[LinkedRouter], Site]]:
    site = make_site()
    autobahn_fbs.install()
    try:
        with LinkedRouters(site, 3) as routers:
            yield routers, site
    finally:
        autobahn_fbs.uninstall()


def play(place: tuple[list[LinkedRouter], Site], scene: Scene) -> Any:
    """Runs a scene between sessions at all nodes."""

    async def run() -> Any:
        peers = await linked.join_all(*place)
        try:
            return await scene(peers)
        finally:
            await linked.part_all(peers)

    return asyncio.run(run())


async def spoken(peers: list[list[Any]]) -> list[str]:
    return [each for there in peers for each in await linked.link_serializers(there[0])]


def test_links_that_name_no_serializer_speak_flatbuffers(three: Any) -> None:
    assert play(three, spoken) == ["wamp.2.flatbuffers"] * 3


def test_an_event_reaches_every_session_once_with_its_hops_in_order(three: Any) -> None:
    hops = [each for each in play(three, linked.events) if each]
    assert hops
    for publisher, link in hops:
        assert (publisher["authid"], publisher["authrole"]) == ("tina", "member")
        assert (link["authid"], link["authrole"]) in [
            *(("node2", "trusted"), ("node3", "trusted")),  # the links' sessions where they begin
            *(("node2", "rlink"), ("node3", "rlink")),  # and where they end
        ]


def test_procedures_are_called_from_every_other_node(three: Any) -> None:
    assert play(three, linked.calls) == 3 * 2 * len(linked.WAYS)


async def chatter(peers: list[list[Any]]) -> list[list[list[Any]]]:
    """One session at each node publishes 30 events, all at the same time. Returns the events that
    sessions at each node received, and whether a message with a loop arrived.
    """
    topic = "com.example.chatter"
    heard: list[list[list[Any]]] = [[] for _ in peers]
    looped = []

    def look(peer: Any, way: str, msg: Any) -> None:
        if isinstance(msg, message.Event):
            looped.append(forwarding.has_loop(msg) or len(forwarding.chain_of(msg)) > 2)

    for place, there in enumerate(peers):
        there[0].listener = look
        await there[0].subscribe(lambda *args, h=heard[place]: h.append(list(args)), topic)
    for there in peers:
        await linked.wait_for(there[0], "subscription", topic)
    await asyncio.sleep(1)  # every link has its own subscription

    async def speak(place: int) -> None:
        options = PublishOptions(acknowledge=True, exclude_me=False)
        for number in range(30):
            await peers[place][0].publish(topic, place, number, options=options)

    await asyncio.gather(*(speak(place) for place in range(len(peers))))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if all(len(each) >= 30 * len(peers) for each in heard):
            break
    await asyncio.sleep(0.3)  # to detect duplicates
    assert looped and not any(looped)
    return heard


def test_in_a_ring_no_event_is_lost_comes_twice_or_loops(three: Any) -> None:
    sent = [[place, number] for place in range(3) for number in range(30)]
    for heard in play(three, chatter):
        assert sorted(heard) == sent
        for place in range(3):  # those of one publisher are in order
            assert [each for each in heard if each[0] == place] == sent[30 * place :][:30]


def test_the_demo_shows_linked_nodes() -> None:
    done = run_python("-m", "autobahn_fbs", "demo", "--nodes", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok  a link to node1 speaks wamp.2.flatbuffers" in done.stdout
    assert "ok  10 calls from router to router" in done.stdout
