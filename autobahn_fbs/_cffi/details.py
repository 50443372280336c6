"""A received message's metadata as a map, before anything is made of it."""

from __future__ import annotations

from typing import Any

from autobahn.wamp.exception import ProtocolError

from . import cbor
from .record import ABSENT, LENGTH, MESSAGE, METADATA, START
from .schema import MESSAGES

#: The entry that names a custom payload codec.
CODEC_KEY = "ppt_serializer"


def read(message: Any) -> dict[str, Any]:
    """The details in a received message that has metadata.

    :raises ProtocolError: if they are not one CBOR map with string keys.
    """
    record = message._record
    span = record[METADATA]
    label = MESSAGES[record[MESSAGE]].label
    first = span >> 32
    place = f"at offset {first - record[START]}"
    try:
        found, behind = cbor.loads_first(message._buffer, first, first + (span & LENGTH))
    except MemoryError:
        raise
    except Exception:
        raise ProtocolError(f"{label}: metadata is not CBOR, {place}") from None
    if behind != first + (span & LENGTH):
        raise ProtocolError(f"{label}: metadata has bytes behind its map, {place}")
    if type(found) is not dict:
        raise ProtocolError(f"{label}: metadata is not a map, {place}")
    if not all(type(key) is str for key in found):
        raise ProtocolError(f"{label}: metadata has keys that are not strings, {place}")
    return found


def codec_of(message: Any) -> Any:
    """The name of the custom codec that wrote a received message's payload, None if not stated."""
    if message._record[METADATA] == ABSENT:
        return None
    return read(message).get(CODEC_KEY)
