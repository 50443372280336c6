"""Encodes and decodes args and kwargs with their payload codec."""

from __future__ import annotations

from typing import Any

from .. import _codec_numbers
from . import cbor, details, flexbuffers
from .record import CODEC, LENGTH

#: Numbers for the schema's codecs. CBOR is the default and has no number on the wire. If a codec
#: has a name instead of a number, the name is in the metadata.
CBOR, CBOR_NAMED = _codec_numbers.TRANSPORT, _codec_numbers.CBOR
NAMED, FLEXBUFFERS = _codec_numbers.OPAQUE, _codec_numbers.FLEXBUFFERS


def encode(number: int, name: str | None, value: Any) -> bytes:
    """Encodes args or kwargs.

    :raises Exception: the codec's error for a value that it can't encode.
    """
    if number in (CBOR, CBOR_NAMED):
        return cbor.dumps(value)
    if number == FLEXBUFFERS:
        return flexbuffers.dumps(value)
    from .. import _helpers

    data: Any = _helpers.payload_dumps(number, name, value)
    if not isinstance(data, bytes):
        raise TypeError(f"payload codec returned {type(data).__name__}, not bytes")
    return data


def view(message: Any, span: int) -> memoryview:
    """The bytes of a span of a received message, not copied."""
    start = span >> 32
    return memoryview(message._buffer)[start : start + (span & LENGTH)]


def codec_of(message: Any) -> tuple[int, Any]:
    """The codec of a received message's args and kwargs, and the name of a custom codec (None if
    not stated)."""
    number = message._record[CODEC]
    return number, details.codec_of(message) if number == NAMED else None


def decode(message: Any, span: int) -> Any:
    """Decodes args or kwargs of a received message.

    :raises Exception: the codec's exception.
    """
    number, name = codec_of(message)
    if number in (CBOR, CBOR_NAMED):
        start = span >> 32
        return cbor.loads_part(message._buffer, start, start + (span & LENGTH))
    if number == FLEXBUFFERS:
        return flexbuffers.loads(view(message, span))
    from .. import _helpers

    return _helpers.payload_loads(number, name, view(message, span))
