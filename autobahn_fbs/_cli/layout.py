"""Finds the fields of a verified message, using the reflection file in the package."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

# Base types of FlatBuffers' reflection that are not scalars.
_STRING, _VECTOR, _TABLE, _UNION = 13, 14, 15, 16
#: Bytes of a scalar, by base type: utype, bool, (u)byte, (u)short, (u)int, (u)long, float, double.
_WIDTHS = {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 7: 4, 8: 4, 9: 8, 10: 8, 11: 4, 12: 8}


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

    def number(self, slot: int, form: str, default: int = 0) -> int:
        """The value of a scalar."""
        place = self.slot(slot)
        value: int = struct.unpack_from(f"<{form}", self.data, place)[0] if place else default
        return value

    def pointed(self, slot: int) -> int:
        """The position of the target of the slot's offset, or 0."""
        place = self.slot(slot)
        return place + self._u32(place) if place else 0

    def child(self, slot: int) -> Table:
        return Table(self.data, self.pointed(slot))

    def text(self, slot: int) -> str:
        start = self.pointed(slot)
        return self.data[start + 4 : start + 4 + self._u32(start)].decode() if start else ""

    def children(self, slot: int) -> Iterator[Table]:
        start = self.pointed(slot)
        for index in range(self._u32(start) if start else 0):
            element = start + 4 + 4 * index
            yield Table(self.data, element + self._u32(element))

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
    base: int
    element: int


@cache
def _tables() -> dict[str, tuple[_Field, ...]]:
    """The fields of every table of the schemas, by slot; table names without their namespace."""
    data = (resources.files("autobahn_fbs") / "schemas" / "wamp.bfbs").read_bytes()
    found = {}
    for table in root(data).children(0):
        fields = []
        for field in table.children(1):
            marks = {mark.text(0): mark.text(1) for mark in field.children(9)}
            name = field.text(0)
            kind = field.child(1)
            fields.append(
                _Field(
                    name=name,
                    attribute=marks.get("attr", name),
                    slot=field.number(2, "H"),
                    base=kind.number(0, "B"),
                    element=kind.number(1, "B"),
                )
            )
        found[table.text(0).rsplit(".", 1)[-1]] = tuple(sorted(fields, key=lambda f: f.slot))
    return found


def _place(table: Table, field: _Field) -> Place:
    offset, size = table.slot(field.slot), _WIDTHS.get(field.base)
    if field.base in (_STRING, _VECTOR):
        width = 1 if field.base == _STRING else _WIDTHS.get(field.element, 4)
        offset, size = table.pointed(field.slot) + 4, table.length(field.slot) * width
    elif field.base in (_TABLE, _UNION):
        offset = table.pointed(field.slot)
    return Place(field.name, field.attribute, field.slot, offset, size)


def places(data: bytes, name: str) -> list[Place]:
    """The present fields in a verified message whose table is called `name`, followed by the
    message's metadata, if it has any."""
    message = root(data)
    frame = _tables()["Message"]
    union = next(field for field in frame if field.base == _UNION)
    body = message.child(union.slot)
    found = [_place(body, field) for field in _tables()[name] if body.slot(field.slot)]
    found += [
        _place(message, field)
        for field in frame
        if field.name == "metadata" and message.slot(field.slot)
    ]
    return found


def number(data: bytes, name: str, field: str) -> int:
    """The value of a one-byte field of a verified message, 0 if it is absent."""
    body = root(data).child(next(f.slot for f in _tables()["Message"] if f.base == _UNION))
    slots = [f.slot for f in _tables()[name] if f.name == field]
    return body.number(slots[0], "B") if slots else 0
