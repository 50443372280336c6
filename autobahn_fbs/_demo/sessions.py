"""Autobahn sessions on asyncio that join a router, or are refused, and log their messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
from autobahn.asyncio.wamp import Session
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import create_transport_serializer
from autobahn.wamp.types import ComponentConfig

#: Called with a session, "->" (sent) or "<-" (received), and the WAMP message.
Listener = Callable[["Peer", str, Any], None]

_PATIENCE = 15.0


class Refused(Exception):
    """The router refused a session; `reason` is the URI that it gave."""

    def __init__(self, reason: str, message: str | None) -> None:
        super().__init__(message or reason)
        self.reason = reason


@dataclass(frozen=True)
class Door:
    """How to reach a router: "websocket" or "rawsocket", and a port on loopback.

    `path` is for WebSocket.
    """

    transport: str
    port: int
    host: str = "127.0.0.1"
    path: str = "/"


class Peer(Session):
    """A session that shows the negotiated serializer, and reports every message to a listener."""

    def __init__(self, name: str, realm: str, authenticator: Any) -> None:
        super().__init__(ComponentConfig(realm=realm))
        self.name = name
        self.listener: Listener | None = None
        self.add_authenticator(authenticator)
        loop = asyncio.get_running_loop()
        self.joined: asyncio.Future[Any] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()

    # Autobahn calls these methods.

    def onOpen(self, transport: Any) -> Any:
        send = transport.send

        def send_and_tell(msg: Any) -> None:
            self._tell("->", msg)
            send(msg)

        transport.send = send_and_tell
        return super().onOpen(transport)

    def onMessage(self, msg: Any) -> Any:
        self._tell("<-", msg)
        return super().onMessage(msg)

    def on_join(self, details: Any) -> None:
        if not self.joined.done():
            self.joined.set_result(details)

    def on_leave(self, details: Any) -> None:
        self._not_joined(Refused(details.reason, details.message))
        self.disconnect()

    def on_disconnect(self) -> None:
        self._not_joined(Refused("wamp.close.transport_lost", "the connection was lost"))
        if not self.gone.done():
            self.gone.set_result(None)

    def onUserError(self, fail: Any, msg: str) -> None:
        """A procedure's ApplicationError is a normal answer, which Autobahn would also print."""
        if not isinstance(fail.value, ApplicationError):
            super().onUserError(fail, msg)

    # The demo and the tests call these methods.

    @property
    def details(self) -> Any:
        """Autobahn's SessionDetails; only after joining."""
        return self.joined.result()

    @property
    def subprotocol(self) -> str:
        """The negotiated protocol, as in WebSocket's handshake: ``wamp.2.flatbuffers``."""
        agreed = getattr(self._transport, "websocket_protocol_in_use", None)
        return str(agreed or f"wamp.2.{self.details.serializer}")

    def traffic(self) -> tuple[int, int]:
        """The number of bytes of WAMP messages that were sent and received."""
        transport: Any = self._transport
        counts = transport._serializer.stats(reset=False, details=True)
        return counts["serialized"]["bytes"], counts["unserialized"]["bytes"]

    async def part(self) -> None:
        """Says goodbye and waits until the connection is closed."""
        if self.is_attached():
            self.leave()
        try:
            await asyncio.wait_for(self.gone, _PATIENCE)
        except TimeoutError:
            self.disconnect()

    def _tell(self, direction: str, msg: Any) -> None:
        if self.listener is not None:
            self.listener(self, direction, msg)

    def _not_joined(self, error: Refused) -> None:
        if not self.joined.done():
            self.joined.set_exception(error)


async def join(
    door: Door,
    serializer: str,
    method: str,
    options: dict[str, Any],
    realm: str,
    name: str = "",
    listener: Listener | None = None,
) -> Peer:
    """Connects and joins a realm.

    :param serializer: the only one to offer, for example ``flatbuffers.batched`` or ``json``.
    :param method: the only authmethod to offer; `options` go to ``create_authenticator``.
    :param listener: called for every message, including HELLO.
    :raises Refused: the router refused the session.
    :raises OSError: no router listens there.
    """
    peer = Peer(name or method, realm, create_authenticator(method, **options))
    peer.listener = listener
    await enter(peer, door, serializer)
    return peer


async def enter(
    peer: Peer,
    door: Door,
    serializer: str,
    tls: SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> None:
    """Connects a session that is ready to join, and waits until it has joined.

    :param tls: for an encrypted connection: the trusted certificates, and our own.
    :param headers: additional headers for WebSocket's handshake, for example a cookie.
    :raises Refused: the router refused the session.
    :raises OSError: no router listens there.
    """
    codec = create_transport_serializer(serializer)
    if door.transport == "websocket":
        url = f"{'wss' if tls else 'ws'}://{door.host}:{door.port}{door.path}"
        factory: Any = WampWebSocketClientFactory(
            lambda: peer, url=url, serializers=[codec], headers=headers
        )
        # By default, Autobahn drops the connection, and logs that, after one second.
        factory.setProtocolOptions(closeHandshakeTimeout=_PATIENCE)
    else:
        factory = WampRawSocketClientFactory(lambda: peer, serializer=codec)
    loop = asyncio.get_running_loop()
    await loop.create_connection(factory, door.host, door.port, ssl=tls)
    try:
        await asyncio.wait_for(asyncio.shield(peer.joined), _PATIENCE)
    except TimeoutError:
        raise Refused("wamp.close.timeout", f"no answer in {_PATIENCE:.0f} seconds") from None
    except Refused:
        await peer.part()
        raise
