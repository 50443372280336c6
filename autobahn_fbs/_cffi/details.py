"""A received message's metadata as a map, before it is converted."""

from __future__ import annotations

from typing import Any

from autobahn.wamp.exception import ProtocolError

from . import cbor
from ._core import ffi, lib
from .record import ABSENT, DIALECT, LENGTH, MESSAGE, METADATA, START
from .schema import MESSAGES, Table

#: The entry that names a custom payload codec.
CODEC_KEY = "ppt_serializer"


def details_are_extra(table: Table, dialect: int) -> bool:
    """Whether metadata under the schema dialect is the message's `extra` itself."""
    slot = table.slot_of.get("DICT")
    return dialect == 1 and slot is not None and table.fields[slot].positional


def has_text_keys(table: Table, data: Any, first: int, size: int) -> bool:
    """Whether all maps in the metadata at `first` in `data` have text keys, where WAMP requires
    them."""
    part = ffi.from_buffer("uint8_t[]", data) + first
    return bool(lib.wfbs_cbor_has_text_keys(lib.wfbs_tables + table.index, part, size))


def read(message: Any) -> dict[str, Any]:
    """The details in a received message that has metadata.

    :raises ProtocolError: they are not one CBOR map with string keys.
    """
    record = message._record
    span = record[METADATA]
    label, table = MESSAGES[record[MESSAGE]].label, MESSAGES[record[MESSAGE]].table
    first = span >> 32
    place = f"at offset {first - record[START]}"
    if not details_are_extra(table, record[DIALECT]) and not has_text_keys(
        table, message._buffer, first, span & LENGTH
    ):
        raise ProtocolError(f"{label}: metadata has keys that are not strings, {place}")
    try:
        found, behind = cbor.loads_first(message._buffer, first, first + (span & LENGTH))
    except MemoryError:
        raise
    except Exception:
        raise ProtocolError(f"{label}: metadata is not CBOR, {place}") from None
    if behind != first + (span & LENGTH):
        raise ProtocolError(f"{label}: metadata has bytes after its map, {place}")
    if type(found) is not dict:
        raise ProtocolError(f"{label}: metadata is not a map, {place}")
    if not all(type(key) is str for key in found):
        raise ProtocolError(f"{label}: metadata has keys that are not strings, {place}")
    return found


def codec_of(message: Any) -> Any:
    """The name of the custom codec of a received message's payload, None if not stated."""
    if message._record[METADATA] == ABSENT:
        return None
    return read(message).get(CODEC_KEY)
