"""Peers that a router on the open internet meets, and the required reaction to each."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from autobahn.wamp import message, role
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._demo.config import REALM
from wires import Ending, Wire, dial

#: The maximum message size of this test's router, in bytes.
LARGEST = 64 * 1024

#: The maximum time for the router to end a connection, in seconds, under full load.
PATIENCE = 20.0

_PROTOCOL_ERROR, _TOO_BIG = 1002, 1009

_objser = FlatBuffersObjectSerializer()


def _hello() -> bytes:
    roles = {"publisher": role.RolePublisherFeatures(), "caller": role.RoleCallerFeatures()}
    return _objser.serialize(message.Hello(REALM, roles, authmethods=["anonymous"]))


def _call(source: random.Random, size: int = 200) -> bytes:
    number = source.randrange(1, 1 << 30)
    return _objser.serialize(message.Call(number, "com.example.nobody", args=["x" * size, number]))


def _is_refused(data: bytes) -> bool:
    try:
        _objser.unserialize(data)
    except ProtocolError:
        return True
    return False


def _broken(source: random.Random, change: Callable[[bytearray], object]) -> bytes:
    """A message after a change, repeated until it is no longer a valid message."""
    while True:
        data = bytearray(source.choice([_hello(), _call(source)]))
        change(data)
        if _is_refused(bytes(data)):
            return bytes(data)


# Each sends something bad, and returns how the router may end the connection; nothing if the peer
# hangs up itself. WebSocket has codes for that; a RawSocket connection is cut: 0.


async def malformed(wire: Wire, source: random.Random) -> set[int]:
    """A message with some bytes changed."""

    def change(data: bytearray) -> None:
        for _ in range(source.randint(1, 8)):
            data[source.randrange(len(data))] = source.choice([0, 0xFF, source.randrange(256)])

    await wire.send(_broken(source, change))
    return {_PROTOCOL_ERROR}


async def truncated(wire: Wire, source: random.Random) -> set[int]:
    """The beginning of a message, or nothing at all, in a valid frame."""

    def change(data: bytearray) -> None:
        del data[source.randrange(len(data)) :]

    await wire.send(_broken(source, change))
    return {_PROTOCOL_ERROR}


async def stopping(wire: Wire, source: random.Random) -> set[int]:
    """A frame that announces more bytes than arrive before the connection breaks."""
    data = _call(source)
    await wire.write(wire.frame(data[: source.randrange(len(data))], claim=len(data)))
    await asyncio.sleep(source.random())
    wire.close()
    return set()


async def oversize(wire: Wire, source: random.Random) -> set[int]:
    """A valid message that is larger than the router's limit."""
    await wire.send(_call(source, LARGEST * source.randint(1, 4)))
    return {_TOO_BIG}


async def boasting(wire: Wire, source: random.Random) -> set[int]:
    """A frame that announces far more bytes than the router's limit, and its first bytes."""
    await wire.write(wire.frame(_call(source), claim=source.randint(LARGEST + 1, (1 << 24) - 1)))
    return {_TOO_BIG}


async def out_of_place(wire: Wire, source: random.Random) -> set[int]:
    """A valid message that only a router may send."""
    await wire.send(_objser.serialize(message.Event(source.randrange(1, 1 << 53), 1, args=[1])))
    return {_PROTOCOL_ERROR}


async def poisoned(wire: Wire, source: random.Random) -> set[int]:
    """A valid envelope for a good session, with a payload that can't be decoded.

    Crossbar.io reads payloads, and answers with an error if it can't, with any serializer; it
    forwards nothing in that case.
    """
    topic = f"com.example.load.{source.randrange(8)}"
    number = source.randrange(1, 1 << 30)
    publish = message.Publish(number, topic, args=["marker" * 4], acknowledge=True)
    data = _objser.serialize(publish)
    await wire.send(data.replace(b"marker" * 4, b"mark\xff\xfe" * 4))  # no longer UTF-8
    while True:
        answer = await wire.receive()
        if isinstance(answer, Ending):
            raise AssertionError(f"poisoned ended with {answer}")
        (msg,) = _objser.unserialize(answer)
        if getattr(msg, "request", None) == number:
            assert isinstance(msg, message.Error), msg
            assert msg.error == "wamp.error.invalid_argument", msg
            return set()


Deed = Callable[[Wire, random.Random], Awaitable[set[int]]]

#: The actions of a session that hasn't joined, and of one that has. (With any serializer,
#: Crossbar.io ignores valid messages out of place before the first HELLO.)
BEFORE: list[Deed] = [malformed, truncated, stopping, oversize, boasting]
AFTER: list[Deed] = [*BEFORE, out_of_place, poisoned]


@dataclass
class Record:
    """The actions of bad peers, and the results."""

    deeds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def judge(self, deed: str, transport: str, allowed: set[int], ending: Ending) -> None:
        self.deeds[f"{deed} {transport}"] += 1
        codes = allowed if transport == "websocket" else {0}
        if ending.code not in codes:
            self.failures.append(f"{deed} over {transport} ended with {ending}")


async def _join(wire: Wire) -> None:
    await wire.send(_hello())
    answer = await wire.receive()
    if isinstance(answer, Ending):
        raise ConnectionError(f"could not join: {answer}")
    (welcome,) = _objser.unserialize(answer)
    if not isinstance(welcome, message.Welcome):
        raise ConnectionError(f"could not join: {welcome}")


async def _misbehave(transport: str, port: int, source: random.Random, record: Record) -> None:
    """One bad peer: connects, perhaps joins and behaves for a while, and then misbehaves."""
    wire = await dial(transport, port)
    try:
        if source.random() < 0.05:
            await wire.write(source.randbytes(200))  # instead of a handshake
            if transport == "websocket":
                await wire.write(b"\r\n\r\n")
            await asyncio.wait_for(wire.silence(), PATIENCE)
            record.deeds[f"noise {transport}"] += 1
            return
        await wire.handshake()
        joined = source.random() < 0.7
        if joined:
            await _join(wire)
            for _ in range(source.randrange(4)):
                await wire.send(_call(source))
        deed = source.choice(AFTER if joined else BEFORE)
        try:
            allowed = await asyncio.wait_for(deed(wire, source), PATIENCE)
            if allowed:
                ending = await asyncio.wait_for(wire.ending(), PATIENCE)
                record.judge(deed.__name__, transport, allowed, ending)
            else:
                record.deeds[f"{deed.__name__} {transport}"] += 1
        except TimeoutError:
            when = "after" if joined else "before"
            record.failures.append(f"{deed.__name__} over {transport}, {when} joining: no end")
    finally:
        wire.close()


async def misbehave(ports: dict[str, int], seed: int, record: Record, stop: asyncio.Event) -> None:
    """One bad peer after the other, until told to stop."""
    source = random.Random(seed)
    while not stop.is_set():
        transport = source.choice(list(ports))
        try:
            await _misbehave(transport, ports[transport], source, record)
        except TimeoutError:
            record.failures.append(f"noise over {transport} was not dropped")
        except Exception as error:
            record.failures.append(f"a bad peer over {transport}: {type(error).__name__}: {error}")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), source.random() * 0.2)
