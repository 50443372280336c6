"""The cost of reading a message, in memory and time, for its size."""

from __future__ import annotations

import gc
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autobahn.wamp.exception import ProtocolError

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import attribute_names
from support.marks import counting_memory
from support.wirebuild import build

OBJSER = FlatBuffersObjectSerializer()


def event(args: bytes, codec: int = 0) -> bytes:
    """An EVENT with that payload."""
    fields = {"subscription": 1, "publication": 2, "args": args}
    return build("Event", fields | ({"ppt_serializer": codec} if codec else {}))


def head(major: int, count: int) -> bytes:
    """The beginning of a CBOR item with a 32 bit argument."""
    return bytes([major << 5 | 26]) + struct.pack(">I", count)


def honest(size: int) -> bytes:
    """An honest message of that size, with which the others are compared."""
    exclude = ["abcdefgh"] * (size // 20)
    return build("Publish", {"request": 1, "topic": "a.b", "exclude_authid": exclude})


def read(data: bytes) -> bool:
    """Reads all of a message; returns whether it could."""
    taken = False
    with suppress(ProtocolError):
        (msg,) = OBJSER.unserialize(data)
        for name in attribute_names(type(msg)):
            getattr(msg, name)
        taken = True
    return taken


def seconds(work: Callable[[bytes], Any], data: bytes, rounds: int = 5) -> float:
    """Processor time, the best of the rounds."""
    best = float("inf")
    gc.collect()
    gc.disable()  # the garbage collector repeatedly visits all of the tests' objects
    try:
        for _ in range(rounds):
            start = time.process_time()
            work(data)
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


def peak(data: bytes, work: Callable[[bytes], Any] = read) -> float:
    """Peak memory of reading all of the message, as a multiple of its size."""
    work(data)
    with counting_memory() as counted:
        work(data)
    return float(counted.peak / len(data))
