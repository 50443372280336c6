"""Fields on demand: a table of a verified buffer, of which only what is asked for is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .decode import _U32, follow, slot
from .plan import BOOL, FORMATS, SCALAR, SCALARS, TABLE, UNION, VECTOR, Field, Object

if TYPE_CHECKING:
    from .codec import TypedSchema


class TypedLazy:
    """A table whose fields are read when they are asked for, by attribute.

    Vectors of numbers are views of the buffer, tables are lazy in turn.
    """

    __slots__ = ("_at", "_data", "_object", "_schema")

    def __init__(self, schema: TypedSchema, of: Object, data: bytes, at: int) -> None:
        for name, value in zip(self.__slots__, (at, data, of, schema), strict=True):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        field = self._schema.layout(self._object.index).by_attribute.get(name)
        if field is None:
            raise AttributeError(f"{self._object.name} has no field {name!r}")
        return self._read(field)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self._object.name} is read-only here")

    def __dir__(self) -> list[str]:
        return sorted({"decode", "to_dict", *self._schema.layout(self._object.index).names})

    def __repr__(self) -> str:
        return f"<lazy {self._object.name}>"

    def decode(self) -> Any:
        """All of it, as an instance."""
        return self._schema.instances.table(self._object, self._data, self._at)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as TypedTable.to_dict() has it."""
        found: dict[str, Any] = self._schema.full_dicts.as_map(self._object, self._data, self._at)
        return found

    def _read(self, field: Field) -> Any:
        data = self._data
        at = slot(data, self._at, field.offset)
        if not at:
            return self._schema.absent(field)
        if field.shape == TABLE:
            return TypedLazy(self._schema, field.object, data, follow(data, at))
        if field.tag is not None:
            return self._union(field, at)
        if field.shape == VECTOR:
            return self._vector(field, at)
        return self._schema.instances.reader(field)(data, at)

    def _union(self, field: Field, at: int) -> Any:
        if field.shape == UNION and field.tag is not None:
            enum = field.plan.enum(field.index)
            tags = slot(self._data, self._at, field.tag.offset)
            member = enum.by_value.get(self._data[tags]) if tags else None
            if member is not None and member.shape == TABLE and not enum.is_ambiguous:
                return TypedLazy(self._schema, member.object, self._data, follow(self._data, at))
        return self._schema.instances.union(field, self._data, self._at, at)

    def _vector(self, field: Field, at: int) -> Any:
        data, each = self._data, field.element
        start = follow(data, at)
        count = _U32(data, start)[0]
        start += 4
        if field.is_bytes or (each.shape == SCALAR and each.enum is None and each.scalar != BOOL):
            kind: Any = FORMATS[each.scalar]
            view = memoryview(data)[start : start + count * SCALARS[each.scalar].size]
            return view if field.is_bytes else view.cast(kind)
        if each.shape == TABLE:
            return [
                TypedLazy(self._schema, each.object, data, follow(data, start + 4 * i))
                for i in range(count)
            ]
        return self._schema.instances.reader(field)(data, at)
