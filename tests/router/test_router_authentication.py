"""Every way in which Crossbar.io determines who a client is, with FlatBuffers sessions.

test_router has those that use a list of principals in the node's configuration. This file has
cookies, TLS client certificates, and asking a procedure that a session registers, or a function in
the router's own process.

Not tested, because Crossbar.io 26.10.1 itself doesn't support it with any serializer:

- a function that is asked for anonymous and for TLS clients. Its configuration check ends with
  "logic error" for the first, and its authenticator refuses the second: 'invalid authentication
  configuration (authentication type "function" is unknown)';
- ``authenticator-role`` in a router worker, other than "trusted": Crossbar.io calls the procedure
  in a session that it has only for that role, and never answers a client if there is none;
- cryptosign bound to the TLS connection: Crossbar.io knows only "tls-unique", which TLS 1.3 doesn't
  have, and doesn't support older versions;
- SCRAM with PBKDF2: Autobahn's client fails, with "Invalid argument types".
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from autobahn.wamp import auth

from autobahn_fbs._demo import talk
from autobahn_fbs._demo.config import REALM
from autobahn_fbs._demo.sessions import Peer, Refused, enter, join
from support import function_authenticator
from support.authentication_node import PROCEDURE, AuthenticationNode
from support.proxy_node import ProxyNode
from support.router import METHODS, Place, Way, ids, running
from support.scenes import everything, quiet

WEBSOCKET, RAWSOCKET = ("websocket", "flatbuffers"), ("rawsocket", "flatbuffers")
WITH_PROOF = [name for name in METHODS if name != "anonymous"]


class ByConnection(auth.AuthAnonymous):  # type: ignore[misc]
    """A method in which the connection itself identifies the client."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@pytest.fixture(scope="module", params=[AuthenticationNode, ProxyNode])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A node, and one with a proxy worker in front of its router worker."""
    if sys.platform == "win32" and request.param is ProxyNode:
        pytest.skip("the proxy's connections are Unix domain sockets")
    with running(request.param) as place:
        yield place


def node_of(place: Place) -> AuthenticationNode:
    assert isinstance(place.router, AuthenticationNode)
    return place.router


async def ask_in(place: Place, asked: str, way: Way, login: str, wrong: bool = False) -> Peer:
    """Joins at the listener of a kind, with the credentials of `login` or with invalid ones."""
    chosen = place.site.logins[login]
    options = chosen.wrong if wrong else chosen.options
    assert options is not None
    door = node_of(place).doors[asked, way[0]]
    return await join(door, way[1], chosen.method, options, REALM)


@asynccontextmanager
async def answering(place: Place, serializer: str = "flatbuffers") -> AsyncIterator[list[Any]]:
    """Inside, a session answers who clients are. Yields the questions that it gets."""
    authenticate = function_authenticator.create(place.site.auth)
    questions: list[Any] = []

    def answer(realm: str, authid: str, details: dict[str, Any]) -> dict[str, Any]:
        questions.append((realm, authid, details))
        return authenticate(realm, authid, details)

    peer = await ask_in(place, "static", ("websocket", serializer), "ticket")
    await peer.register(answer, PROCEDURE)
    try:
        yield questions
    finally:
        await peer.part()


# Asking


@pytest.mark.parametrize("way", [WEBSOCKET, RAWSOCKET], ids=ids)
@pytest.mark.parametrize("login", METHODS)
def test_the_router_asks_a_procedure_in_flatbuffers_who_a_client_is(
    place: Place, login: str, way: Way
) -> None:
    async def run() -> Any:
        async with answering(place) as questions:
            peer = await ask_in(place, "dynamic", way, login)
            await peer.part()
        return peer.details, questions

    details, questions = asyncio.run(run())
    expected = place.site.logins[login]
    assert (details.authprovider, details.authmethod) == ("dynamic", expected.method)
    assert details.authrole == expected.role
    ((realm, authid, asked),) = questions
    assert (realm, authid) == (REALM, details.authid)
    assert asked["transport"]["channel_framing"] == way[0]
    # The expected details for the procedure.
    assert details.authextra["method"] == expected.method
    assert details.authextra["session"] == asked["session"]


@pytest.mark.parametrize("serializer", ["flatbuffers.batched", "json", "msgpack"])
def test_the_procedure_may_be_in_another_serializer_than_the_client(
    place: Place, serializer: str
) -> None:
    async def run() -> Any:
        async with answering(place, serializer) as questions:
            peer = await ask_in(place, "dynamic", WEBSOCKET, "ticket")
            await peer.part()
            other = await ask_in(place, "dynamic", ("websocket", "json"), "wampcra")
            await other.part()
        assert [authid for _, authid, _ in questions] == ["tina", "carl"]
        return peer.details.authid, other.details.authid

    assert asyncio.run(run()) == ("tina", "carl")


@pytest.mark.parametrize("login", WITH_PROOF)
def test_wrong_proofs_are_refused_where_a_procedure_is_asked(place: Place, login: str) -> None:
    async def run() -> None:
        async with answering(place):
            await ask_in(place, "dynamic", WEBSOCKET, login, wrong=True)

    with pytest.raises(Refused) as refusal:
        asyncio.run(run())
    wrong_ticket = function_authenticator.WRONG_TICKET  # where the procedure looks at the proof
    expected = wrong_ticket if login == "ticket" else "wamp.error.not_authorized"
    assert refusal.value.reason == expected


@pytest.mark.parametrize("asked", ["dynamic", "function"])
@pytest.mark.parametrize("way", [WEBSOCKET, RAWSOCKET], ids=ids)
def test_an_error_of_the_authenticator_reaches_the_client(
    place: Place, asked: str, way: Way
) -> None:
    async def run() -> None:
        async with answering(place):
            options = {"authid": "nobody", "ticket": "any"}
            await join(node_of(place).doors[asked, way[0]], way[1], "ticket", options, REALM)

    with pytest.raises(Refused, match="nobody knows nobody") as refusal:
        asyncio.run(run())
    assert refusal.value.reason == function_authenticator.NOT_KNOWN


@pytest.mark.parametrize("way", [WEBSOCKET, RAWSOCKET], ids=ids)
@pytest.mark.parametrize("login", WITH_PROOF)
def test_the_router_asks_a_function_who_a_client_is(place: Place, login: str, way: Way) -> None:
    async def run() -> Any:
        peer = await ask_in(place, "function", way, login)
        await peer.part()
        return peer.details

    details = asyncio.run(run())
    expected = place.site.logins[login]
    assert (details.authprovider, details.authmethod) == ("function", expected.method)
    assert (details.authrole, details.authid) == (expected.role, expected.options["authid"])
    assert details.authextra["method"] == expected.method


# TLS


async def join_by_certificate(place: Place, asked: str, way: Way, who: str = "alice") -> Peer:
    node = node_of(place)
    identity = node.alice if who == "alice" else node.authority.issue(who)
    peer = Peer(who, REALM, ByConnection("tls"))
    door = node.doors[f"tls-{asked}", way[0]]
    await enter(peer, door, way[1], tls=identity.context(node.authority.certificate))
    return peer


@pytest.mark.parametrize("way", [WEBSOCKET, RAWSOCKET], ids=ids)
def test_a_session_joins_with_its_tls_certificate(place: Place, way: Way) -> None:
    async def run() -> Any:
        peer = await join_by_certificate(place, "static", way)
        await peer.part()
        return peer.details

    details = asyncio.run(run())
    assert (details.authmethod, details.authprovider) == ("tls", "static")
    assert (details.authid, details.authrole) == ("alice", "member")
    assert details.transport.is_secure


@pytest.mark.parametrize("way", [WEBSOCKET, RAWSOCKET], ids=ids)
def test_the_router_shows_a_procedure_the_tls_certificate(place: Place, way: Way) -> None:
    async def run() -> Any:
        async with answering(place):
            peer = await join_by_certificate(place, "dynamic", way)
            await peer.part()
        return peer.details

    details = asyncio.run(run())
    assert (details.authmethod, details.authprovider) == ("tls", "dynamic")
    assert (details.authid, details.authrole) == ("alice", "member")
    assert details.authextra["issuer"] == "authority"


@pytest.mark.parametrize("asked", ["static", "dynamic"])
def test_a_tls_certificate_that_nobody_knows_is_refused(place: Place, asked: str) -> None:
    async def run() -> None:
        async with answering(place):
            await join_by_certificate(place, asked, WEBSOCKET, "mallory")

    with pytest.raises(Refused) as refusal:
        asyncio.run(run())
    not_known = function_authenticator.NOT_KNOWN
    expected = {"static": "wamp.error.not_authorized", "dynamic": not_known}
    assert refusal.value.reason == expected[asked]


@pytest.mark.parametrize("other", [RAWSOCKET, ("websocket", "json")], ids=ids)
def test_sessions_over_tls_understand_each_other(place: Place, other: Way) -> None:
    async def run() -> None:
        one = await join_by_certificate(place, "static", WEBSOCKET)
        two = await join_by_certificate(place, "static", other)
        await everything(one, two)

    asyncio.run(run())


# Cookies


async def join_by_cookie(place: Place, cookie: str | None) -> tuple[Peer, list[str]]:
    """Joins with a cookie, or else with a ticket; also returns the kinds of messages that it
    took."""
    peer = Peer("tina", REALM, ByConnection("cookie"))
    options = place.site.logins["ticket"].options
    # Also needed with a good cookie: the router names the method that the cookie was given for.
    peer.add_authenticator(auth.create_authenticator("ticket", **options))
    kinds: list[str] = []
    peer.listener = lambda peer, way, msg: kinds.append(type(msg).__name__)
    door = node_of(place).doors["static", "websocket"]
    await enter(peer, door, "flatbuffers", headers={"Cookie": cookie} if cookie else None)
    return peer, kinds


def cookie_of(peer: Peer) -> str:
    """The cookie that the router set when it opened the connection."""
    transport: Any = peer._transport
    return str(transport.http_headers["set-cookie"]).partition(";")[0]


def test_a_cookie_stands_for_the_authentication_that_it_was_set_with(place: Place) -> None:
    async def run() -> None:
        first, kinds = await join_by_cookie(place, None)
        assert kinds == ["Hello", "Challenge", "Authenticate", "Welcome"]
        assert first.details.authprovider == "static"
        cookie = cookie_of(first)
        await first.part()

        second, kinds = await join_by_cookie(place, cookie)
        assert kinds == ["Hello", "Welcome"]
        details = second.details
        assert (details.authprovider, details.authmethod) == ("cookie", "ticket")
        assert (details.authid, details.authrole) == ("tina", "member")
        other = await ask_in(place, "static", RAWSOCKET, "anonymous")
        await talk.everything(second, other, quiet)
        await other.part()
        await second.part()

    asyncio.run(run())


def test_a_cookie_is_invalid_after_logging_out(place: Place) -> None:
    async def run() -> None:
        first, _ = await join_by_cookie(place, None)
        cookie = cookie_of(first)
        first.leave("wamp.close.logout")
        await first.part()

        second, kinds = await join_by_cookie(place, cookie)
        assert "Challenge" in kinds
        await second.part()

    asyncio.run(run())


def test_a_cookie_that_the_router_never_set_is_invalid(place: Place) -> None:
    async def run() -> None:
        peer, kinds = await join_by_cookie(place, "cbtid=made-up")
        assert "Challenge" in kinds
        await peer.part()

    asyncio.run(run())
