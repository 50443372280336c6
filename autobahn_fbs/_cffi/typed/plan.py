"""A schema's plan (csrc/core/schema/plan.h) as Python objects, created on demand.

The core has checked all of it: indices are in range, offsets and sizes are consistent.
"""

from __future__ import annotations

from functools import cached_property
from struct import Struct
from typing import Any

from .._core import ffi, lib

NONE: int = lib.WFBS_NONE

SCALAR: int = lib.WFBS_SHAPE_SCALAR
STRUCT: int = lib.WFBS_SHAPE_STRUCT
STRING: int = lib.WFBS_SHAPE_STRING
TABLE: int = lib.WFBS_SHAPE_TABLE
UNION: int = lib.WFBS_SHAPE_UNION
VECTOR: int = lib.WFBS_SHAPE_VECTOR
ARRAY: int = lib.WFBS_SHAPE_ARRAY

REQUIRED: int = lib.WFBS_FIELD_REQUIRED
OPTIONAL: int = lib.WFBS_FIELD_OPTIONAL
DEPRECATED: int = lib.WFBS_FIELD_DEPRECATED
KWARG: int = lib.WFBS_FIELD_KWARG
TAG: int = lib.WFBS_FIELD_TAG
FLEXBUFFER: int = lib.WFBS_FIELD_FLEXBUFFER
BYTES: int = lib.WFBS_FIELD_BYTES

#: By reflection.fbs' BaseType: struct's format, and the lowest and highest integer.
FORMATS = " BBbBhHiIqQfd"
BOOL, FLOAT, DOUBLE = 2, 11, 12
RANGES = [
    (0, 0),
    (0, 2**8 - 1),
    (0, 1),
    *(
        (low, high)
        for n in (8, 16, 32, 64)
        for low, high in ((-(1 << n - 1), (1 << n - 1) - 1), (0, (1 << n) - 1))
    ),
]
SCALARS = [Struct("<" + each) for each in FORMATS]


def text(name: Any) -> str:
    """A name of the plan."""
    return bytes(ffi.buffer(name.data, name.size)).decode() if name.size else ""


class Field:
    """A field of a table or struct. An element of its vector or array is also represented by a
    Field."""

    def __init__(self, plan: Plan, raw: Any, name: str, number: int) -> None:
        self.plan = plan
        self.name = name
        self.number = number
        self.shape: int = raw.shape
        self.scalar: int = raw.scalar
        self.index: int = raw.index
        self.offset: int = raw.offset
        self.size: int = raw.size
        self.align: int = raw.align
        self.stride: int = raw.stride
        self.element_align: int = raw.element_align
        self.fixed_length: int = raw.fixed_length
        self.flags: int = raw.flags
        self.demand: int = raw.demand
        self.nested: int = raw.nested
        self.default_bits: int = raw.default_bits
        #: The Python name, and the type field of a union: set by Object.
        self.attribute = name
        self.tag: Field | None = None
        self._element: int = raw.element
        self.is_value = bool(name) and not self.flags & (DEPRECATED | TAG)

    @cached_property
    def element(self) -> Field:
        """The element of a vector or array, as a field."""
        each: Field = object.__new__(Field)
        each.__dict__.update(self.__dict__)
        each.shape, each.size, each.align = self._element, self.stride, self.element_align
        each.flags &= FLEXBUFFER
        each.nested = NONE
        return each

    @property
    def is_bytes(self) -> bool:
        """Whether this is a vector or array of plain ubytes."""
        return bool(self.flags & BYTES)

    @cached_property
    def enum(self) -> Enum | None:
        """The enum of a scalar, or of scalar elements."""
        return self.plan.enum(self.index) if self.index != NONE else None

    @cached_property
    def object(self) -> Object:
        """The table or struct that this field contains."""
        return self.plan.object(self.index)

    def default(self) -> Any:
        """The value if absent, with enums as numbers: a number, a bool or None."""
        if self.shape != SCALAR or self.flags & OPTIONAL:
            return None
        packer = SCALARS[self.scalar]
        (value,) = packer.unpack(
            (self.default_bits & ((1 << 64) - 1)).to_bytes(8, "little")[: packer.size]
        )
        return bool(value) if self.scalar == BOOL else value


class Object:
    """A table or a struct."""

    def __init__(self, plan: Plan, index: int) -> None:
        raw = plan.raw.objects[index]
        self.plan = plan
        self.index = index
        self.name = text(raw.name)
        self.is_struct: bool = raw.is_struct
        self.size: int = raw.size
        self.align: int = raw.align
        self.words: int = raw.words
        self.key: int = raw.key
        self.fields = [
            Field(plan, plan.raw.fields[at], text(plan.raw.field_names[at]), at - raw.fields)
            for at in range(raw.fields, raw.fields + raw.field_count)
        ]
        for before, field in zip(self.fields, self.fields[1:], strict=False):
            if before.flags & TAG:
                field.tag = before
        self.order = (
            [
                self.fields[plan.raw.orders[at]]
                for at in (
                    range(raw.by_align, raw.by_align + raw.field_count)
                    if not self.is_struct
                    else ()
                )
            ]
            if plan.raw.orders != ffi.NULL
            else list(self.fields)
        )
        self.values = [field for field in self.fields if field.is_value]
        self.by_name = {field.name: field for field in self.values}
        self.tag_names = [field.tag.name for field in self.values if field.tag is not None]
        #: The keys that a mapping may have.
        self.known = {*self.by_name, *self.tag_names}
        self.refusal = self._refusal(raw)

    def _refusal(self, raw: Any) -> str | None:
        """The reason why it can't be used."""
        if raw.refused == lib.WFBS_USABLE:
            return None
        why: str = ffi.string(lib.wfbs_refusal_text(raw.refused)).decode()
        if raw.refused_by == NONE:
            return why
        return f"field {self.fields[raw.refused_by].name}: {why}"


class Member:
    """A value of an enum, or a member of a union."""

    def __init__(self, plan: Plan, raw: Any, is_signed: bool) -> None:
        self.plan = plan
        self.name = text(raw.name)
        number: int = raw.value
        self.value = number - (1 << 64) if is_signed and number >> 63 else number
        self.index: int = raw.index
        self.shape: int = raw.shape

    @cached_property
    def object(self) -> Object:
        """The table or struct of a union's member."""
        return self.plan.object(self.index)


class Enum:
    """An enum or a union."""

    def __init__(self, plan: Plan, index: int) -> None:
        raw = plan.raw.enums[index]
        self.plan = plan
        self.name = text(raw.name)
        self.scalar: int = raw.scalar
        self.all_bits: int = raw.all_bits
        self.is_union: bool = raw.is_union
        self.is_flags: bool = raw.is_flags
        self.is_ambiguous: bool = raw.is_ambiguous
        self.refused: bool = raw.refused != lib.WFBS_USABLE
        is_signed = self.scalar in (3, 5, 7, 9)
        self.members = [
            Member(plan, plan.raw.values[at], is_signed)
            for at in range(raw.values, raw.values + raw.value_count)
        ]
        self.by_name = {each.name: each for each in self.members}
        self.by_value: dict[int, Member] = {}
        for each in self.members:
            self.by_value.setdefault(each.value, each)


class Plan:
    """All types of a schema."""

    def __init__(self, raw: Any, keep: Any) -> None:
        self.raw = raw
        self._keep = keep  # the memory that the plan points into
        self._objects: dict[int, Object] = {}
        self._enums: dict[int, Enum] = {}

    def object(self, index: int) -> Object:
        """The table or struct with that number."""
        found = self._objects.get(index)
        if found is None:
            found = self._objects.setdefault(index, Object(self, index))
        return found

    def enum(self, index: int) -> Enum:
        """The enum or union with that number."""
        found = self._enums.get(index)
        if found is None:
            found = self._enums.setdefault(index, Enum(self, index))
        return found

    @cached_property
    def object_numbers(self) -> dict[str, int]:
        """The number of each table and struct, by name."""
        return {text(self.raw.objects[i].name): i for i in range(self.raw.object_count)}

    @cached_property
    def enum_numbers(self) -> dict[str, int]:
        """The number of each enum and union, by name."""
        return {text(self.raw.enums[i].name): i for i in range(self.raw.enum_count)}
