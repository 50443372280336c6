"""Rows of three Crossbar.io nodes: node 2 connects to node 1, and node 3 to node 2.

Crossbar.io forwards too little in a row (docs/upstream.rst), with FlatBuffers on the links and with
CBOR. These tests start six nodes, so they only run if they are asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from autobahn.wamp.types import PublishOptions

from autobahn_fbs._demo.config import Site
from autobahn_fbs._demo.links import LinkedRouter
from support import link_scenes as scenes
from support.linked_nodes import Nodes, Way, at_once, over_both

pytestmark = pytest.mark.skipif(
    os.environ.get("ROW") != "1", reason="NOT TESTED: rows of nodes, without ROW=1"
)

#: From the last node to the first, with the other session in the middle.
TO_FIRST: Way = (2, 0, 1)


class InRow(LinkedRouter):
    """A node that is linked to the one before it only."""

    def __init__(self, site: Site, before: tuple[LinkedRouter, ...] = ()) -> None:
        super().__init__(site, before[-1:])
        self.name = f"node{len(before) + 1}"


@pytest.fixture(scope="module")
def rows() -> Iterator[tuple[Nodes, Nodes]]:
    """Rows with FlatBuffers on the links, and with CBOR."""
    with over_both(InRow, [1, 1, 0]) as both:
        yield both


async def _reached(nodes: Nodes) -> Any:
    """For each node, the nodes that hear its events, and those whose calls reach it."""
    peers = [await nodes.join(place, "rawsocket", "flatbuffers", "ticket") for place in range(3)]
    heard: list[set[int]] = [set() for _ in peers]
    for place, peer in enumerate(peers):
        await peer.subscribe(heard[place].add, "com.example.topic")
        await peer.register(lambda place=place: place, f"com.example.place{place}")
    await asyncio.sleep(2)  # nothing tells what will never arrive
    callers: list[set[int]] = [set() for _ in peers]
    told = PublishOptions(acknowledge=True, exclude_me=False)
    for place, peer in enumerate(peers):
        await peer.publish("com.example.topic", place, options=told)
        for callee in range(3):
            if await scenes.outcome(peer.call(f"com.example.place{callee}")) == callee:
                callers[callee].add(place)
    await asyncio.sleep(1)
    for peer in peers:
        await peer.part()
    return [{at for at in range(3) if place in heard[at]} for place in range(3)], callers


def test_events_cross_one_link_and_calls_two_links_to_the_first_node(rows: Any) -> None:
    events = [{0, 1}, {0, 1, 2}, {1, 2}]
    callers = [{0, 1, 2}, {0, 1, 2}, {1, 2}]
    found = at_once(*(lambda nodes=nodes: asyncio.run(_reached(nodes)) for nodes in rows))
    assert found == [(events, callers)] * 2


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (scenes.results, [[[1, b"\x00"], {"a": None}], [[], {}], True]),
        (scenes.progress, ["done"]),
        (scenes.shared, ["far", "far", "other", "other"]),
        (scenes.caller, ["link", []]),
        (scenes.timeout, [scenes.TIMED_OUT, "finished"]),
        (
            scenes.cancelling,
            [[mode, *scenes.IGNORED] for mode in ("kill", "killnowait", "skip")],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_row_does_the_same_over_flatbuffers_and_over_cbor(
    rows: Any, scene: Any, expected: Any
) -> None:
    plays = (lambda nodes=nodes: asyncio.run(nodes.play(scene, TO_FIRST)) for nodes in rows)
    assert at_once(*plays) == [expected, expected]
