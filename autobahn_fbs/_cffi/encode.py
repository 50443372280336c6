"""Encodes a message's attributes as one FlatBuffers message.

Payloads and metadata are encoded first, because their codecs can run Python code. Then the values
are gathered in one flat record, from which the core builds the message in one call.
"""

from __future__ import annotations

from typing import Any

from . import encode_fast, metadata, payload
from ._core import ffi
from .attributes import READ_ABSENT
from .build import BLOB_MIN, build
from .classes import Attribute, MessageClass
from .convert import BUILD_FIELDS, BUILD_ROOM, Outgoing, convert
from .convert_errors import refuse, refuse_encoding
from .record import ABSENT, CODEC, FIELDS, KEPT, UNSET, cut

# ---- args and kwargs


#: The record's value for an attribute that has been read or set.
_TOUCHED = (KEPT, READ_ABSENT, UNSET)


_TEXTS: tuple[type, ...] = (str, bytes)


def _has_good_type(a: Attribute, value: Any) -> bool:
    """Whether a value may be sent as args or kwargs, by the rules of Message.parse."""
    if a.use == "ARGS":
        return isinstance(value, (list, tuple)) or (
            a.owner.label == "PUBLISH" and type(value) in _TEXTS
        )
    if not isinstance(value, dict):
        return False
    for key in value:  # noqa: SIM110  # on PyPy, a generator costs more than the encoding
        if not isinstance(key, str):
            return False
    return True


def _encoded(a: Attribute, value: Any, number: int, name: str | None) -> bytes | None:
    """The bytes of args or kwargs."""
    if value is None:
        return None
    if not _has_good_type(a, value):
        expected = "list or tuple" if a.use == "ARGS" else "dict with str keys"
        refuse(a, TypeError, f"expected {expected}, got {type(value).__name__}")
    try:
        return payload.encode(number, name, value)
    except MemoryError:
        raise
    except Exception as error:
        from .. import _helpers

        refuse_encoding(a, error, _helpers.advice(number, value))


def _of_received(
    c: MessageClass, message: Any, number: int, name: str | None
) -> tuple[int, str | None, bytes | None, bytes | None]:
    """Codec, args and kwargs of a received message. If nobody has read or set the payload, it keeps
    its codec and its bytes, even if the codec is unknown here."""
    args, kwargs = c.args, c.kwargs
    assert args is not None and kwargs is not None
    record = message._record
    own = record[CODEC]
    spans = [record[FIELDS + a.index] for a in (args, kwargs)]  # once: others may read and assign
    raw = [span not in _TOUCHED for span in spans]
    buffer: bytes = message._buffer  # or None, and then there are no raw bytes
    if buffer is None or own < 0:
        raw = [False, False]
    elif all(raw):
        number, name = payload.codec_of(message)
    elif own != number or own == payload.NAMED:
        raw = [False, False]
    found: list[bytes | None] = []
    for a, span, is_raw in zip((args, kwargs), spans, raw, strict=True):
        if is_raw:
            found.append(None if span == ABSENT else cut(buffer, span))
        else:
            found.append(_encoded(a, getattr(message, a.name), number, name))
    return number, name, found[0], found[1]


# ---- everything else


def _none(a: Attribute, out: Outgoing) -> bool:
    """Handles None for an attribute that needs a value: refuses it, or writes an empty string if
    the schema requires one, and null in the metadata (then true)."""
    if not a.field.required or a.field.positional or a.use != "STR":
        refuse(a, ValueError, "is required and can't be None")
    out.texts[a.index] = b""
    out.values[a.index] = 0
    out.present |= a.bit
    return True


def _check_payload(c: MessageClass, held: dict[int, Any], has_args: bool) -> None:
    """Payload, args, kwargs and enc_*: the rules that the constructors assert."""
    if c.payload is None:
        return
    enc = [a for a in c.enc if a.index in held]
    if c.payload.index in held:
        if has_args:
            refuse(c.payload, ValueError, "can't be combined with args or kwargs")
        if enc and c.enc[0].index not in held:
            refuse(c.enc[0], ValueError, "is required with enc_key, enc_serializer or ppt_cipher")
    elif enc:
        refuse(min(enc, key=lambda a: a.index), ValueError, "is only allowed with payload")


def _is_enum_name(c: MessageClass, a: Attribute, value: str, dialect: int, out: Outgoing) -> bool:
    """Uses the schema dialect's field for an enum's string that the enum lacks, if there is one."""
    slot = c.table.slot_of.get("ENUM_NAME")
    if dialect != 1 or slot is None or a.use != "ENUM":
        return False
    out.texts[slot] = data = value.encode()
    out.values[slot] = len(data)
    out.present |= 1 << slot
    return True


def _fetch(c: MessageClass, message: Any) -> dict[int, Any]:
    """Every attribute except args and kwargs that is not None, by index, and None for those
    attributes for which it has a meaning."""
    plain = type(message) is c.plain and message._from_fbs is None
    ours = type(message) is c.received
    held: dict[int, Any] = {}
    for a in c.used:
        if a.use in ("ARGS", "KWARGS") or (a.use == "PPT_CIPHER" and not ours):
            continue
        value = getattr(message, a.private if plain else a.name)
        if value is None:
            if a.demanding:
                held[a.index] = None
        elif not (a.defaulting and type(value) is dict and not value):
            held[a.index] = value
    return held


def _fill(
    c: MessageClass, held: dict[int, Any], in_metadata: int, dialect: int, out: Outgoing
) -> int:
    """Converts all values that typed fields can express; returns the bits of the others."""
    more = 0
    for index, value in held.items():
        a = c.attributes[index]
        assert a is not None
        if in_metadata & a.bit:
            continue
        if not convert(a, value, out) and not _is_enum_name(c, a, value, dialect, out):
            more |= a.bit
    return more


def _general(
    c: MessageClass,
    message: Any,
    dialect: int,
    batched: int,
    codec: tuple[int, str | None, bytes | None, bytes | None],
) -> bytes:
    """Encodes any message."""
    number, name, args, kwargs = codec
    has_args = args is not None or kwargs is not None
    held = _fetch(c, message)
    nulls = Outgoing()
    in_metadata = 0
    for index in [index for index, value in held.items() if value is None]:
        a = c.attributes[index]
        assert a is not None
        _none(a, nulls)
        in_metadata |= a.bit
        del held[index]
    _check_payload(c, held, has_args)
    if not has_args:
        name = None

    def begin() -> Outgoing:
        out = Outgoing()
        out.values.update(nulls.values)
        out.texts.update(nulls.texts)
        out.present = nulls.present
        for a, data in ((c.args, args), (c.kwargs, kwargs)):
            if a is not None and data is not None:
                out.values[a.index], out.texts[a.index] = len(data), data
                out.present |= a.bit
        if has_args and number != payload.CBOR:  # this field names the codec of args and kwargs
            slot = c.table.slot_of["ENC_SERIALIZER"]
            out.values[slot] = number
            out.present |= 1 << slot
        return out

    out = begin()
    more = _fill(c, held, in_metadata, dialect, out)
    data = None
    again = dialect == 1 or in_metadata != 0 or name is not None or more != 0
    while again:  # encoding metadata can run Python code, so all values are converted again
        in_metadata |= more
        data = metadata.encode(c, message, held, in_metadata, dialect, name)
        out = begin()
        more = _fill(c, held, in_metadata, dialect, out)
        again = more != 0
    return _written(c, dialect, batched, out, data)


def _written(
    c: MessageClass, dialect: int, batched: int, out: Outgoing, data: bytes | None
) -> bytes:
    """Builds the message from `out` and its metadata."""
    record = ffi.new("int64_t[]", BUILD_ROOM + len(out.extension))
    record[0], record[1] = out.present, -1 if data is None else len(data)
    for slot, value in out.values.items():
        record[BUILD_FIELDS + slot] = value
    for i, value in enumerate(out.extension, BUILD_ROOM):
        record[i] = value
    fields = c.table.fields
    texts = [
        piece
        for slot, piece in sorted(out.texts.items())
        if len(piece) < BLOB_MIN or fields[slot].kind != "BYTES"
    ]
    if data is not None:
        out.texts[-1] = data
        if len(data) < BLOB_MIN:
            texts.append(data)
    return build(c, dialect, batched, record, len(record), b"".join(texts), out.texts)


#: Raised by `flat`: strings without UTF-8; lists or dicts that other threads change.
_LEFT_TO_OTHERS = (UnicodeEncodeError, RuntimeError, IndexError)


def encode(
    c: MessageClass, message: Any, dialect: int, batched: int, number: int, name: str | None
) -> bytes:
    """The bytes of a message of class `c`, with a frame if `batched`.

    :raises TypeError, ValueError: the text names the attribute that can't be sent.
    """
    args = kwargs = None
    kind = type(message)
    if kind is c.received:
        codec = (
            _of_received(c, message, number, name)
            if c.args is not None
            else (number, name, None, None)
        )
        return _general(c, message, dialect, batched, codec)
    plain = kind is c.plain and message._from_fbs is None
    usual = plain and dialect == 0 and name is None
    data: bytes | None
    if c.args is not None and c.kwargs is not None:
        if (
            usual
            and (message._args is not None or message._kwargs is not None)
            and (number == payload.CBOR or number == payload.CBOR_NAMED)
        ):
            if c.flat is None:
                c.flat = encode_fast.make_flat(c)
            try:
                data = c.flat(message, number, batched)
            except _LEFT_TO_OTHERS:
                data = None
            if data is not None:
                return data
        args = _encoded(c.args, message._args if plain else message.args, number, name)
        kwargs = _encoded(c.kwargs, message._kwargs if plain else message.kwargs, number, name)
    if usual:
        if c.fast is None:
            c.fast = encode_fast.make(c)
        try:
            data = c.fast(message, args, kwargs, number, batched)
        except UnicodeEncodeError:  # the general path names the attribute
            data = None
        if data is not None:
            return data
    return _general(c, message, dialect, batched, (number, name, args, kwargs))
