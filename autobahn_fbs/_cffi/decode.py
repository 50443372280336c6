"""Creates Python objects from a verified message's fields, on demand."""

from __future__ import annotations

import struct
from typing import Any

from autobahn.wamp.exception import ProtocolError

from . import payload
from .classes import ROLE_CLASSES, Attribute
from .convert_errors import description
from .counters import COUNTS, REFUSED
from .record import ABSENT, FIELDS, LARGE, LENGTH, START, cut, strings, table, tables, text
from .schema import TABLES, Table


def value_of(a: Attribute, message: Any, value: int) -> Any:
    """The object for `value`, the record's value of the attribute.

    :raises ProtocolError: a payload can't be decoded.
    """
    buffer: bytes = message._buffer
    if value == ABSENT:
        return absent(a, message)
    use, kind = a.use, a.kind
    if use in ("ARGS", "KWARGS"):
        return _payload(a, message, value)
    if use == "PAYLOAD":
        return cut(buffer, value)
    if kind == "STRING":
        return text(buffer, value)
    if kind == "BOOL":
        return value == 1
    if kind == "ENUM8":
        assert a.enum is not None
        return a.enum.names[value]
    if kind == "TABLE":
        if use == "ROLES":
            return _roles(TABLES[a.field.sub], buffer, value)
        return _map(TABLES[a.field.sub], buffer, value)
    if kind == "VECTOR_U64":
        return list(struct.unpack_from(f"<{value & LENGTH}Q", buffer, value >> 32))
    if kind == "VECTOR_STRING":
        return strings(buffer, value)
    if kind == "VECTOR_ENUM8":
        assert a.enum is not None
        return [a.enum.names[item] for item in cut(buffer, value)]
    if kind == "VECTOR_TABLE":
        return _principals(TABLES[a.field.sub], buffer, value)
    return integer(buffer, value)


def integer(buffer: bytes, value: int) -> int:
    """An integer; a large one is stored elsewhere."""
    if value > LARGE:
        return value
    place = LARGE - value
    return int.from_bytes(buffer[place : place + 8], "little")


def absent(a: Attribute, message: Any) -> Any:
    """The value of an absent field."""
    field = a.field
    if a.use == "INT":
        return None if field.optional or a.kind == "NONE" else field.default
    if a.use == "ENUM":
        return _other_place_of_enum(a, message)
    if a.use in ("ROLES", "CUSTOM"):
        return {}
    if a.use == "DICT":  # the extra of CHALLENGE and AUTHENTICATE is never None
        return {} if field.positional else None
    return None


def _other_place_of_enum(a: Attribute, message: Any) -> str | None:
    """An enum's string that the enum lacks (schema dialect), or the value of an absent field."""
    slot = a.owner.table.slot_of.get("ENUM_NAME")
    if slot is not None:
        value = message._record[FIELDS + slot]
        if value != ABSENT:
            return text(message._buffer, value)
    if a.field.optional:
        return None
    assert a.enum is not None
    return a.enum.names[a.field.default]


def _principals(t: Table, buffer: bytes, span: int) -> list[dict[str, Any]]:
    """Decodes forward_for. Autobahn's writer leaves out an empty authrole, which can't be None, and
    an empty authid, which is then read as None."""
    return [
        {
            "session": 0 if session == ABSENT else integer(buffer, session),
            "authid": None if authid == ABSENT else text(buffer, authid),
            "authrole": "" if authrole == ABSENT else text(buffer, authrole),
        }
        for session, authid, authrole in tables(buffer, span, t.index, t.slot_count)
    ]


def _roles(t: Table, buffer: bytes, position: int) -> dict[str, Any]:
    """The announced roles, as Autobahn's RoleFeatures objects."""
    roles = {}
    for field, place in zip(t.fields, table(buffer, position, t.index, t.slot_count), strict=True):
        if place != ABSENT:
            sub = TABLES[field.sub]
            values = table(buffer, place, sub.index, sub.slot_count)
            features = {
                feature.name: value == 1
                for feature, value in zip(sub.fields, values, strict=True)
                if value != ABSENT and feature.use == "BOOL"
            }
            roles[field.name] = ROLE_CLASSES[sub.name](**features)
    return roles


def _map(t: Table, buffer: bytes, position: int) -> dict[str, Any]:
    """Upstream's map with one pair, for peers that write it."""
    key, value = table(buffer, position, t.index, t.slot_count)
    return {text(buffer, key): None if value == ABSENT else text(buffer, value)}


def _payload(a: Attribute, message: Any, span: int) -> Any:
    """Decodes args or kwargs, and counts the result."""
    try:
        value = _decoded(a, message, span)
    except ProtocolError:
        if not hasattr(message, "_uncounted"):
            REFUSED["PAYLOAD"] += 1
        raise
    if not hasattr(message, "_uncounted"):
        COUNTS.payloads_decoded += 1
    return value


def _decoded(a: Attribute, message: Any, span: int) -> Any:
    """Decodes args or kwargs with the codec that the message names. Checks them like Message.parse
    and the constructors."""
    offset = (span >> 32) - message._record[START]
    try:
        value = payload.decode(message, span)
    except MemoryError:
        raise
    except Exception as error:
        raise ProtocolError(
            f"{a.owner.label}.{a.field.name}: payload can't be decoded: "
            f"{description(error)} (at offset {offset})"
        ) from None
    kind = type(value)
    name = kind.__name__
    if value is None:
        return value
    if a.use == "ARGS":
        # PUBLISH also accepts text and bytes here (Publish.parse).
        if kind is list or (a.owner.label == "PUBLISH" and (kind is str or kind is bytes)):
            return value
    elif kind is dict:
        if all(isinstance(key, str) for key in value):
            return value
        name = "a map with keys that are not strings"
    raise ProtocolError(f"{a.owner.label}.{a.field.name}: payload is {name}, at offset {offset}")
