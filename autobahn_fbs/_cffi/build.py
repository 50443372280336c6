"""Builds a message's bytes from a record: one call of the core, with memory from a free list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._core import ffi, lib
from .classes import MessageClass
from .convert import BUILD_ROOM

#: Payloads of this size and above are inserted when everything else is written, so each is copied
#: once.
BLOB_MIN: int = lib.WFBS_BLOB_MIN
_NO_ROOM: int = lib.WFBS_BUILD_NO_ROOM
ROOM = 8192
#: The maximum number of items or entries of a list or dict that become tokens, and the numbers that
#: these take at most.
ITEMS_MAX = 32
TOKENS = 2 * (1 + 2 * 2 * ITEMS_MAX)

core_build = lib.wfbs_flat_build


class Workspace:
    """Memory for one call at a time: a record with room for tokens (also seen as floats), and room
    for the output."""

    __slots__ = ("floats", "output", "record", "view")

    def __init__(self) -> None:
        self.record = ffi.new("int64_t[]", BUILD_ROOM + TOKENS)
        self.floats = ffi.cast("double *", self.record)
        self.output = ffi.new("uint8_t[]", ROOM)
        self.view = ffi.buffer(self.output)


#: Memory that is not in use.
free: list[Workspace] = []


def build(
    c: MessageClass,
    dialect: int,
    batched: int,
    record: Any,
    count: int,
    text: bytes,
    pieces: Mapping[int, bytes],
) -> bytes:
    """The message for a record. `pieces` has at least the large payloads by slot; -1 is the
    metadata."""
    room = ROOM
    output = ffi.new("uint8_t[]", room)
    size = core_build(c.index, dialect, batched, record, count, text, output, room)
    if size <= _NO_ROOM:
        room = _NO_ROOM - size
        output = ffi.new("uint8_t[]", room)
        size = core_build(c.index, dialect, batched, record, count, text, output, room)
    if size == lib.WFBS_BUILD_NO_MEMORY:
        raise MemoryError
    if size < 0:
        raise ValueError(f"{c.label} is longer than 2**31-1 bytes")
    data: bytes = ffi.buffer(output)[room - size : room]
    return join(data, batched, record, pieces) if record[0] else data


def join(written: bytes, batched: int, record: Any, pieces: Mapping[int, bytes | None]) -> bytes:
    """Inserts the large payloads."""
    header = 4 if batched else 0
    at = done = 0  # byte counts of `written`, and of the result
    parts = []
    for i in reversed(range(record[0])):  # first in the message first
        piece = pieces[record[1 + 2 * i]]
        assert piece is not None
        before = header + record[2 + 2 * i] - done
        parts += [written[at : at + before], piece]
        at += before
        done += before + len(piece)
    parts.append(written[at:])
    return b"".join(parts)
