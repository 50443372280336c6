"""Sessions through a real router, Crossbar.io, with the drop-in in its processes and in this one.

The router is started as the demo starts it; every test joins it over loopback.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from autobahn.wamp import message
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallOptions

from autobahn_fbs._demo import talk
from autobahn_fbs._demo.config import REALM
from autobahn_fbs._demo.sessions import Peer, Refused
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
)
from support.scenes import cancel, publish_as_tina, publish_to_all, quiet

# Joining


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
@pytest.mark.parametrize("login", METHODS)
def test_a_session_joins_with_the_identity_that_it_authenticated(
    place: Place, way: Way, login: str
) -> None:
    async def enter() -> tuple[str, Any]:
        peer = await place.join(way, login)
        await peer.part()
        return peer.subprotocol, peer.details

    subprotocol, details = asyncio.run(enter())
    expected = place.site.logins[login]
    assert subprotocol == f"wamp.2.{way[1]}"
    assert details.serializer == way[1]
    assert details.realm == REALM
    assert (details.authmethod, details.authrole) == (expected.method, expected.role)
    assert details.authprovider == "static"
    if "authid" in expected.options:
        assert details.authid == expected.options["authid"]


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
@pytest.mark.parametrize("login", [name for name in METHODS if name != "anonymous"])
def test_wrong_credentials_are_refused_and_not_accepted_as_anonymous(
    place: Place, way: Way, login: str
) -> None:
    with pytest.raises(Refused) as refusal:
        asyncio.run(place.try_wrong(way, login))
    assert refusal.value.reason.startswith("wamp.error.")


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
def test_an_unknown_realm_is_refused_with_the_routers_reason(place: Place, way: Way) -> None:
    expect_no_such_realm(place, way)


def test_both_sides_announce_their_roles_with_features(place: Place) -> None:
    async def enter() -> dict[str, Any]:
        peer = await place.join(("websocket", "flatbuffers"))
        roles = peer._router_roles
        await peer.part()
        return roles

    roles = asyncio.run(enter())
    assert set(roles) == {"broker", "dealer"}
    assert roles["dealer"].progressive_call_results is True
    assert roles["broker"].publisher_identification is True


def test_the_router_tells_which_of_its_processes_has_the_session(place: Place) -> None:
    """Crossbar.io puts that into details of WELCOME that have no field in the schema."""
    if not sys.platform.startswith("linux"):
        pytest.skip("finds the router's processes in /proc")

    async def enter() -> Any:
        peer = await place.join(("rawsocket", "flatbuffers"))
        await peer.part()
        return peer.details.authextra

    extra = asyncio.run(enter())
    controller, *workers = place.router.processes()
    assert extra["x_cb_pid"] in workers
    assert controller not in workers


def test_every_process_of_the_router_has_loaded_the_native_code(place: Place) -> None:
    expect_native_code(place, 2)


# Talking

SCENES = [talk.events, talk.progress, talk.failure]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("second", FLATBUFFERS, ids=ids)
@pytest.mark.parametrize("first", FLATBUFFERS, ids=ids)
def test_two_flatbuffers_sessions_understand_each_other(
    place: Place, first: Way, second: Way, scene: Callable[..., Awaitable[None]]
) -> None:
    both(place, first, second, lambda one, two: scene(one, two, quiet))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("other", OTHERS, ids=ids)
@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
@pytest.mark.parametrize("to", ["from", "to"])
def test_the_router_translates_from_and_to_flatbuffers(
    place: Place, to: str, way: Way, other: Way, scene: Callable[..., Awaitable[None]]
) -> None:
    first, second = (other, way) if to == "to" else (way, other)
    both(place, first, second, lambda one, two: scene(one, two, quiet))


def test_one_event_reaches_subscribers_with_every_serializer(place: Place) -> None:
    async def play() -> list[Any]:
        speaker = await place.join(("websocket", "flatbuffers"))
        listeners = [await place.join(way) for way in [*FLATBUFFERS, *FLATBUFFERS, *OTHERS]]
        return await publish_to_all(speaker, listeners)

    assert asyncio.run(play()) == [("one", 2)] * 9


def test_an_event_says_who_published_it_and_where(place: Place) -> None:
    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), publish_as_tina)


def test_a_call_that_is_cancelled_ends_with_that_error(place: Place) -> None:
    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), cancel)


def test_a_call_that_takes_too_long_times_out(place: Place) -> None:
    async def scene(caller: Peer, callee: Peer) -> None:
        async def wait() -> None:
            await asyncio.sleep(10)

        await callee.register(wait, "com.example.slow")
        one_second = CallOptions(timeout=1)  # WAMP defines milliseconds, Crossbar.io counts seconds
        with pytest.raises(ApplicationError) as error:
            await asyncio.wait_for(caller.call("com.example.slow", options=one_second), 8)
        assert error.value.error == "wamp.error.canceled"

    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), scene)


def test_an_unknown_procedure_is_an_error_from_the_router(place: Place) -> None:
    async def scene(caller: Peer, other: Peer) -> None:
        with pytest.raises(ApplicationError) as error:
            await caller.call("com.example.nobody")
        assert error.value.error == "wamp.error.no_such_procedure"

    both(place, ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers"), scene)


def test_the_routers_own_procedures_answer_in_flatbuffers(place: Place) -> None:
    async def scene(caller: Peer, other: Peer) -> None:
        session = await caller.call("wamp.session.get", other.details.session)
        assert (session["authid"], session["authmethod"]) == ("carl", "wampcra")
        assert session["transport"]["channel_serializer"] == "flatbuffers"

    both(place, ("websocket", "flatbuffers.batched"), ("rawsocket", "flatbuffers"), scene)


@pytest.mark.parametrize("way", FLATBUFFERS, ids=ids)
def test_a_large_message_arrives_unchanged(place: Place, way: Way) -> None:
    payload = {"bytes": bytes(range(256)) * 2000, "text": "ü" * 100_000}

    async def scene(caller: Peer, callee: Peer) -> None:
        await callee.register(lambda value: value, "com.example.echo")
        assert await caller.call("com.example.echo", payload) == payload

    both(place, way, way, scene)


def test_a_session_receives_native_messages(place: Place) -> None:
    seen: list[Any] = []

    async def play() -> None:
        peer = await place.join(
            ("websocket", "flatbuffers"),
            "ticket",
            listener=lambda peer, way, msg: seen.append((way, msg)),
        )
        await peer.part()

    asyncio.run(play())
    kinds = [(way, type(msg).__name__) for way, msg in seen]
    assert kinds[:4] == [
        ("->", "Hello"),
        ("<-", "Challenge"),
        ("->", "Authenticate"),
        ("<-", "Welcome"),
    ]
    welcome = seen[3][1]
    assert isinstance(welcome, message.Welcome)
    assert type(welcome) is not message.Welcome
