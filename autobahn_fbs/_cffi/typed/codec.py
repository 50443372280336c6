"""Schemas and their tables as roots of buffers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..input import opened
from . import path as paths
from .core import REFLECTION, REFLECTION_SCHEMA, Verifier, invalid, load
from .decode import FULL, INSTANCE, PRESENT, TOP, Reader, dict_of, slot
from .encode import Encoder
from .lazy import TypedLazy
from .plan import KWARG, NONE, SCALAR, Enum, Field, Object, text
from .table import Layout


class TypedSchema:
    """One compiled schema: its tables' codecs, and the classes of its types."""

    def __init__(self, data: Any, /, *, words: str = "rfc") -> None:
        if words not in ("rfc", "memory"):
            raise ValueError(f"words must be 'rfc' or 'memory', not {words!r}")
        self.data = as_bytes(data)
        self.words = words
        self.plan = load(self.data, words)
        self._layouts: dict[int, Layout] = {}
        self._codecs: dict[str, TypedCodec] = {}
        self._enums: dict[str, Any] = {}

    def __reduce__(self) -> Any:
        from ...typed._classes import reduce_schema

        return reduce_schema(self.data, self.words)

    def __copy__(self) -> TypedSchema:
        return self

    def __deepcopy__(self, memo: Any) -> TypedSchema:
        return self

    # Its content

    @cached_property
    def _objects(self) -> list[Object]:
        return [self.plan.object(i) for i in range(self.plan.raw.object_count)]

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The qualified names of the tables, sorted as in the file."""
        return self._names(False)

    @cached_property
    def structs(self) -> tuple[str, ...]:
        """The qualified names of the structs."""
        return self._names(True)

    def _names(self, structs: bool) -> tuple[str, ...]:
        objects, numbers = self.plan.raw.objects, self.plan.object_numbers
        return tuple(name for name, i in numbers.items() if objects[i].is_struct == structs)

    @cached_property
    def enums(self) -> tuple[str, ...]:
        """The qualified names of the enums and unions."""
        return tuple(self.plan.enum_numbers)

    @cached_property
    def refused(self) -> dict[str, str]:
        """The tables and structs that can't be used, with the reasons."""
        return {of.name: of.refusal for of in self._objects if of.refusal is not None}

    @property
    def root(self) -> str | None:
        """The root table."""
        raw = self.plan.raw
        return None if raw.root == NONE else text(raw.objects[raw.root].name)

    @property
    def identifier(self) -> bytes | None:
        """The file's identifier."""
        return text(self.plan.raw.identifier).encode() or None

    def describe(self) -> dict[str, Any]:
        """The file in the terms of reflection.fbs, as a dict of the fields that are present."""
        verify = Verifier(REFLECTION, REFLECTION_SCHEMA)
        at = verify(self.data, False, None)
        found: dict[str, Any] = Reader(self, PRESENT).as_map(
            REFLECTION.object(REFLECTION_SCHEMA), self.data, at
        )
        return found

    # Classes

    def layout(self, index: int) -> Layout:
        """The table or struct with that number in Python. All threads get the same one."""
        found = self._layouts.get(index)
        if found is None:
            found = self._layouts.setdefault(index, Layout(self, self.plan.object(index)))
        return found

    def codec(self, name: str, /) -> TypedCodec:
        """The codec of a table.

        :raises KeyError: there is no such table.
        :raises autobahn.wamp.exception.InvalidPayload: it can't be used.
        """
        codec = self._codecs.get(name)
        if codec is None:
            index = self.plan.object_numbers[name]
            if self.plan.raw.objects[index].is_struct:
                raise KeyError(name)
            self._check(self.plan.object(index))
            codec = self._codecs.setdefault(name, TypedCodec(self, index))
        return codec

    @staticmethod
    def _check(of: Object) -> None:
        if of.refusal is not None:
            raise invalid(of.name, of.refusal, "REFUSED")

    def type(self, name: str, /) -> Any:
        """The class of a table, struct, enum or union.

        :raises KeyError: there is no such type.
        :raises autobahn.wamp.exception.InvalidPayload: it can't be used.
        """
        index = self.plan.object_numbers.get(name)
        if index is None:
            return self._enum(self.plan.enum(self.plan.enum_numbers[name]))
        self._check(self.plan.object(index))
        return self.layout(index).type

    def bind(self, name: str, cls: Any, /) -> None:
        """Binds a class to a table or struct.

        :raises TypeError: the class lacks a field.
        :raises ValueError: the type already has a class.
        """
        index = self.plan.object_numbers[name]
        of = self.plan.object(index)
        self._check(of)
        if index in self._layouts:
            raise ValueError(f"{name} already has a class: {self._layouts[index].type!r}")
        from ...typed._classes import can_fill

        layout = Layout(self, of, cls)
        can_fill(cls, layout.names, name)  # an error if it lacks one
        self._layouts[index] = layout

    def to_dict(self, value: Any, /) -> dict[str, Any]:
        """The result of TypedTable.to_dict() for an instance of a class of this schema."""
        if getattr(type(value), "__fbs_schema__", None) is not self:
            raise TypeError(f"an instance of this schema expected, got {type(value).__name__}")
        return dict_of(value)

    def _enum(self, enum: Enum) -> Any:
        from ...typed._helpers import make_enum

        found = self._enums.get(enum.name)
        if found is None:
            values = [(member.name, member.value) for member in enum.members]
            made = make_enum(self, enum.name, values, enum.is_flags)
            found = self._enums.setdefault(enum.name, made)
        return found

    def enum_member(self, enum: Enum, value: int) -> Any:
        """A value of an enum as its member; an unknown value remains a number."""
        cls = self._enums.get(enum.name) or self._enum(enum)
        if enum.is_flags:
            return value if value & ~enum.all_bits else cls(value)
        return cls(value) if value in enum.by_value else value

    @staticmethod
    def enum_name(enum: Enum, value: int) -> Any:
        """A value of an enum as its name; for flags, the names of all bits; or as a number."""
        member = enum.by_value.get(value)
        if member is not None:
            return member.name
        if not enum.is_flags or not value or value & ~enum.all_bits:
            return value
        return " ".join(each.name for each in enum.members if each.value & value)

    def absent(self, field: Field) -> Any:
        """The value of an absent field in an instance."""
        value = field.default()
        if value is None or field.shape != SCALAR or field.enum is None:
            return value
        return self.enum_member(field.enum, value)

    def absent_name(self, field: Field) -> Any:
        """The value of an absent field in a dict."""
        value = field.default()
        if value is None or field.shape != SCALAR or field.enum is None:
            return value
        return self.enum_name(field.enum, value)

    @cached_property
    def instances(self) -> Reader:
        """The reader for instances."""
        return Reader(self, INSTANCE)

    @cached_property
    def dicts(self) -> Reader:
        """The reader for dicts of the present fields."""
        return Reader(self, PRESENT)

    @cached_property
    def full_dicts(self) -> Reader:
        """The reader for dicts with defaults."""
        return Reader(self, FULL)


class TypedCodec:
    """One table of a schema as the root of buffers."""

    def __init__(
        self,
        schema: TypedSchema,
        index: int,
        limits: tuple[int, int, int, int] | None = None,
    ) -> None:
        self.schema = schema
        self._object = of = schema.plan.object(index)
        self.name = of.name
        self.fields = tuple(field.name for field in of.values)
        self.args = tuple(f.name for f in of.values if not f.flags & KWARG)
        self.kwargs = tuple(f.name for f in of.values if f.flags & KWARG)
        self.identifier = schema.identifier if schema.root == of.name else None
        self._limits = limits
        self._verify = Verifier(schema.plan, index, limits)

    def __reduce__(self) -> Any:
        from ...typed._classes import reduce_codec

        return reduce_codec(self.schema, self.name, self._limits)

    def limited(self, limits: tuple[int, int, int, int], /) -> TypedCodec:
        """The same codec with other limits: a Limits."""
        return TypedCodec(self.schema, self._object.index, limits)

    def encode(
        self,
        value: Any,
        /,
        *,
        identifier: bytes | None = None,
        keep_kwargs: bool = False,
        sort_keys: bool = False,
        strict: bool = False,
    ) -> bytes:
        """Encodes an instance or a mapping."""
        if identifier is not None and len(identifier) != 4:
            raise ValueError("identifier must have 4 bytes")
        data = Encoder(self.schema, keep_kwargs, sort_keys).root(self._object, value, identifier)
        self._verify(data, strict, None, placed=False)
        return data

    def check(self, value: Any, /) -> None:
        """Raises the same errors as encode()."""
        self.encode(value)

    def decode(
        self, data: Any, /, *, form: int = 0, strict: bool = False, identifier: bytes | None = None
    ) -> Any:
        """Decodes a buffer to an instance or a dict."""
        raw = as_bytes(data)
        at = self._verify(raw, strict, identifier)
        if form == INSTANCE:
            return self.schema.instances.table(self._object, raw, at)
        if form == PRESENT:
            return self.schema.dicts.as_map(self._object, raw, at)
        if form == FULL:
            return self.schema.full_dicts.as_map(self._object, raw, at)
        if form == TOP:
            return self._top(raw, at)
        raise ValueError(f"form must be 0 to 3, not {form!r}")

    def _top(self, data: bytes, at: int) -> dict[str, Any]:
        reader = self.schema.instances
        found = {}
        for field, read, _ in reader.fields(self._object):
            place = slot(data, at, field.offset)
            if place:
                found[field.name] = (
                    read(data, place) if field.tag is None else reader.union(field, data, at, place)
                )
        return found

    def verify(
        self, data: Any, /, *, strict: bool = False, identifier: bytes | None = None
    ) -> None:
        """Raises InvalidPayload if a buffer is invalid."""
        self._verify(as_bytes(data), strict, identifier)

    def get(self, data: Any, path: str, /) -> Any:
        """One value by its path."""
        raw = as_bytes(data)
        if not isinstance(path, str):
            raise TypeError("data and a path expected")
        return paths.get(self.schema, self._object, raw, path, self._verify.rules)

    def lazy(self, data: Any, /) -> TypedLazy:
        """The root table, whose fields are read on demand."""
        raw = as_bytes(data)
        return TypedLazy(self.schema, self._object, raw, self._verify(raw, False, None))

    def default(self, field: str, /) -> Any:
        """The value of an absent field."""
        return self.schema.absent(self._object.by_name[field])


def as_bytes(data: Any) -> bytes:
    """The bytes of a bytes-like object; bytes are returned unchanged."""
    return data if isinstance(data, bytes) else opened(data)
