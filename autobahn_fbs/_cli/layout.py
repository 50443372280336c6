"""Finds the fields of a verified message."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .fields import FIELDS

#: Bytes of the schemas' scalars, by FlatBuffers' base type.
_WIDTHS = {"UType": 1, "Bool": 1, "UByte": 1, "UShort": 2, "UInt": 4, "ULong": 8}


@dataclass(frozen=True)
class Place:
    """A field that is present: `size` bytes of content at `offset`; a table has no size."""

    name: str  #: the schema's
    attribute: str  #: Autobahn's
    slot: int
    offset: int
    size: int | None


class Table:
    """A table of a verified FlatBuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        self._vtable = at - struct.unpack_from("<i", data, at)[0]

    def slot(self, slot: int) -> int:
        """The position of the slot's value, or 0."""
        entry = 4 + 2 * slot
        if entry + 2 > self._u16(self._vtable):
            return 0
        inline = self._u16(self._vtable + entry)
        return self.at + inline if inline else 0

    def pointed(self, slot: int) -> int:
        """The position of the target of the slot's offset, or 0."""
        place = self.slot(slot)
        return place + self._u32(place) if place else 0

    def child(self, slot: int) -> Table:
        return Table(self.data, self.pointed(slot))

    def length(self, slot: int) -> int:
        """Elements of a vector, or bytes of a string."""
        return self._u32(self.pointed(slot))

    def _u16(self, at: int) -> int:
        value: int = struct.unpack_from("<H", self.data, at)[0]
        return value

    def _u32(self, at: int) -> int:
        value: int = struct.unpack_from("<I", self.data, at)[0]
        return value


def root(data: bytes) -> Table:
    return Table(data, struct.unpack_from("<I", data)[0])


@dataclass(frozen=True)
class _Field:
    name: str
    attribute: str
    slot: int
    base: str  #: FlatBuffers' base type
    element: str  #: that of a vector's elements, or "None"


def _fields(table: str) -> list[_Field]:
    return [_Field(*row) for row in FIELDS[table]]


def _place(table: Table, field: _Field) -> Place:
    offset, size = table.slot(field.slot), _WIDTHS.get(field.base)
    if field.base in ("String", "Vector"):
        width = 1 if field.base == "String" else _WIDTHS.get(field.element, 4)
        offset, size = table.pointed(field.slot) + 4, table.length(field.slot) * width
    elif field.base in ("Obj", "Union"):
        offset = table.pointed(field.slot)
    return Place(field.name, field.attribute, field.slot, offset, size)


def places(data: bytes, name: str) -> list[Place]:
    """The present fields in a verified message whose table is called `name`, followed by the
    message's metadata, if it has any."""
    message = root(data)
    frame = _fields("Message")
    union = next(field for field in frame if field.base == "Union")
    body = message.child(union.slot)
    found = [_place(body, field) for field in _fields(name) if body.slot(field.slot)]
    found += [
        _place(message, field)
        for field in frame
        if field.name == "metadata" and message.slot(field.slot)
    ]
    return found


def number(data: bytes, name: str, field: str) -> int:
    """The value of a one-byte field of a verified message, 0 if it is absent."""
    body = root(data).child(next(f.slot for f in _fields("Message") if f.base == "Union"))
    found = [body.slot(f.slot) for f in _fields(name) if f.name == field]
    return data[found[0]] if any(found) else 0
