"""WebSocket and RawSocket at the byte level, for clients that misbehave.

Autobahn's own transports would not send the data that load.py sends. Each wire here carries WAMP
messages in FlatBuffers, sends any bytes as a message, and reports how the router ended the
connection.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from contextlib import suppress
from dataclasses import dataclass

_CLOSE, _BINARY = 8, 2
_RAWSOCKET_MAGIC = 0x7F
_FLATBUFFERS = 5  # RawSocket's number of the serializer


@dataclass(frozen=True)
class Ending:
    """How the router ended a connection: WebSocket's code and reason; code 0 for RawSocket, which
    has neither, and for a connection that was cut."""

    code: int
    reason: str = ""


class Wire:
    """A connection to the router's listener at a loopback port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def handshake(self) -> None:
        """Negotiates FlatBuffers. Raises ConnectionError if the router refuses."""
        raise NotImplementedError

    def frame(self, message: bytes, claim: int | None = None) -> bytes:
        """The frame for a message; `claim` is a length to announce instead of the true one."""
        raise NotImplementedError

    async def _next(self) -> bytes | Ending:
        """The next message, or how the connection ended."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Sends any bytes. If the router has already hung up, ending() will detect it."""
        with suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def send(self, message: bytes) -> None:
        await self.write(self.frame(message))

    async def receive(self) -> bytes | Ending:
        try:
            return await self._next()
        except (asyncio.IncompleteReadError, ConnectionError):
            return Ending(0)

    async def ending(self) -> Ending:
        """Waits until the router ends the connection, whatever it sends before."""
        while True:
            found = await self.receive()
            if isinstance(found, Ending):
                return found

    async def silence(self) -> None:
        """Waits until the router ends the connection, without reading what it sends."""
        with suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass

    def close(self) -> None:
        """Hangs up immediately."""
        self._writer.transport.abort()


class WebSocketWire(Wire):
    async def handshake(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        await self.write(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: wamp.2.flatbuffers\r\n\r\n".encode()
        )
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise ConnectionError(answer.decode(errors="replace"))

    def frame(self, message: bytes, claim: int | None = None) -> bytes:
        size = len(message) if claim is None else claim
        if size < 126:
            head = struct.pack(">BB", 0x80 | _BINARY, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 0x80 | _BINARY, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | _BINARY, 0x80 | 127, size)
        return head + b"\0\0\0\0" + message  # a mask of zeros masks nothing

    async def _next(self) -> bytes | Ending:
        while True:
            first, size = await self._reader.readexactly(2)
            if size >= 126:
                width = 2 if size == 126 else 8
                size = int.from_bytes(await self._reader.readexactly(width), "big")
            body = await self._reader.readexactly(size)
            if first & 15 == _CLOSE:
                code = int.from_bytes(body[:2], "big")
                return Ending(code, body[2:].decode(errors="replace"))
            if first & 15 == _BINARY:
                return body


class RawSocketWire(Wire):
    async def handshake(self) -> None:
        await self.write(bytes([_RAWSOCKET_MAGIC, 15 << 4 | _FLATBUFFERS, 0, 0]))
        answer = await self._reader.readexactly(4)
        if answer[1] & 15 != _FLATBUFFERS:
            raise ConnectionError(f"RawSocket handshake refused: {answer.hex()}")

    def frame(self, message: bytes, claim: int | None = None) -> bytes:
        size = len(message) if claim is None else claim
        return size.to_bytes(4, "big") + message  # below 2**24, so the type is 0

    async def _next(self) -> bytes | Ending:
        while True:
            kind, *length = await self._reader.readexactly(4)
            body = await self._reader.readexactly(int.from_bytes(bytes(length), "big"))
            if kind == 0:
                return body


WIRES: dict[str, type[Wire]] = {"websocket": WebSocketWire, "rawsocket": RawSocketWire}


async def dial(transport: str, port: int) -> Wire:
    """Connects, without any handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    return WIRES[transport](reader, writer)
