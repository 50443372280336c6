"""The flat records that are passed to and from the core: their layout, and memory for them from
free lists.

A shared record would give wrong results with threads: a cffi call releases the GIL, and threads can
also switch between the call and the reads.
"""

from __future__ import annotations

from typing import Any

from ._core import ffi, lib
from .counters import refused_by_core

# csrc/cffi/flat.h explains these.
MESSAGE: int = lib.WFBS_FLAT_MESSAGE
METADATA: int = lib.WFBS_FLAT_METADATA
START: int = lib.WFBS_FLAT_START
SIZE: int = lib.WFBS_FLAT_SIZE
DIALECT: int = lib.WFBS_FLAT_DIALECT
ASSIGNED: int = lib.WFBS_FLAT_ASSIGNED
EXPOSED: int = lib.WFBS_FLAT_EXPOSED
CODEC: int = lib.WFBS_FLAT_CODEC
FIELDS: int = lib.WFBS_FLAT_FIELDS

#: Values of fields that differ from those of the core.
ABSENT: int = lib.WFBS_FLAT_ABSENT
KEPT = -2  # the value is in the message's `_kept`
UNSET = -3  # created by a constructor that has not assigned it yet
LARGE: int = lib.WFBS_FLAT_LARGE

#: The length in a span; the bits above it are its offset.
LENGTH = 0xFFFFFFFF
#: Buffers must be shorter than this; see flat.h.
MAX_BUFFER = 2**31 - 1

_ROOM: int = lib.WFBS_FLAT_ROOM
_free: list[Any] = []

index = lib.wfbs_flat_index
unpack = ffi.unpack


def limits(values: tuple[int, int, int, int] | None) -> Any:
    """Converts `autobahn_fbs.limits.Limits` to the core's limits; None means the defaults."""
    made = ffi.new("wfbs_limits *", lib.wfbs_default_limits)
    if values is not None:
        made.max_size, made.budget_minimum, made.budget_factor, made.max_tables = values
    return made


#: For messages that have already been verified.
NO_LIMITS = limits((2**31 - 1, 2**31 - 1, 2**16, 2**31 - 1))


def read(buffer: bytes, start: int, size: int, dialect: int, bounds: Any) -> list[int] | None:
    """Verifies a message and finds its fields: its record, or None if it is invalid."""
    try:
        scratch = _free.pop()
    except IndexError:
        scratch = ffi.new("int64_t[]", _ROOM)
    count = index(buffer, start, size, dialect, bounds, scratch)
    record: list[int] | None = unpack(scratch, count) if count else None
    _free.append(scratch)
    return record


def fault(buffer: bytes, start: int, size: int, dialect: int, bounds: Any) -> tuple[Any, ...]:
    """The error in such a message: table, field, text and offset; the first two may be ""."""
    error = ffi.new("wfbs_error *")
    lib.wfbs_flat_fault(buffer, start, size, dialect, bounds, error)
    table, field = (
        ffi.string(name).decode() if name else "" for name in (error.table, error.field)
    )
    refused_by_core(error.code)
    return table, field, ffi.string(lib.wfbs_error_text(error.code)).decode(), error.offset


def pristine(message: Any) -> list[int]:
    """A received message's original record, before anything was read or assigned."""
    old = message._record
    record = read(message._buffer, old[START], old[SIZE], old[DIALECT], NO_LIMITS)
    assert record is not None, "verified bytes don't change"
    return record


def table(buffer: bytes, position: int, index: int, slots: int) -> list[int]:
    """The values of the verified table at a position."""
    out = ffi.new("int64_t[]", slots)
    lib.wfbs_flat_table(buffer, position, index, out)
    values: list[int] = unpack(out, slots)
    return values


def tables(buffer: bytes, span: int, index: int, slots: int) -> list[list[int]]:
    """The values of each table of a verified vector of tables."""
    first, count = span >> 32, span & LENGTH
    out = ffi.new("int64_t[]", slots * count)
    lib.wfbs_flat_tables(buffer, first, count, index, out)
    values = unpack(out, slots * count)
    return [values[i : i + slots] for i in range(0, slots * count, slots)]


def strings(buffer: bytes, span: int) -> list[str]:
    """The strings of a verified vector of strings."""
    first, count = span >> 32, span & LENGTH
    out = ffi.new("int64_t[]", count)
    lib.wfbs_flat_strings(buffer, first, count, out)
    return [text(buffer, value) for value in unpack(out, count)]


def cut(buffer: bytes, span: int) -> bytes:
    """The bytes of a span."""
    start = span >> 32
    return buffer[start : start + (span & LENGTH)]


def text(buffer: bytes, span: int) -> str:
    """The string of a span. The core has checked that it is UTF-8."""
    start = span >> 32
    return buffer[start : start + (span & LENGTH)].decode()
