"""The part ``writes``: everything that one iteration of asyncio's loop writes is sent at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from autobahn_fbs._accelerate import gathering


class Counting(asyncio.Protocol):
    """The bytes that a server received, and the number of pieces."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class Client(asyncio.Protocol):
    def __init__(self) -> None:
        self.paused = 0
        self.resumed = 0

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.resumed += 1


class Sends:
    """A socket that counts the bytes sent, and may take only a part of several pieces."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.sizes: list[int] = []
        self.takes: int | Exception | None = None

    def sendmsg(self, pieces: Iterable[bytes]) -> int:
        if isinstance(self.takes, Exception):
            raise self.takes
        data = list(pieces)  # asyncio passes an iterator
        self.sizes.append(sum(map(len, data)))
        if self.takes is not None:
            return self.send(b"".join(data)[: self.takes])
        sent: int = self._sock.sendmsg(data)
        return sent

    def send(self, data: Any) -> int:
        self.sizes.append(len(data))
        sent: int = self._sock.send(data)
        return sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


Test = Callable[[Any, Counting, Sends, Client], Awaitable[None]]


def connected(test: Test) -> None:
    """Runs a test with a gathering transport, its server, and its socket."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server_end: asyncio.Future[Counting] = loop.create_future()

        def make() -> Counting:
            protocol = Counting()
            server_end.set_result(protocol)
            return protocol

        server = await loop.create_server(make, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport, client = await loop.create_connection(Client, "127.0.0.1", port)
        sends = Sends(transport._sock)  # type: ignore[attr-defined]
        transport._sock = sends  # type: ignore[attr-defined]
        gathering.gather(transport)
        try:
            await test(transport, await server_end, sends, client)
        finally:
            transport.abort()
            server.close()
            await server.wait_closed()

    try:
        asyncio.run(run())
    finally:
        gathering.release_all()


async def arrived(server: Counting, size: int) -> None:
    for _ in range(500):
        if len(server.received) >= size:
            return
        await asyncio.sleep(0.002)
    raise TimeoutError(f"{len(server.received)} of {size} bytes")


def test_the_writes_of_one_iteration_are_one_send():
    async def test(transport, server, sends, client):
        for number in range(10):
            transport.write(b"%d" % number)
        assert sends.sizes == []
        await asyncio.sleep(0)
        assert sends.sizes == [10]
        await arrived(server, 10)
        assert server.received == b"0123456789"

    connected(test)


def test_it_is_sent_before_the_loop_looks_for_input():
    async def test(transport, server, sends, client):
        loop = asyncio.get_running_loop()
        select, seen = loop._selector.select, []
        loop._selector.select = lambda timeout=None: (
            seen.append((timeout, list(sends.sizes))),
            select(timeout),
        )[1]
        transport.write(b"now")
        await asyncio.sleep(0.01)
        del loop._selector.select
        waiting = [sizes for timeout, sizes in seen if timeout != 0]
        assert waiting and all(sizes == [3] for sizes in waiting)

    connected(test)


@pytest.mark.parametrize("end", ["close", "abort", "write_eof"])
def test_written_data_is_sent_before_the_end(end):
    async def test(transport, server, sends, client):
        transport.write(b"last words")
        getattr(transport, end)()
        await arrived(server, 10)
        assert server.received == b"last words"

    connected(test)


def test_a_loop_that_stops_has_sent_everything():
    loop = asyncio.new_event_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        transport, _ = loop.run_until_complete(loop.create_connection(asyncio.Protocol, sock=ours))
        gathering.gather(transport)

        def write_and_stop() -> None:
            transport.write(b"and stop")
            loop.stop()

        loop.call_soon(write_and_stop)
        loop.run_forever()
        theirs.settimeout(5)
        assert theirs.recv(100) == b"and stop"
    finally:
        gathering.release_all()
        transport.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        theirs.close()


def test_large_data_is_sent_at_once_and_in_order():
    async def test(transport, server, sends, client):
        large = bytes(range(256)) * 512
        transport.write(b"head")
        transport.write(large)
        assert sends.sizes[0] > 4
        transport.write(b"tail")
        await arrived(server, len(large) + 8)
        assert server.received == b"head" + large + b"tail"

    connected(test)


@pytest.mark.parametrize("takes", [1, 4, 70_000, BlockingIOError()])
def test_what_the_socket_does_not_take_of_large_data_is_sent_next(takes):
    async def test(transport, server, sends, client):
        large = bytes(range(256)) * 512
        transport.write(b"head")
        sends.takes = takes
        transport.write(large)
        transport.write(b"tail")
        await arrived(server, len(large) + 8)
        assert server.received == b"head" + large + b"tail"

    connected(test)


def test_an_error_of_sending_large_data_ends_the_connection_with_it():
    async def test(transport, server, sends, client):
        error, lost = ConnectionResetError("reset"), []
        client.connection_lost = lost.append
        transport.write(b"head")
        sends.takes = error
        transport.write(bytes(100_000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert lost == [error]

    connected(test)


@pytest.mark.parametrize("before", [0, 5, 65_000])
@pytest.mark.parametrize("size", [0, 1, 500, 65_000, 131_072, 600_000])
def test_a_message_follows_its_header(before, size):
    async def test(transport, server, sends, client):
        if before:
            transport.write(b"b" * before)
        gathering.write_both(transport, b"head", b"d" * size)
        transport.write(b"tail")
        await arrived(server, before + size + 8)
        assert server.received == b"b" * before + b"head" + b"d" * size + b"tail"

    connected(test)


def test_a_large_message_is_sent_at_once_with_its_header():
    async def test(transport, server, sends, client):
        loop = asyncio.get_running_loop()
        waiting = len(loop._ready)
        gathering.write_both(transport, b"head", bytes(100_000))
        assert sends.sizes == [100_004]
        assert len(loop._ready) == waiting
        await arrived(server, 100_004)

    connected(test)


def test_invalid_data_is_refused_after_its_header():
    async def test(transport, server, sends, client):
        with pytest.raises(TypeError, match="must be a bytes"):
            gathering.write_both(transport, b"head", "text")
        await arrived(server, 4)

    connected(test)


def test_a_transport_that_does_not_gather_writes_both():
    written: list[bytes] = []

    class Other:
        def write(self, data: bytes) -> None:
            written.append(data)

    gathering.write_both(Other(), b"head", b"data")
    assert written == [b"head", b"data"]


def test_many_pieces_are_joined():
    async def test(transport, server, sends, client):
        large = bytes(100_000)
        sends.takes = ValueError("too many")
        for _ in range(2000):
            transport.write(b"small")
        transport.write(large)
        await arrived(server, 10_000 + len(large))
        assert server.received == b"small" * 2000 + large

    connected(test)


def test_at_most_the_limit_is_kept():
    async def test(transport, server, sends, client):
        piece = b"x" * 1000
        for _ in range(1000):
            transport.write(piece)
            assert transport._autobahn_fbs_size <= gathering.LIMIT
        await arrived(server, 1_000_000)

    connected(test)


def test_a_peer_that_does_not_read_pauses_the_writer_as_before():
    async def test(transport, server, sends, client):
        reading = server_transport(server)
        reading.pause_reading()
        for _ in range(20_000):
            transport.write(b"y" * 1000)
            if client.paused:
                break
        assert client.paused == 1
        assert transport.get_write_buffer_size() < 1 << 20
        reading.resume_reading()
        await asyncio.sleep(0.2)
        for _ in range(1000):  # the kernel may wait before it sends again
            if client.resumed:
                break
            await asyncio.sleep(0.02)
        assert client.resumed == 1

    def server_transport(server: Counting) -> Any:
        return server.transport  # type: ignore[attr-defined]

    Counting.connection_made = lambda self, transport: setattr(self, "transport", transport)  # type: ignore[method-assign]
    try:
        connected(test)
    finally:
        del Counting.connection_made


def test_invalid_values_are_refused_when_they_are_written():
    async def test(transport, server, sends, client):
        with pytest.raises(TypeError, match="must be a bytes"):
            transport.write("text")
        transport.write_eof()
        with pytest.raises(RuntimeError, match="after write_eof"):
            transport.write(b"more")

    connected(test)


def test_a_buffer_that_changes_is_sent_as_it_was():
    async def test(transport, server, sends, client):
        buffer = bytearray(b"before")
        transport.write(b"<")
        transport.write(buffer)
        buffer[:] = b"after!"
        await arrived(server, 7)
        assert server.received == b"<before"

    connected(test)


def test_undoing_restores_the_transport_and_loses_no_data():
    async def test(transport, server, sends, client):
        gathered = type(transport)
        transport.write(b"kept")
        gathering.release_all()
        assert type(transport) is gathered.__mro__[2]
        assert "stop" not in vars(asyncio.get_running_loop())
        transport.write(b", direct")
        assert sends.sizes == [4, 8]
        await arrived(server, 12)

    connected(test)


def test_a_gathering_transport_looks_like_the_one_that_it_was():
    async def test(transport, server, sends, client):
        base = type(transport).__mro__[2]
        assert isinstance(transport, base)
        assert type(transport).__qualname__ == base.__qualname__
        assert repr(transport).startswith(f"<{base.__name__} ")

    connected(test)


def test_transports_of_other_packages_are_not_changed():
    class Other(asyncio.Transport):
        pass

    other = Other()
    assert gathering.gather(other) is other
    assert type(other) is Other
