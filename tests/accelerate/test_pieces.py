"""The part ``pieces``: a buffer of received bytes, and connections that read more at once."""

from __future__ import annotations

import gc
import random
import struct
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import autobahn.asyncio.rawsocket as raw
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autobahn_fbs
from autobahn_fbs import _accelerate
from autobahn_fbs._accelerate.parts.pieces import PART, SIZE, widen
from autobahn_fbs._accelerate.source import Unknown
from support.costs import seconds
from support.marks import counting_memory, extension_only

pytestmark = extension_only


def new(data: Any = b"") -> Any:
    return autobahn_fbs._backend.native.Pieces(data)


@given(st.lists(st.binary(max_size=9), max_size=6), st.lists(st.integers(-40, 40), max_size=8))
def test_slices_are_those_of_the_bytes(chunks, bounds):
    buffer, joined = new(), b"".join(chunks)
    for chunk in chunks:
        same = buffer
        buffer = buffer + chunk
        assert buffer is same
    assert len(buffer) == len(joined)
    for start, stop in pairwise(bounds):
        assert buffer[start:stop] == joined[start:stop]
        assert buffer[:stop] == joined[:stop]
        left = buffer[start:]
        assert type(left) is type(buffer)
        assert left[0 : len(left)] == joined[start:]
        left += b"more"
        assert left[: len(left)] == joined[start:] + b"more"
        assert buffer[0 : len(buffer)] == joined


def test_a_whole_piece_is_not_copied():
    piece = bytes(20_000)
    buffer = new(b"1234") + piece + b"5"
    assert buffer[4:20_004] is piece


def test_a_message_that_comes_byte_by_byte_takes_linear_time_and_memory():
    def receive(count: int) -> Any:
        buffer = new()
        for _ in range(count):
            buffer = buffer + b"ab"
            buffer = buffer[0:]
        return buffer

    with counting_memory() as counted:
        assert receive(10_000) == b"ab" * 10_000
    assert counted.peak < 4 * 20_000
    small, large = (seconds(lambda _: receive(n), b"") for n in (5_000, 40_000))  # noqa: B023
    assert large < 4 * 8 * small


@pytest.mark.parametrize("more", [20_000, 5], ids=["a large piece", "a small piece"])
def test_a_finalizer_can_append_while_the_rest_is_taken(more):
    tail = bytes(20_000) if more > 100 else bytes(10)  # small pieces are joined
    buffer = new(bytes(20_000)) + tail

    class Appending:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            buffer + b"x" * more

    before = gc.get_threshold()
    gc.collect()
    Appending()
    gc.set_threshold(1, 1, 1)  # the next container collects it
    try:
        left = buffer[0:]
    finally:
        gc.set_threshold(*before)
    size = 20_000 + len(tail)
    assert len(left) in (size, size + more)
    left + b"z"
    assert left[0 : len(left)].rstrip(b"z").rstrip(b"x") == bytes(size)
    assert left[len(left) - 1 : len(left)] == b"z"


@pytest.mark.parametrize("data", [bytearray(b"ab"), memoryview(b"ab")])
def test_anything_like_bytes_is_accepted(data):
    assert (new() + data)[0:2] == b"ab"


@pytest.mark.parametrize(
    "wrong", [lambda p: p[0], lambda p: p[0:2:2], lambda p: p + "a", lambda p: p + None]
)
def test_invalid_uses_of_a_buffer_are_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        wrong(new(b"abc"))


class Receiver(raw.PrefixProtocol):
    def __init__(self) -> None:
        self._buffer = b""
        self._header = None
        self.got: list[bytes] = []

    def stringReceived(self, data: bytes) -> None:
        assert type(data) is bytes
        self.got.append(data)


def stream(source: random.Random) -> tuple[list[bytes], list[bytes]]:
    """Messages, and the pieces that they arrive in."""
    messages = [source.randbytes(source.choice((0, 1, 5, 300, 70000))) for _ in range(12)]
    data = b"".join(struct.pack("!L", len(each)) + each for each in messages)
    pieces = []
    while data:
        count = source.choice((1, 3, 4, 100, 5000, 65536))
        pieces.append(data[:count])
        data = data[count:]
    return messages, pieces


@pytest.fixture
def part() -> Iterator[None]:
    with autobahn_fbs.accelerate(["pieces"]):
        yield


@pytest.mark.parametrize("seed", range(10))
def test_messages_on_asyncio_arrive_as_before(part, seed):
    messages, pieces = stream(random.Random(seed))
    receiver = Receiver()
    for piece in pieces:
        receiver.data_received(piece)
    assert receiver.got == messages


@pytest.mark.parametrize("seed", range(10))
def test_it_can_be_switched_in_the_middle_of_a_message(seed):
    source = random.Random(seed)
    messages, pieces = stream(source)
    receiver = Receiver()
    for piece in pieces:
        autobahn_fbs.decelerate()
        if source.random() < 0.5:
            autobahn_fbs.accelerate(["pieces"])
        receiver.data_received(piece)
    autobahn_fbs.decelerate()
    assert receiver.got == messages


def test_all_groups_of_a_part_are_on_if_their_modules_are_installed(part):
    states = _accelerate.status()["pieces"]
    assert states["autobahn.asyncio.rawsocket, pieces"] == ("on", None)
    assert "refused" not in {state for state, _ in states.values()}


@pytest.mark.parametrize("seed", range(10))
def test_messages_on_twisted_arrive_as_before(seed):
    basic = pytest.importorskip("twisted.protocols.basic")
    messages, chunks = stream(random.Random(seed))

    class Strings(basic.Int32StringReceiver):  # type: ignore[misc, name-defined]
        MAX_LENGTH = 2**24

        def stringReceived(self, string: bytes) -> None:
            assert type(string) is bytes
            got.append(string)

    got: list[bytes] = []
    receiver = Strings()
    receiver._unprocessed = new()
    for chunk in chunks:
        receiver.dataReceived(chunk)
    assert got == messages


def test_a_large_message_is_one_send_on_twisted(part):
    tcp = pytest.importorskip("twisted.internet.tcp")
    states = _accelerate.status()["pieces"]
    assert states["twisted.internet.tcp"] == ("on", None)
    sent: list[int] = []

    class Socket:
        def send(self, data: memoryview) -> int:
            sent.append(len(data))
            return len(data)

    connection = tcp.Server.__new__(tcp.Server)
    connection.socket = Socket()
    message = bytes(128 * 1024 + 100)
    assert connection.writeSomeData(message) == 128 * 1024
    widen(connection)
    assert connection.writeSomeData(message) == len(message)
    assert connection.writeSomeData(bytes(2 * SIZE)) == SIZE
    assert sent == [128 * 1024, len(message), SIZE]


def test_connections_on_windows_read_and_send_as_much_as_before(monkeypatch):
    """Twisted sends no more than 128 kB at once because of Windows."""
    [group] = [each for each in PART.groups if each.name == "twisted.internet.tcp"]
    assert group.unusable() is None
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(Unknown, match="Windows"):
        group.check_known()


def test_pieces_equal_the_bytes_that_they_are():
    received = new(b"ab")
    received += b"c"
    assert received == b"abc"
    assert received != b"ab"
    assert received[1:] == b"bc"
