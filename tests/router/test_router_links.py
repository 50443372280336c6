"""Crossbar.io nodes that are linked on loopback, started with ``run --prefer``: the links speak
FlatBuffers. What Crossbar.io doesn't forward, it doesn't forward over CBOR either."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from autobahn.wamp.exception import ApplicationError

import autobahn_fbs
from autobahn_fbs._demo import linked
from autobahn_fbs._demo.config import Site, make_site
from autobahn_fbs._demo.links import LinkedRouter, LinkedRouters
from autobahn_fbs._demo.router import Router
from support.programs import run_python

Scene = Callable[[list[list[Any]]], Awaitable[Any]]


class OverCbor(LinkedRouter):
    """The same node without the preference."""

    COMMAND = Router.COMMAND


def running(kind: type[LinkedRouter], count: int) -> Iterator[tuple[list[LinkedRouter], Site]]:
    site = make_site()
    autobahn_fbs.install()
    try:
        with LinkedRouters(site, count, kind) as routers:
            yield routers, site
    finally:
        autobahn_fbs.uninstall()


@pytest.fixture(scope="module")
def three() -> Iterator[tuple[list[LinkedRouter], Site]]:
    yield from running(LinkedRouter, 3)


@pytest.fixture(scope="module")
def two_over_cbor() -> Iterator[tuple[list[LinkedRouter], Site]]:
    yield from running(OverCbor, 2)


def play(place: tuple[list[LinkedRouter], Site], scene: Scene) -> Any:
    """Plays a scene between sessions at all nodes."""

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


def test_without_the_preference_links_speak_cbor(two_over_cbor: Any) -> None:
    assert play(two_over_cbor, spoken) == ["wamp.2.cbor.batched"]


def test_an_event_comes_to_every_session_once_with_its_hops_in_order(three: Any) -> None:
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


async def fail(peers: list[list[Any]]) -> Any:
    """What a caller gets at one node when the procedure at the other raises an error."""

    def failing() -> None:
        raise ApplicationError("com.example.error.failed", 1)

    await peers[1][0].register(failing, "com.example.failing")
    await linked.wait_for(peers[0][0], "registration", "com.example.failing")
    return await asyncio.wait_for(peers[0][0].call("com.example.failing"), 15)


@pytest.mark.parametrize("links", ["three", "two_over_cbor"])
def test_an_error_comes_back_as_none_whatever_the_link_speaks(
    request: pytest.FixtureRequest, links: str
) -> None:
    assert play(request.getfixturevalue(links), fail) is None


async def progress(peers: list[list[Any]]) -> Any:
    """What a caller gets of a progressive result from the other node."""
    from autobahn.wamp.types import CallOptions, RegisterOptions

    def counting(details: Any = None) -> str:
        if details.progress:
            details.progress(1)
        return "done"

    seen: list[Any] = []
    options = RegisterOptions(details_arg="details")
    await peers[1][0].register(counting, "com.example.counting", options=options)
    await linked.wait_for(peers[0][0], "registration", "com.example.counting")
    told = CallOptions(on_progress=seen.append)
    call = peers[0][0].call("com.example.counting", options=told)
    return [*seen, await asyncio.wait_for(call, 15)]


@pytest.mark.parametrize("links", ["three", "two_over_cbor"])
def test_progressive_results_stay_behind_whatever_the_link_speaks(
    request: pytest.FixtureRequest, links: str
) -> None:
    assert play(request.getfixturevalue(links), progress) == ["done"]


def test_the_demo_shows_linked_nodes() -> None:
    done = run_python("-m", "autobahn_fbs", "demo", "--nodes", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok  a link to node1 speaks wamp.2.flatbuffers" in done.stdout
    assert "ok  10 calls from router to router" in done.stdout
