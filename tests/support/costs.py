"""What it costs to read a message, in memory and time, beside its size."""

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
    """A message of that size that nobody minds: the others are compared with it."""
    exclude = ["abcdefgh"] * (size // 20)
    return build("Publish", {"request": 1, "topic": "a.b", "exclude_authid": exclude})


def read(data: bytes) -> bool:
    """Reads all of a message; whether all of it could be."""
    taken = False
    with suppress(ProtocolError):
        (msg,) = OBJSER.unserialize(data)
        for name in attribute_names(type(msg)):
            getattr(msg, name)
        taken = True
    return taken


def seconds(work: Callable[[bytes], Any], data: bytes, rounds: int = 5) -> float:
    """Processor time, the best of so many rounds."""
    best = float("inf")
    gc.collect()
    gc.disable()  # the interpreter's collector looks at all of the tests' objects, again and again
    try:
        for _ in range(rounds):
            start = time.process_time()
            work(data)
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


def peak(data: bytes, work: Callable[[bytes], Any] = read) -> float:
    """Memory at the peak while all of the message is read, in times its size."""
    work(data)
    with counting_memory() as counted:
        work(data)
    return float(counted.peak / len(data))
