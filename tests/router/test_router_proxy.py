"""Sessions through a real proxy worker of Crossbar.io, in front of a router worker.

A proxy worker accepts a client, opens a connection of its own to the router worker for it, and
passes each message from one side to the serializer of the other. A message is therefore read and
written once more than usual, and by one more serializer: that of the connection between the two
workers. The drop-in is in both.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from autobahn.wamp.exception import ApplicationError

from autobahn_fbs import payloads
from autobahn_fbs._demo.config import REALM, Login, Site
from autobahn_fbs._demo.sessions import Peer, Refused, join
from support.proxy_node import LEGS, ProxyNode
from support.router import (
    FLATBUFFERS,
    METHODS,
    OTHERS,
    Place,
    Way,
    both,
    expect_native_code,
    expect_no_such_realm,
    ids,
    running,
)
from support.scenes import (
    ARGS,
    KWARGS,
    cancel,
    everything,
    exchange,
    keyrings,
    publish_as_tina,
    publish_to_all,
)

if sys.platform == "win32":
    pytest.skip("the proxy's connections are Unix domain sockets", allow_module_level=True)

CODECS = payloads.known_ids()
WAYS = FLATBUFFERS + OTHERS
PAIRS = [
    (("websocket", "flatbuffers"), ("rawsocket", "flatbuffers")),
    (("rawsocket", "flatbuffers"), ("websocket", "json")),
    (("rawsocket", "msgpack"), ("websocket", "flatbuffers.batched")),
]


def a_login_for_each_leg(site: Site) -> None:
    for leg in LEGS:
        ticket = f"to the {leg} leg"
        site.logins[leg] = Login("ticket", leg, {"authid": leg, "ticket": ticket})
        site.auth["ticket"]["principals"][leg] = {"ticket": ticket, "role": leg}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(ProxyNode, a_login_for_each_leg) as place:
        yield place


async def join_at(place: Place, name: str, way: Way) -> Peer:
    """A session at one of the node's doors."""
    assert isinstance(place.router, ProxyNode)
    login = place.site.logins["ticket"]
    door = place.router.doors[name, way[0]]
    return await join(door, way[1], login.method, login.options, REALM)


# Joining


def test_every_process_of_the_node_has_loaded_the_native_code(place: Place) -> None:
    expect_native_code(place, 3)  # controller, router worker, proxy worker


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
@pytest.mark.parametrize("login", METHODS)
def test_a_session_joins_through_the_proxy_with_the_identity_that_it_authenticated(
    place: Place, way: Way, login: str
) -> None:
    async def enter() -> Any:
        peer = await place.join(way, login)
        await peer.part()
        return peer.details

    details = asyncio.run(enter())
    expected = place.site.logins[login]
    assert (details.realm, details.serializer) == (REALM, way[1])
    assert (details.authmethod, details.authrole) == (expected.method, expected.role)
    if "authid" in expected.options:
        assert details.authid == expected.options["authid"]
    # The details that the two workers add to WELCOME have no fields in the schema.
    assert details.authextra["x_cb_proxy_worker"] != details.authextra["x_cb_worker"]


@pytest.mark.parametrize("login", [name for name in METHODS if name != "anonymous"])
def test_the_proxy_refuses_wrong_credentials(place: Place, login: str) -> None:
    with pytest.raises(Refused) as refusal:
        asyncio.run(place.try_wrong(("websocket", "flatbuffers"), login))
    assert refusal.value.reason.startswith("wamp.error.")


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
def test_the_proxy_refuses_an_unknown_realm(place: Place, way: Way) -> None:
    expect_no_such_realm(place, way)


# Talking


@pytest.mark.parametrize(("one", "two"), PAIRS, ids=ids)
@pytest.mark.parametrize("leg", LEGS)
def test_two_sessions_understand_each_other_through_the_proxy(
    place: Place, leg: str, one: Way, two: Way
) -> None:
    async def run() -> None:
        first, second = await place.join(one, leg), await place.join(two, leg)
        await everything(first, second)

    asyncio.run(run())


@pytest.mark.parametrize("way", [("rawsocket", "flatbuffers"), ("websocket", "json")], ids=ids)
@pytest.mark.parametrize("leg", LEGS)
def test_a_session_behind_the_proxy_understands_one_beside_it(
    place: Place, leg: str, way: Way
) -> None:
    async def run() -> None:
        behind = await place.join(("websocket", "flatbuffers"), leg)
        beside = await join_at(place, "beside", way)
        await everything(behind, beside)

    asyncio.run(run())


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
def test_a_listener_of_the_proxy_may_have_all_transports_at_one_port(
    place: Place, way: Way
) -> None:
    async def run() -> None:
        one = await join_at(place, "universal", way)
        two = await join_at(place, "web", ("websocket", "flatbuffers"))
        await everything(one, two)

    asyncio.run(run())


def test_one_event_reaches_subscribers_with_every_serializer_over_every_connection(
    place: Place,
) -> None:
    async def run() -> list[Any]:
        speaker = await place.join(("websocket", "flatbuffers"), "raw")
        legs = [*LEGS, "raw"]
        listeners = [await place.join(way, leg) for way, leg in zip(WAYS, legs, strict=True)]
        return await publish_to_all(speaker, listeners)

    assert asyncio.run(run()) == [("one", 2)] * 6


def test_an_event_through_the_proxy_says_who_published_it(place: Place) -> None:
    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), publish_as_tina)


def test_a_call_through_the_proxy_that_is_cancelled_ends_with_that_error(place: Place) -> None:
    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), cancel)


@pytest.mark.parametrize("leg", LEGS)
def test_an_unknown_procedure_is_an_error_from_the_router_behind_the_proxy(
    place: Place, leg: str
) -> None:
    async def run() -> None:
        caller = await place.join(("websocket", "flatbuffers"), leg)
        with pytest.raises(ApplicationError) as error:
            await caller.call("com.example.nobody")
        assert error.value.error == "wamp.error.no_such_procedure"
        await caller.part()

    asyncio.run(run())


@pytest.mark.parametrize("leg", LEGS)
def test_a_large_message_passes_the_proxy_unchanged(place: Place, leg: str) -> None:
    payload = {"bytes": bytes(range(256)) * 2000, "text": "ü" * 100_000}

    async def run() -> None:
        peer = await place.join(("rawsocket", "flatbuffers"), leg)
        await peer.register(lambda value: value, "com.example.large")
        assert await peer.call("com.example.large", payload) == payload
        await peer.part()

    asyncio.run(run())


# Payloads


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("leg", ["raw", "cbor"])
def test_every_payload_codec_goes_through_the_proxy(place: Place, leg: str, codec: str) -> None:
    async def run() -> None:
        one = await place.join(("websocket", f"flatbuffers-{codec}"), leg)
        two = await place.join(("rawsocket", "flatbuffers"), leg)
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        assert await exchange(two, one) == [(ARGS, KWARGS)] * 3
        await one.part()
        await two.part()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("leg", "undecoded"), [("raw", True), ("batched", True), ("cbor", False)], ids=LEGS.get
)
def test_payloads_pass_the_proxy_undecoded_between_flatbuffers_and_flatbuffers(
    place: Place, leg: str, undecoded: bool
) -> None:
    async def counters() -> dict[str, Any]:
        # A function in the proxy's process sends them to its client.
        peer = await join_at(place, "function", ("websocket", "flatbuffers"))
        await peer.part()
        found: dict[str, Any] = peer.details.authextra["counters"]
        return found

    async def run() -> tuple[int, int]:
        one = await place.join(("websocket", "flatbuffers"), leg)
        two = await place.join(("rawsocket", "flatbuffers"), leg)
        before = await counters()
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        after = await counters()
        await one.part()
        await two.part()
        decoded = after["payloads_decoded"] - before["payloads_decoded"]
        return after["pass_ons"] - before["pass_ons"], decoded

    passed_on, decoded = asyncio.run(run())
    if undecoded:
        assert decoded == 0
        # PUBLISH and EVENT, CALL and INVOCATION, YIELD and RESULT
        assert passed_on >= 6
    else:
        # args and kwargs of PUBLISH and of CALL, args of YIELD
        assert decoded == 5


@pytest.mark.skipif(find_spec("nacl") is None, reason="cryptobox needs PyNaCl")
@pytest.mark.parametrize("other", [("rawsocket", "flatbuffers"), ("websocket", "json")], ids=ids)
@pytest.mark.parametrize("leg", ["raw", "cbor"])
def test_end_to_end_encrypted_payloads_pass_the_proxy_unread(
    place: Place, leg: str, other: Way
) -> None:
    async def run() -> None:
        one, two = await place.join(("websocket", "flatbuffers"), leg), await place.join(other, leg)
        first, second = keyrings()
        one.set_payload_codec(first)
        two.set_payload_codec(second)
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        await one.part()
        await two.part()

    asyncio.run(run())
