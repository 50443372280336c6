"""The base types of the two serializers, which convert messages to bytes and back, and keep the
statistics of Autobahn's Serializer. Their subclasses have the constants and everything outside the
hot path."""

from __future__ import annotations

from typing import Any

from autobahn.wamp.exception import ProtocolError

from . import payload
from ._core import lib
from .classes import CLASSES, AnyObjectSerializer, find
from .counters import COUNTS, REFUSED
from .encode import encode
from .input import opened
from .received import is_unchanged, make
from .record import (
    ABSENT,
    DIALECT,
    FIELDS,
    MAX_BUFFER,
    MESSAGE,
    SIZE,
    START,
    fault,
    read,
)
from .record import limits as core_limits
from .schema import LABELS

#: By message: the indices of args and kwargs in its record; None for messages without them.
_PAYLOADS = tuple(
    (FIELDS + c.args.index, FIELDS + c.kwargs.index) if c.args and c.kwargs else None
    for c in CLASSES
)


def _pass_on(message: Any, batched: int) -> bytes:
    """The bytes of a received message that is still equal to them, framed as required."""
    record, buffer = message._record, message._buffer
    header = 4 if batched else 0
    start, size = record[START], record[SIZE]
    if start == header and len(buffer) == header + size:
        whole: bytes = buffer
        return whole
    body: bytes = buffer[start : start + size]
    return size.to_bytes(4, "big") + body if batched else body


class ObjectSerializer(AnyObjectSerializer):
    """Base of autobahn_fbs.FlatBuffersObjectSerializer: the part that uses the core."""

    __module__ = "autobahn_fbs._cffi"
    # As in the extension, these members are not in the subclass's __dict__.
    __slots__ = ("_codec_name", "_codec_number", "_dialect_number", "_framed", "_limits")

    def __init__(
        self,
        batched: bool = False,
        schema_dialect: bool = False,
        codec: int = 0,
        codec_name: str | None = None,
        limits: tuple[int, int, int, int] | None = None,
    ) -> None:
        if (codec == payload.NAMED) != (type(codec_name) is str):
            raise ValueError("codec_name is for a custom codec, which needs it")
        if hasattr(self, "_framed"):  # a codec or another thread may be using these settings
            raise TypeError("an object serializer can't be initialized again")
        self._framed = 1 if batched else 0
        self._dialect_number = 1 if schema_dialect else 0
        self._codec_number = codec
        self._codec_name = codec_name
        if limits is not None and not isinstance(limits, tuple):
            raise TypeError(f"limits must be a tuple, not {type(limits).__name__}")
        self._limits = core_limits(limits)

    @property
    def _batched(self) -> bool:
        return self._framed == 1

    @property
    def _schema_dialect(self) -> bool:
        return self._dialect_number == 1

    @property
    def _codec(self) -> int:
        return self._codec_number

    def serialize(self, obj: Any, /) -> bytes:
        """Encodes a WAMP message (or a raw WAMP list).

        Raises TypeError or ValueError, which names the attribute, if a value can't be sent, and any
        exception of the payload codec. The result is kept in the message's cache.
        """
        c = find(type(obj))
        if c is None:
            if not isinstance(obj, list):
                raise TypeError(
                    f"expected a WAMP message or a raw WAMP list, got {type(obj).__name__}"
                )
            from .. import _helpers

            return self.serialize(_helpers.parse(obj))
        if type(obj) is c.received:
            # Changed messages are encoded every time, because one of their lists may change again.
            if obj._record[DIALECT] == self._dialect_number and is_unchanged(c, obj):
                COUNTS.pass_ons += 1
                return _pass_on(obj, self._framed)
            return self._encode(c, obj)
        cache = obj._serialized
        if type(cache) is not dict:
            return self._encode(c, obj)
        known = cache.get(self) if cache else None
        if type(known) is bytes:
            COUNTS.cache_hits += 1
            return known
        data = encode(
            c, obj, self._dialect_number, self._framed, self._codec_number, self._codec_name
        )
        COUNTS.encoded += 1
        cache[self] = data
        return data

    def _encode(self, c: Any, message: Any) -> bytes:
        data = encode(
            c, message, self._dialect_number, self._framed, self._codec_number, self._codec_name
        )
        COUNTS.encoded += 1
        return data

    def serialize_payload(self, data: Any, /) -> bytes:
        """Encodes args or kwargs with this serializer's payload codec.

        Raises the codec's error for a value that it can't encode.
        """
        return payload.encode(self._codec_number, self._codec_name, data)

    def unserialize(self, payload: Any, /) -> list[Any]:
        """Decodes a bytes-like object to a list of messages: one, or all of a batch.

        Every message is verified completely. Its attributes are decoded when they are read. Raises
        autobahn.wamp.exception.ProtocolError, which names message, field and offset, if anything is
        invalid.
        """
        buffer = payload if type(payload) is bytes else opened(payload)
        if self._framed:
            return self._batch(buffer)
        return [self._one(buffer, 0, len(buffer))]

    def _refusal(self, text: str, buffer: bytes) -> ProtocolError:
        """The error for bytes that aren't a message, with a hint at what they are, if that is
        recognized."""
        from .. import _helpers

        settings = self._framed | self._dialect_number << 1
        readable = lib.wfbs_valid_settings(buffer, len(buffer), self._limits)
        start = buffer[: lib.WFBS_HINT_BYTES]
        return ProtocolError(text + _helpers.refusal_hint(start, settings, readable))

    def _one(self, buffer: bytes, start: int, size: int) -> Any:
        """Verifies one message and wraps it."""
        whole = buffer
        if start + size > MAX_BUFFER and start:
            buffer, start = buffer[start : start + size], 0  # positions are 31 bits
        record = read(buffer, start, size, self._dialect_number, self._limits)
        if record is None:
            table, field, text, offset = fault(
                buffer, start, size, self._dialect_number, self._limits
            )
            name = LABELS.get(table or "Message", table or "Message")
            where = f"{name}{'.' if field else ''}{field}"
            raise self._refusal(f"{where}: {text}, at offset {offset}", whole)
        try:
            message = make(record, buffer)
        except ProtocolError:
            REFUSED["METADATA"] += 1
            raise
        payloads = _PAYLOADS[record[MESSAGE]]
        if payloads is not None:
            args, kwargs = payloads
            COUNTS.payloads += (record[args] != ABSENT) + (record[kwargs] != ABSENT)
        return message

    def _batch(self, buffer: bytes) -> list[Any]:
        """All messages of a batch. Each follows its length: 32 bits, big-endian."""
        messages = []
        at, end = 0, len(buffer)
        while at < end:
            size = int.from_bytes(buffer[at : at + 4], "big") if end - at >= 4 else 0
            if not size or size > end - at - 4:
                what = (
                    "trailing bytes"
                    if end - at < 4
                    else "message length runs past the frame"
                    if size
                    else "empty message"
                )
                REFUSED["BATCH"] += 1
                raise self._refusal(f"batch: {what} at offset {at}", buffer)
            messages.append(self._one(buffer, at + 4, size))
            at += 4 + size
        return messages


def _not_ours() -> TypeError:
    return TypeError("_serializer is not an object serializer of autobahn_fbs")


# Its hot functions call as few others as possible, because PyPy's compiler gives up on code that is
# too long.
class TransportSerializer:
    """Base of autobahn_fbs.FlatBuffersSerializer: the hot path and the counters that Autobahn's
    stats() reads."""

    __module__ = "autobahn_fbs._cffi"

    _serializer: Any = None
    _autoreset_callback: Any = None
    _autoreset_rated_messages: int | None = None
    _autoreset_duration: int | None = None
    _serialized_bytes: int = 0
    _serialized_messages: int = 0
    _serialized_rated_messages: int = 0
    _unserialized_bytes: int = 0
    _unserialized_messages: int = 0
    _unserialized_rated_messages: int = 0
    _rated_size: int = 512

    def _maybe_autoreset(self) -> None:
        """Resets the statistics if that is due."""

    def serialize(self, msg: Any, /) -> tuple[bytes, bool]:
        """The message's bytes, and True: they need a binary transport (ISerializer.serialize)."""
        serializer = self._serializer
        if not isinstance(serializer, ObjectSerializer):
            raise _not_ours()
        data = serializer.serialize(msg)
        size = len(data)
        unit = self._rated_size or 512
        self._serialized_bytes += size
        self._serialized_messages += 1
        self._serialized_rated_messages += (size + unit - 1) // unit
        if self._autoreset_callback is not None:
            self._maybe_autoreset()
        return data, True

    def unserialize(self, payload: Any, isBinary: bool | None = None) -> list[Any]:
        """Decodes a bytes-like object to a list of messages (ISerializer.unserialize).

        Raises ProtocolError like FlatBuffersObjectSerializer.unserialize, and if isBinary is given
        and false.
        """
        serializer = self._serializer
        if not isinstance(serializer, ObjectSerializer):
            raise _not_ours()
        if isBinary is not None and not isBinary:
            raise ProtocolError(
                "invalid serialization of WAMP message (binary False, but expected True)"
            )
        buffer = payload if type(payload) is bytes else opened(payload)
        messages = serializer.unserialize(buffer)
        size = len(buffer)
        unit = self._rated_size or 512
        self._unserialized_bytes += size
        self._unserialized_messages += len(messages)
        self._unserialized_rated_messages += (size + unit - 1) // unit
        if self._autoreset_callback is not None:
            self._maybe_autoreset()
        return messages
