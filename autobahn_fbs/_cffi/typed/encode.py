"""Writes instances and mappings: which values are accepted, and the errors for others.

The requirements of WAMP's attributes are not checked here. The core checks them when it verifies
the output.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from math import isinf
from operator import index
from typing import TYPE_CHECKING, Any

from ...typed.names import no_field, no_member, no_value, type_name
from .._core import ffi, lib
from ..input import copied
from . import words
from .build import Builder, NoRoom, pack_scalars, pack_struct
from .core import invalid
from .plan import (
    BOOL,
    DOUBLE,
    FLOAT,
    FORMATS,
    KWARG,
    NONE,
    OPTIONAL,
    RANGES,
    REQUIRED,
    SCALAR,
    SCALARS,
    STRING,
    STRUCT,
    TABLE,
    UNION,
    Enum,
    Field,
    Member,
    Object,
)
from .table import TypedTable

if TYPE_CHECKING:
    from .codec import TypedSchema

#: Maximum nesting of tables, the same as for verification.
_MAX_DEPTH = 64

#: Array and memoryview formats of native numbers, by their size and kind.
_NATIVE = {kind: (struct.calcsize(kind), kind in "bhilq", kind in "fd") for kind in "bBhHiIlLqQfd"}


class Refusal(Exception):
    """A value that can't be written: the reason, and the steps to it from the inside out."""

    def __init__(self, reason: str, code: str = "VALUE") -> None:
        self.reason = reason
        self.code = code
        self.steps: list[str] = []


def _expected(what: str, value: object) -> Refusal:
    return Refusal(f"{what} expected, got {type_name(value)}")


class Encoder:
    """Writes one buffer."""

    def __init__(self, schema: TypedSchema, keep_kwargs: bool, sort_keys: bool) -> None:
        self.schema = schema
        self.builder = Builder()
        self.depth = 0
        self.keep_kwargs = keep_kwargs
        self.sort_keys = sort_keys

    def root(self, of: Object, value: Any, identifier: bytes | None) -> bytes:
        """The buffer of a table.

        :raises autobahn.wamp.exception.InvalidPayload: a value can't be written.
        """
        try:
            ref = self.table(of, value)
            return self.builder.finish(ref, identifier)
        except Refusal as error:
            path = of.name + "".join(reversed(error.steps))
            raise invalid(path, error.reason, error.code) from None
        except NoRoom:
            raise invalid(of.name, "more than 2**31-1 bytes", "ROOM") from None

    # Tables

    def table(self, of: Object, value: Any) -> int:
        """Writes a table; its ref."""
        if self.depth >= _MAX_DEPTH:
            raise Refusal("tables are nested too deep", "DEPTH")
        self.depth += 1
        values, tags = self._values(of, value)
        keep = self.keep_kwargs and self.depth == 1
        cells: list[Any] = [None] * len(of.fields)
        for field in of.values:
            given = values.get(field.name)
            try:
                if field.tag is not None:
                    tag = tags.get(field.tag.name)
                    if given is not None or tag is not None:
                        self._union(field, given, tag, cells)
                elif given is not None:
                    cells[field.number] = self._cell(field, given, keep)
                elif field.name in values:
                    self._check_none(field)
                if field.flags & REQUIRED and cells[field.number] is None:
                    raise Refusal("required field is missing", "REQUIRED")
            except Refusal as error:
                if error.code == "REQUIRED" and not error.steps and field.name not in values:
                    self._check_names(value, of)  # a misspelled name explains it
                error.steps.append(f".{field.name}")
                raise
        self.depth -= 1
        self._check_names(value, of)
        return self.builder.table(of, cells)

    @staticmethod
    def _check_names(value: Any, of: Object) -> None:
        """Refuses a mapping with a key that isn't a field."""
        if not isinstance(value, Mapping):
            return
        for name in tuple(value):  # at once, because other threads may change it
            if name not in of.known:
                raise Refusal(no_field(name, [*of.by_name, *of.tag_names]))

    def _values(self, of: Object, value: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """A table's values by the schema's names, and the types of its unions."""
        layout = self.schema.layout(of.index)
        if isinstance(value, layout.type):
            found = {}
            for (name, absent), field in zip(layout.defaults, layout.fields, strict=True):
                own = getattr(value, name, None)
                # A default that the field's attribute doesn't allow (0 for a wampid) isn't written.
                if own is not absent or not field.demand:
                    found[field.name] = own
            return found, {}
        if not isinstance(value, Mapping):
            raise _expected(f"{of.name}, or a mapping,", value)
        return value, {name: value[name] for name in of.tag_names if name in value}

    @staticmethod
    def _check_none(field: Field) -> None:
        if field.shape == SCALAR and not field.flags & OPTIONAL:
            raise _expected("value", None)

    def _cell(self, field: Field, value: Any, keep: bool) -> Any:
        """The stored form of a value in a table: see Builder.table. None for a default."""
        if field.shape == SCALAR:
            number = scalar(field, value)
            if field.flags & (OPTIONAL | REQUIRED) or (keep and field.flags & KWARG):
                return number
            raw = SCALARS[field.scalar].pack(number)
            return None if int.from_bytes(raw, "little") == field.default_bits else number
        if field.shape == STRUCT:
            return self.struct(field.object, value, field.demand)
        if field.shape == STRING:
            return self.string(value)
        if field.shape == TABLE:
            return self.table(field.object, value)
        return self._vector(field, value)

    def string(self, value: Any) -> int:
        """Writes a string; its ref."""
        if not isinstance(value, str):
            raise _expected("str", value)
        try:
            return self.builder.string(value.encode("utf-8"))
        except UnicodeEncodeError:
            raise Refusal("str has a surrogate") from None

    # Structs

    def struct(self, of: Object, value: Any, demand: int = 0) -> bytes:
        """A struct's bytes."""
        if of.words:
            raw = words.write(value, demand, of.words, self.schema.words == "memory")
            if isinstance(raw, bytes):
                return raw
            if raw is not None:
                raise Refusal(raw)
        layout = self.schema.layout(of.index)
        if isinstance(value, layout.type):
            given = [getattr(value, name) for name in layout.names]
        elif isinstance(value, Mapping):
            given = [value.get(field.name) for field in of.values]
        elif isinstance(value, (list, tuple)):
            given = list(value)
            if len(given) != len(of.values):
                raise Refusal(f"{len(of.values)} values expected, got {len(given)}")
        else:
            raise _expected(f"{of.name}, or a mapping,", value)
        parts = []
        for field, each in zip(of.values, given, strict=True):
            if each is None and isinstance(value, Mapping) and field.name not in value:
                self._check_names(value, of)  # a misspelled name explains it
            try:
                if each is None:
                    raise Refusal("missing in a struct")
                parts.append(self._inline(field, each))
            except Refusal as error:
                error.steps.append(f".{field.name}")
                raise
        self._check_names(value, of)
        return pack_struct(of, parts)

    def _inline(self, field: Field, value: Any) -> Any:
        """A field of a struct: a number or bytes."""
        if field.shape == SCALAR:
            return scalar(field, value)
        if field.shape == STRUCT:
            return self.struct(field.object, value, field.demand)
        items = _octets(value) if field.is_bytes else _items(field, value)
        if len(items) != field.fixed_length:
            raise Refusal(f"{field.fixed_length} values expected, got {len(items)}")
        return items if field.is_bytes else self._packed(field, items)

    def _packed(self, field: Field, items: Any) -> bytes:
        """Inline elements, one after the other."""
        each = field.element
        if each.shape == SCALAR:
            return pack_scalars(each, self._each(items, lambda value: scalar(each, value)))
        return b"".join(
            self._each(items, lambda value: self.struct(each.object, value, each.demand))
        )

    @staticmethod
    def _each(items: Any, convert: Callable[[Any], Any]) -> list[Any]:
        """Converts elements one by one; an error names the element."""
        done: list[Any] = []
        try:
            for value in items:
                done.append(convert(value))
        except Refusal as error:
            error.steps.append(f"[{len(done)}]")
            raise
        return done

    # Vectors

    def _vector(self, field: Field, value: Any) -> int:
        """Writes a vector; its ref."""
        if field.is_bytes:
            return self._bytes(field, value)
        each = field.element
        raw = _numbers(each, value)
        if raw is not None:
            return self.builder.vector(raw, len(raw) // field.stride, field.element_align)
        items = _items(field, value)
        if each.shape in (SCALAR, STRUCT):
            packed = self._packed(field, items)
            return self.builder.vector(packed, len(items), field.element_align)
        if each.shape == STRING:
            refs = self._each(items, self.string)
        else:
            items = tuple(items)  # another thread may change a list
            refs = self._each(items, lambda value: self.table(each.object, value))
            if self.sort_keys:
                refs = self._sorted(each.object, items, refs)
        return self.builder.references(refs)

    def _bytes(self, field: Field, value: Any) -> int:
        """Writes a vector of bytes, which may be a buffer of its own."""
        if field.nested != NONE and isinstance(value, (Mapping, TypedTable)):
            encoder = Encoder(self.schema, False, self.sort_keys)
            encoder.depth = self.depth
            of = field.plan.object(field.nested)
            raw = encoder.builder.finish(encoder.table(of, value), None)
        else:
            raw = _octets(value)
        align = 8 if field.nested != NONE else field.element_align
        return self.builder.vector(raw, len(raw), align)

    def _sorted(self, of: Object, items: Any, refs: list[int]) -> list[int]:
        """The refs of written tables, sorted by their key if they have one."""
        if of.key == NONE:
            return refs
        key = of.fields[of.key]
        layout = self.schema.layout(of.index)
        name = layout.names[layout.fields.index(key)]

        def order(value: Any) -> Any:
            own = value.get(key.name) if isinstance(value, Mapping) else getattr(value, name, None)
            if key.shape == STRING:
                return str(own).encode("utf-8", "surrogatepass")
            return key.default() if own is None else scalar(key, own)

        keys = [order(value) for value in items]
        return [refs[i] for i in sorted(range(len(refs)), key=keys.__getitem__)]

    # Unions

    def _union(self, field: Field, value: Any, tag: Any, cells: list[Any]) -> None:
        """Sets a union's cell and that of its type."""
        enum, tag_field = field.plan.enum(field.index), field.tag
        assert tag_field is not None
        if value is None:
            if field.flags & REQUIRED:
                raise Refusal("required field is missing", "REQUIRED")
            if field.shape == UNION:
                without = not _tag(enum, tag).value
            else:
                without = isinstance(tag, Sequence) and len(tag) == 0
            if not without:
                raise Refusal("union has a type, but no value", "UNION_VALUE")
            return
        if field.shape == UNION:
            member, inner = self._member(enum, value, tag)
            cells[field.number] = self._member_ref(member, inner)
            cells[tag_field.number] = member.value
            return
        items = _items(field, value)
        tags_given = None if tag is None else _items(field, tag)
        if tags_given is not None and len(tags_given) != len(items):
            raise Refusal(f"{len(items)} values, but {len(tags_given)} types")
        refs, tags = [], []
        for i, each in enumerate(items):
            try:
                if tags_given is not None and tags_given[i] is None:
                    raise _expected("name of a union's member", None)
                own = None if tags_given is None else tags_given[i]
                member, inner = self._member(enum, each, own)
                refs.append(self._member_ref(member, inner))
                tags.append(member.value)
            except Refusal as error:
                error.steps.append(f"[{i}]")
                raise
        cells[tag_field.number] = self.builder.vector(bytes(tags), len(tags), 1)
        cells[field.number] = self.builder.references(refs)

    def _member(self, enum: Enum, value: Any, tag: Any) -> tuple[Member, Any]:
        """The member for a value, and the part of the value to write."""
        if tag is not None:
            return _tag(enum, tag), value
        if isinstance(value, tuple) and len(value) == 2:
            return _tag(enum, value[0]), value[1]
        found = [member for member in enum.members if self._suits(member, value)]
        if len(found) > 1:
            raise Refusal(
                f"more than one member of {enum.name} has this type: give its name as well, in a "
                "tuple"
            )
        if not found:
            raise _expected(f"a member of {enum.name:.100}, or a tuple with its name,", value)
        return found[0], value

    def _suits(self, member: Member, value: Any) -> bool:
        if member.shape == STRING:
            return isinstance(value, str)
        if member.shape in (TABLE, STRUCT):
            return isinstance(value, self.schema.layout(member.index).type)
        return False

    def _member_ref(self, member: Member, value: Any) -> int:
        if member.shape == STRING:
            return self.string(value)
        if member.shape == STRUCT:
            of = member.object
            return self.builder.struct(self.struct(of, value), of.align)
        if not member.value:
            raise Refusal(f"{member.name} is not a member")
        return self.table(member.object, value)


# Single values


def scalar(field: Field, value: Any) -> Any:
    """A value as the number, or bool, that is stored."""
    kind = field.scalar
    if field.enum is not None:
        return _enum(field.enum, kind, value)
    if kind == BOOL:
        if isinstance(value, bool):
            return value
        raise _expected("bool", value)
    if kind in (FLOAT, DOUBLE):
        return _float(kind, value)
    number = _integer(kind, value)
    if field.demand and not lib.wfbs_demand_integer(field.demand, number & (1 << 64) - 1):
        name = ffi.string(lib.wfbs_demand_name(field.demand)).decode()
        raise Refusal(f"1 to 2**53 expected for {name}, got {number}")
    return number


def _integer(kind: int, value: Any) -> int:
    if isinstance(value, (bool, float)) or not hasattr(value, "__index__"):
        raise _expected("int", value)
    number = index(value)
    low, high = RANGES[kind]
    if low <= number <= high:
        return number
    fits = -(1 << 63) <= number < 1 << 63
    raise Refusal(
        f"{_power(low)} to {_power(high)} expected, got {number if fits else 'a larger number'}"
    )


def _power(limit: int) -> str:
    """The end of a range, as people write it."""
    bits = max(abs(limit), abs(limit + 1)).bit_length() - 1
    if bits < 31:
        return str(limit)
    return f"-2**{bits}" if limit < 0 else f"2**{bits}-1"


def _float(kind: int, value: Any) -> float:
    if isinstance(value, float):
        number = float(value)
    elif isinstance(value, bool) or not isinstance(value, int):
        raise _expected("float", value)
    else:
        try:
            number = float(value)
        except OverflowError:
            raise Refusal("too large for a double") from None
    # 2**128 - 2**103 and above round to 2**128.
    if kind == FLOAT and not isinf(number) and abs(number) >= 3.4028235677973366e38:
        raise Refusal(f"too large for a float: {number!r}")
    return number


def _enum(enum: Enum, kind: int, value: Any) -> int:
    if isinstance(value, str):
        if enum.is_flags:
            return _flags(enum, value)
        member = enum.by_name.get(value)
        if member is None:
            raise Refusal(no_value(enum.name, value, enum.by_name))
        return member.value
    if isinstance(value, bool) or not isinstance(value, int):
        raise _expected("int, or name of a value,", value)
    number = _integer(kind, value)
    if number & ~enum.all_bits if enum.is_flags else number not in enum.by_value:
        raise Refusal(f"{enum.name} has no value {number}")
    return number


def _flags(enum: Enum, text: str) -> int:
    number = 0
    for name in text.removesuffix(" ").split(" ") if text else ():
        member = enum.by_name.get(name)
        if member is None:
            wrong = name if _has_utf8(text) else text  # as the C binding, which can't split it
            raise Refusal(no_value(enum.name, wrong, enum.by_name))
        number |= member.value
    return number


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tag(enum: Enum, tag: Any) -> Member:
    if isinstance(tag, str):
        member = enum.by_name.get(tag)
    elif isinstance(tag, int) and not isinstance(tag, bool):
        member = enum.by_value.get(int(tag))
    else:
        raise _expected("name of a union's member", tag)
    if member is None:
        raise Refusal(no_member(enum.name, tag, enum.by_name))
    return member


# Sequences


def _items(field: Field, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value
    raise _expected("list", value)


def _octets(value: Any) -> bytes:
    """The bytes for a vector of plain ubytes."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return copied(value)
    if isinstance(value, (list, tuple)):
        return bytes(Encoder._each(value, lambda each: _integer(4, each)))
    try:
        view = memoryview(value)
    except TypeError:
        raise _expected("list", value) from None
    return view.tobytes()


def _numbers(each: Field, value: Any) -> bytes | None:
    """The bytes of a buffer with numbers of the right kind, or None if the value isn't one."""
    if each.shape != SCALAR or each.enum is not None or isinstance(value, (list, tuple)):
        return None
    try:
        view = memoryview(value)
    except TypeError:
        return None
    wanted = FORMATS[each.scalar]
    shape = (SCALARS[each.scalar].size, wanted in "bhiq", wanted in "fd")
    if view.ndim != 1 or _NATIVE.get(view.format.lstrip("@=<")) != shape or each.scalar == BOOL:
        raise _expected("list", value)
    return view.tobytes()
