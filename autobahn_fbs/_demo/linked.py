"""Sessions at linked routers exchange messages, and the demo of this."""

from __future__ import annotations

import asyncio
from typing import Any

from .config import REALM, Site
from .links import LINK_ROLE, LinkedRouter, LinkedRouters
from .report import Report
from .router import installed_version
from .sessions import Door, Peer, join
from .talk import EVENT_ARGS, TOPIC, Different

#: How sessions join each of the routers.
WAYS = [
    ("websocket", "flatbuffers"),
    ("rawsocket", "flatbuffers"),
    ("websocket", "cbor"),
    ("websocket", "msgpack"),
    ("websocket", "json"),
]

ADD = "com.example.add"
_PATIENCE = 15.0


async def join_all(routers: list[LinkedRouter], site: Site) -> list[list[Peer]]:
    """Sessions in all WAYS at each router; a list for each router."""
    login = site.logins["ticket"]
    return [
        [
            await join(
                Door(transport, getattr(router, transport)),
                serializer,
                login.method,
                login.options,
                REALM,
                f"{serializer} at {router.name}",
            )
            for transport, serializer in WAYS
        ]
        for router in routers
    ]


async def part_all(peers: list[list[Peer]]) -> None:
    """All sessions leave."""
    for there in peers:
        for peer in there:
            await peer.part()


async def wait_for(peer: Any, members: str, uri: str, count: int = 1) -> None:
    """Waits until a topic has this many "subscribers" at this session's router, or a procedure this
    many "callees".

    Each link subscribes once. One alone is not enough for events: it may be that of a node in
    between, and events don't go two links far.

    :raises Different: they weren't there within 15 seconds.
    """
    kind = {"subscribers": "subscription", "callees": "registration"}[members]
    found = 0
    for _ in range(int(_PATIENCE / 0.05)):
        number = await peer.call(f"wamp.{kind}.lookup", uri)
        if number is not None:
            found = await peer.call(f"wamp.{kind}.count_{members}", number)
        if found >= count:
            return
        await asyncio.sleep(0.05)
    raise Different(f"{found} of {count} {members} of {uri} are known to {peer.name}")


async def link_serializers(peer: Any) -> list[str]:
    """The serializers of the links that connected to this session's router."""
    found = []
    for number in await peer.call("wamp.session.list"):
        details = await peer.call("wamp.session.get", number)
        if details["authrole"] == LINK_ROLE:
            found.append(details["transport"]["websocket_protocol"])
    return found


async def events(peers: list[list[Peer]]) -> list[list[dict[str, Any]] | None]:
    """All sessions subscribe, and the first session of each router publishes, acknowledged.

    Without kwargs, because a link makes Crossbar.io lose some events with kwargs
    (docs/upstream.rst).

    :return: the different ``forward_for`` of the received events.
    :raises Different: an event differs from the published one, or a session didn't get it exactly
        once.
    """
    from autobahn.wamp.types import PublishOptions, SubscribeOptions

    everybody: list[Any] = [peer for there in peers for peer in there]
    heard: list[tuple[str, Any]] = []
    hops: list[list[dict[str, Any]] | None] = []
    subscriptions = []
    for peer in everybody:

        def on_event(*args: Any, details: Any, _name: str = peer.name) -> None:
            heard.append((_name, list(args)))
            if details.forward_for not in hops:
                hops.append(details.forward_for)

        options = SubscribeOptions(details_arg="details")
        subscriptions.append(await peer.subscribe(on_event, TOPIC, options=options))
    for there in peers:
        await wait_for(there[0], "subscribers", TOPIC, len(there) + len(peers) - 1)
    for there in peers:
        heard.clear()
        speaker: Any = there[0]
        told = PublishOptions(acknowledge=True, exclude_me=False)
        await speaker.publish(TOPIC, *EVENT_ARGS, options=told)
        for _ in range(100):
            await asyncio.sleep(0.05)
            if len(heard) >= len(everybody):
                break
        await asyncio.sleep(0.2)  # to detect duplicates
        if sorted(heard, key=repr) != sorted(((p.name, EVENT_ARGS) for p in everybody), key=repr):
            raise Different(f"published by {speaker.name}, heard: {heard!r}")
    for subscription in subscriptions:
        await subscription.unsubscribe()
    return hops


async def calls(peers: list[list[Peer]]) -> int:
    """A session at each router registers a procedure, and all sessions elsewhere call it.

    :return: the number of calls.
    :raises Different: a result is wrong.
    """
    count = 0
    for number, there in enumerate(peers):
        uri = f"{ADD}{number}"
        callee: Any = there[number % len(there)]
        await callee.register(lambda a, b: a + b, uri)
        for elsewhere in peers:
            if elsewhere is there:
                continue
            await wait_for(elsewhere[0], "callees", uri)
            for caller in elsewhere:
                called: Any = caller.call(uri, count, b=7)
                result = await asyncio.wait_for(called, _PATIENCE)
                if result != count + 7:
                    raise Different(f"{caller.name} called {callee.name}: {result!r}")
                count += 1
    return count


async def visit(report: Report, routers: list[LinkedRouter], site: Site) -> None:
    """Sends events and calls between all routers, and shows the serializers of the links."""
    peers = await join_all(routers, site)
    report.heading(f"{len(WAYS)} sessions at each router: " + ", ".join(s for _, s in WAYS))
    for router, there in zip(routers, peers, strict=True):
        for spoken in await link_serializers(there[0]):
            report.good(f"a link to {router.name} speaks {spoken}")
    hops = await events(peers)
    report.good("events published at each router reached every session at every router once")
    for each in hops:
        if each:
            names = [f"{hop['authid']} ({hop['authrole']})" for hop in each]
            report.line(f"forward_for: {', '.join(names)}")
    report.good(f"{await calls(peers)} calls from router to router")
    await part_all(peers)


def show_links(report: Report, nodes: int) -> None:
    """The part of the demo about `nodes` linked routers."""
    from .config import make_site

    report.heading(f"{nodes} routers, Crossbar.io {installed_version()}, each linked to all others")
    report.line("python " + " ".join(LinkedRouter.COMMAND))
    site = make_site()
    with LinkedRouters(site, nodes) as routers:
        for router in routers:
            report.line(
                f"{router.name}: WebSocket on port {router.websocket}, "
                f"RawSocket on {router.rawsocket}"
            )
        asyncio.run(visit(report, routers, site))
    report.line()
    report.line("The routers have been stopped and their folders removed.")
