"""Run by test_transports.py: real client and server transports on loopback, one framework.

``python transport_echo.py asyncio|twisted`` sends every sample message through each transport and
serializer to a server that sends the received object back, and prints the results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import txaio

FRAMEWORK = sys.argv[1]
(txaio.use_asyncio if FRAMEWORK == "asyncio" else txaio.use_twisted)()

import autobahn_fbs  # noqa: E402

autobahn_fbs.install()

from autobahn.wamp.message import Message  # noqa: E402
from autobahn.wamp.serializer import create_transport_serializer  # noqa: E402

from autobahn_fbs import payloads  # noqa: E402
from support.compare import differences, plain_class  # noqa: E402
from support.samples import every_sample  # noqa: E402

CASES = [
    (transport, f"{name}{batched}")
    for name in ("flatbuffers", *(f"flatbuffers-{codec}" for codec in payloads.known_ids()))
    for batched in ("", ".batched")
    for transport in ("websocket", "rawsocket")
]


class Echo:
    """Sends the received objects back, in the server."""

    _authid = _session_id = None  # the WebSocket transport logs them

    def onOpen(self, transport: Any) -> None:
        self.transport = transport

    def onMessage(self, msg: Message) -> None:
        self.transport.send(msg)

    def onClose(self, was_clean: bool) -> None:
        self.transport = None


class Sender:
    """Sends all samples and collects the answers."""

    _authid = _session_id = None

    def __init__(self, report: dict[str, Any], done: Callable[[], None]) -> None:
        self.report, self.done = report, done
        self.expected = every_sample()
        self.received: list[Message] = []

    def onOpen(self, transport: Any) -> None:
        self.transport = transport
        serializer = transport._serializer
        self.report["class"] = f"{type(serializer).__module__}.{type(serializer).__name__}"
        self.report["active"] = autobahn_fbs.is_active(transport)
        self.report["id"] = serializer.SERIALIZER_ID
        self.report["codec"] = serializer.PAYLOAD_SERIALIZER_ID
        self.report["is a copy"] = serializer is not transport.factory.__dict__.get("_serializer")
        for msg in self.expected:
            transport.send(msg)

    def onMessage(self, msg: Message) -> None:
        self.received.append(msg)
        if len(self.received) == len(self.expected):
            stats = self.transport._serializer.stats(details=True)
            self.report["sent"] = stats["serialized"]["messages"]
            self.report["got"] = stats["unserialized"]["messages"]
            self.report["octets"] = [stats[k]["bytes"] for k in ("serialized", "unserialized")]
            self.report["differences"] = [
                line
                for got, sent in zip(self.received, self.expected, strict=True)
                for line in differences(got, sent)
            ]
            self.report["lazy"] = all(type(m) is not plain_class(type(m)) for m in self.received)
            self.transport.close()

    def onClose(self, was_clean: bool) -> None:
        self.done()


def factories(transport: str, serializer: str, sender: Callable[[], Sender]) -> tuple[Any, Any]:
    """Autobahn's server and client factory of this framework."""
    server, client = (create_transport_serializer(serializer) for _ in range(2))
    if transport == "websocket":
        if FRAMEWORK == "asyncio":
            from autobahn.asyncio.websocket import (
                WampWebSocketClientFactory,
                WampWebSocketServerFactory,
            )
        else:
            from autobahn.twisted.websocket import (
                WampWebSocketClientFactory,
                WampWebSocketServerFactory,
            )
        return (
            WampWebSocketServerFactory(Echo, serializers=[server]),
            WampWebSocketClientFactory(sender, serializers=[client]),
        )
    if FRAMEWORK == "asyncio":
        from autobahn.asyncio.rawsocket import (
            WampRawSocketClientFactory,
            WampRawSocketServerFactory,
        )
    else:
        from autobahn.twisted.rawsocket import (
            WampRawSocketClientFactory,
            WampRawSocketServerFactory,
        )
    return (
        WampRawSocketServerFactory(Echo, serializers=[server]),
        WampRawSocketClientFactory(sender, serializer=client),
    )


def run_asyncio(reports: list[dict[str, Any]]) -> None:
    import asyncio

    async def one(transport: str, serializer: str) -> None:
        report = {"transport": transport, "serializer": serializer}
        loop = asyncio.get_running_loop()
        txaio.config.loop = loop
        done = asyncio.Event()
        server_factory, client_factory = factories(
            transport, serializer, lambda: Sender(report, done.set)
        )
        server = await loop.create_server(server_factory, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await loop.create_connection(client_factory, "127.0.0.1", port)
        await asyncio.wait_for(done.wait(), 20)
        server.close()
        reports.append(report)

    async def all_cases() -> None:
        for case in CASES:
            await one(*case)

    asyncio.run(all_cases())


def run_twisted(reports: list[dict[str, Any]]) -> None:
    from twisted.internet import defer, reactor, task
    from twisted.internet.endpoints import TCP4ClientEndpoint

    @defer.inlineCallbacks
    def all_cases(_: Any) -> Any:
        for transport, serializer in CASES:
            report = {"transport": transport, "serializer": serializer}
            done: defer.Deferred[None] = defer.Deferred()
            server_factory, client_factory = factories(
                transport,
                serializer,
                lambda report=report, done=done: Sender(report, lambda: done.callback(None)),
            )
            server = reactor.listenTCP(0, server_factory, interface="127.0.0.1")
            client = TCP4ClientEndpoint(reactor, "127.0.0.1", server.getHost().port)
            yield client.connect(client_factory)
            yield done.addTimeout(20, reactor)
            yield server.stopListening()
            reports.append(report)

    task.react(all_cases)


def main() -> None:
    reports: list[dict[str, Any]] = []
    try:
        (run_asyncio if FRAMEWORK == "asyncio" else run_twisted)(reports)
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps(reports))


if __name__ == "__main__":
    main()
