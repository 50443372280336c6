"""Reads verified bytes as instances, dicts and single fields. Nothing here checks anything."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, pack, unpack, unpack_from
from typing import TYPE_CHECKING, Any

from . import words
from .plan import (
    ARRAY,
    BOOL,
    FLOAT,
    FORMATS,
    SCALAR,
    SCALARS,
    STRING,
    STRUCT,
    TABLE,
    UNION,
    VECTOR,
    Enum,
    Field,
    Object,
)
from .union import TypedUnion

if TYPE_CHECKING:
    from .codec import TypedSchema
    from .table import Layout

#: Reads the value at a position of the data.
Read = Callable[[bytes, int], Any]

#: The forms of a decoded table.
INSTANCE, PRESENT, FULL, TOP = range(4)

_F32 = Struct("<f").unpack_from
_U16 = Struct("<H").unpack_from
_U32 = Struct("<I").unpack_from
_I32 = Struct("<i").unpack_from


def slot(data: bytes, table: int, offset: int) -> int:
    """The position of a field of a table, from its offset in the vtable; 0 if it is absent."""
    vtable = table - _I32(data, table)[0]
    if offset + 2 > _U16(data, vtable)[0]:
        return 0
    place: int = _U16(data, vtable + offset)[0]
    return table + place if place else 0


def follow(data: bytes, at: int) -> int:
    """The target of the offset at a position."""
    target: int = at + _U32(data, at)[0]
    return target


def _string(data: bytes, at: int) -> str:
    at += _U32(data, at)[0]
    start = at + 4
    return data[start : start + _U32(data, at)[0]].decode()


def _bytes(data: bytes, at: int) -> bytes:
    at += _U32(data, at)[0]
    start = at + 4
    return data[start : start + _U32(data, at)[0]]


def _float(data: bytes, at: int) -> float:
    """A 32-bit float. A NaN keeps its payload, unlike with struct.unpack."""
    value: float = _F32(data, at)[0]
    if value != value:
        bits = _U32(data, at)[0]
        wide = (bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7FFFFF) << 29
        (value,) = unpack("<d", pack("<Q", wide))
    return value


class Reader:
    """Reads the tables of a schema in one form: instances, or dicts."""

    def __init__(self, schema: TypedSchema, form: int) -> None:
        self.schema = schema
        self.form = form
        self.as_dict = form in (PRESENT, FULL)
        self._fields: dict[int, list[tuple[Field, Read, Any]]] = {}
        self._structs: dict[int, Read] = {}

    # Tables

    def fields(self, of: Object) -> list[tuple[Field, Read, Any]]:
        """The values of a table: the field, its reader, and its value if absent."""
        found = self._fields.get(of.index)
        if found is None:
            absent = self.schema.absent_name if self.as_dict else self.schema.absent
            found = [(field, self.reader(field), absent(field)) for field in of.values]
            self._fields[of.index] = found  # only now, because other threads use it at once
        return found

    def table(self, of: Object, data: bytes, at: int) -> Any:
        """The table at a position."""
        if self.as_dict:
            return self.as_map(of, data, at)
        vtable = at - _I32(data, at)[0]
        end = _U16(data, vtable)[0]
        values = []
        for field, read, absent in self.fields(of):
            offset = field.offset
            place = _U16(data, vtable + offset)[0] if offset < end else 0
            if not place:
                values.append(absent)
            elif field.tag is not None:
                values.append(self.union(field, data, at, at + place))
            else:
                values.append(read(data, at + place))
        return self.schema.layout(of.index).new(values)

    def as_map(self, of: Object, data: bytes, at: int) -> dict[str, Any]:
        """The table at a position, by the names of the schema: present fields, or all that aren't
        None."""
        found: dict[str, Any] = {}
        full = self.form == FULL
        for field, read, absent in self.fields(of):
            place = slot(data, at, field.offset)
            if not place:
                if full and absent is not None:
                    found[field.name] = absent
            elif field.tag is not None:
                self._union_entries(found, field, data, at, place)
            else:
                found[field.name] = read(data, place)
        return found

    # Unions

    def member(self, enum: Enum, tag: int, data: bytes, at: int) -> Any:
        """A union's member whose offset is at a position; None for an unknown type."""
        member = enum.by_value.get(tag)
        if member is None or not tag:
            return None
        if member.shape == STRING:
            return _string(data, at)
        if member.shape == STRUCT:
            return self.struct(member.object)(data, follow(data, at))
        return self.table(member.object, data, follow(data, at))

    def _named(self, enum: Enum, tag: int, value: Any) -> Any:
        """A member's value, with its name if its class doesn't identify it."""
        if enum.is_ambiguous and tag in enum.by_value:
            return TypedUnion(enum.by_value[tag].name, value)
        return value

    def union(self, field: Field, data: bytes, table: int, at: int) -> Any:
        enum = field.plan.enum(field.index)
        assert field.tag is not None
        tags = slot(data, table, field.tag.offset)
        if not tags:
            return None
        if field.shape == UNION:
            tag = data[tags]
            value = self.member(enum, tag, data, at)
            return None if value is None else self._named(enum, tag, value)
        first, items = follow(data, tags), follow(data, at)
        values = []
        for i in range(_U32(data, items)[0]):
            tag = data[first + 4 + i]
            value = self.member(enum, tag, data, items + 4 + 4 * i)
            values.append(None if value is None else self._named(enum, tag, value))
        return values

    def _union_entries(
        self, found: dict[str, Any], field: Field, data: bytes, table: int, at: int
    ) -> None:
        enum, tag_field = field.plan.enum(field.index), field.tag
        assert tag_field is not None
        tags = slot(data, table, tag_field.offset)
        if not tags:
            return
        if field.shape == UNION:
            tag = data[tags]
            if tag in enum.by_value and tag:
                found[tag_field.name] = enum.by_value[tag].name
                found[field.name] = self.member(enum, tag, data, at)
            return
        first, items = follow(data, tags), follow(data, at)
        numbers = [data[first + 4 + i] for i in range(_U32(data, items)[0])]
        found[tag_field.name] = [
            enum.by_value[tag].name if tag in enum.by_value else tag for tag in numbers
        ]
        found[field.name] = [
            self.member(enum, tag, data, items + 4 + 4 * i) for i, tag in enumerate(numbers)
        ]

    # Values

    def reader(self, field: Field) -> Read:
        """The reader for a field at its position in a table, or for an element of a vector."""
        if field.shape == SCALAR:
            return self.scalar(field)
        if field.shape == STRUCT:
            return self.struct_of(field)
        if field.shape == STRING:
            return _string
        if field.shape == TABLE:
            of = field.object
            return lambda data, at: self.table(of, data, at + _U32(data, at)[0])
        if field.shape == VECTOR:
            return self._vector(field)
        if field.shape == ARRAY:
            return self._array(field)
        return lambda data, at: None  # for a union, which needs the table

    def scalar(self, field: Field) -> Read:
        """The reader for a number, a bool, or an enum's value."""
        read = SCALARS[field.scalar].unpack_from
        if field.scalar == BOOL:
            return lambda data, at: data[at] != 0
        if field.enum is not None:
            convert = self.schema.enum_name if self.as_dict else self.schema.enum_member
            enum = field.enum
            return lambda data, at: convert(enum, read(data, at)[0])
        if field.scalar == FLOAT:
            return _float
        return lambda data, at: read(data, at)[0]

    def struct_of(self, field: Field) -> Read:
        """The reader for a struct that may represent a large integer."""
        of = field.object
        if of.words and field.demand in words.DEMANDS:
            memory, plain, size = self.schema.words == "memory", self.as_dict, of.words
            demand = field.demand
            return lambda data, at: words.read(data[at : at + size], demand, memory, plain)
        return self.struct(of)

    def struct(self, of: Object) -> Read:
        """The reader for a struct at its position."""
        found = self._structs.get(of.index)
        if found is None:
            parts = [(field.name, field.offset, self.reader(field)) for field in of.values]
            layout = None if self.as_dict else self.schema.layout(of.index)

            def read_struct(data: bytes, at: int) -> Any:
                if layout is None:
                    return {name: read(data, at + offset) for name, offset, read in parts}
                return layout.new([read(data, at + offset) for _, offset, read in parts])

            found = self._structs[of.index] = read_struct
        return found

    def _vector(self, field: Field) -> Read:
        if field.is_bytes:
            return _bytes
        each = field.element
        if each.shape == SCALAR and each.enum is None and each.scalar not in (BOOL, FLOAT):
            kind = FORMATS[each.scalar]

            def numbers(data: bytes, at: int) -> list[Any]:
                at += _U32(data, at)[0]
                return list(unpack_from(f"<{_U32(data, at)[0]}{kind}", data, at + 4))

            return numbers
        read, stride = self.reader(each), field.stride

        def items(data: bytes, at: int) -> list[Any]:
            at += _U32(data, at)[0]
            start, count = at + 4, _U32(data, at)[0]
            return [read(data, place) for place in range(start, start + count * stride, stride)]

        return items

    def _array(self, field: Field) -> Read:
        size, stride = field.fixed_length * field.stride, field.stride
        if field.is_bytes:
            return lambda data, at: data[at : at + size]
        read = self.reader(field.element)
        return lambda data, at: [read(data, place) for place in range(at, at + size, stride)]


# Instances as dicts


def dict_of(instance: Any) -> dict[str, Any]:
    """The fields of an instance that are not None, by the schema's names, including nested ones."""
    layout: Layout = type(instance)._layout
    found: dict[str, Any] = {}
    for name, field in zip(layout.names, layout.fields, strict=True):
        value = getattr(instance, name)
        if value is None:
            continue
        if field.tag is not None:
            tags, values = _plain_union(layout.schema, field, value)
            found[field.tag.name] = tags
            found[field.name] = values
        else:
            found[field.name] = _plain(layout.schema, field, value)
    return found


def _plain_union(schema: TypedSchema, field: Field, value: Any) -> tuple[Any, Any]:
    enum = field.plan.enum(field.index)
    if field.shape == UNION:
        return _plain_member(schema, enum, value)
    pairs = [_plain_member(schema, enum, each) for each in value]
    return [tag for tag, _ in pairs], [each for _, each in pairs]


def _plain_member(schema: TypedSchema, enum: Enum, value: Any) -> tuple[Any, Any]:
    if isinstance(value, tuple) and len(value) == 2:
        return value[0], _plain_any(value[1])
    for member in enum.members:
        if member.shape == TABLE and isinstance(value, schema.layout(member.index).type):
            return member.name, _plain_any(value)
        if member.shape == STRING and isinstance(value, str):
            return member.name, value
    return None, _plain_any(value)


def _plain_any(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value


def _plain(schema: TypedSchema, field: Field, value: Any) -> Any:
    """One field's value, in the form for JSON."""
    if field.shape in (VECTOR, ARRAY):
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        return [_plain(schema, field.element, each) for each in value]
    if field.shape == SCALAR and field.enum is not None:
        return schema.enum_name(field.enum, int(value)) if isinstance(value, int) else value
    if field.shape == STRUCT and field.object.words and field.demand in words.DEMANDS:
        raw = words.write(value, field.demand, field.object.words, False)
        if isinstance(raw, bytes):
            return words.read(raw, field.demand, False, True)
    if field.shape in (STRUCT, TABLE):
        layout = schema.layout(field.index)
        if not layout.is_ours and isinstance(value, layout.type):
            return {
                each.name: _plain(schema, each, getattr(value, name))
                for name, each in zip(layout.names, layout.fields, strict=True)
                if getattr(value, name) is not None
            }
        return _plain_any(value)
    return value
