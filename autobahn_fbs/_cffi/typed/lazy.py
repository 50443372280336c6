"""Fields on demand: reads a table of a verified buffer field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .decode import _U32, follow, slot
from .plan import BOOL, FORMATS, SCALAR, SCALARS, TABLE, UNION, VECTOR, Field, Object

if TYPE_CHECKING:
    from .codec import TypedSchema


class TypedLazy:
    """A table whose fields are read on access, as attributes.

    Vectors of numbers are views of the buffer, and nested tables are lazy, too.
    """

    # No field's attribute has two underscores on both sides.
    __slots__ = ("__at__", "__data__", "__object__", "__schema__")

    def __init__(self, schema: TypedSchema, of: Object, data: bytes, at: int) -> None:
        for name, value in zip(self.__slots__, (at, data, of, schema), strict=True):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        field = self.__schema__.layout(self.__object__.index).by_attribute.get(name)
        if field is None:
            raise AttributeError(f"{self.__object__.name} has no field {name!r}")
        return _read(self, field)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.__object__.name} is read-only here")

    def __dir__(self) -> list[str]:
        names = self.__schema__.layout(self.__object__.index).names
        return sorted({"decode", "to_dict", *names})

    def __repr__(self) -> str:
        return f"<lazy {self.__object__.name}>"

    def decode(self) -> Any:
        """The whole table as an instance."""
        return self.__schema__.instances.table(self.__object__, self.__data__, self.__at__)

    def to_dict(self) -> dict[str, Any]:
        """The whole table as a dict, like TypedTable.to_dict()."""
        reader = self.__schema__.full_dicts
        found: dict[str, Any] = reader.as_map(self.__object__, self.__data__, self.__at__)
        return found


def _read(lazy: TypedLazy, field: Field) -> Any:
    schema, data = lazy.__schema__, lazy.__data__
    at = slot(data, lazy.__at__, field.offset)
    if not at:
        return schema.absent(field)
    if field.shape == TABLE:
        return TypedLazy(schema, field.object, data, follow(data, at))
    if field.tag is not None:
        return _union(lazy, field, at)
    if field.shape == VECTOR:
        return _vector(schema, data, field, at)
    return schema.instances.reader(field)(data, at)


def _union(lazy: TypedLazy, field: Field, at: int) -> Any:
    schema, data = lazy.__schema__, lazy.__data__
    if field.shape == UNION and field.tag is not None:
        enum = field.plan.enum(field.index)
        tags = slot(data, lazy.__at__, field.tag.offset)
        member = enum.by_value.get(data[tags]) if tags else None
        if member is not None and member.shape == TABLE and not enum.is_ambiguous:
            return TypedLazy(schema, member.object, data, follow(data, at))
    return schema.instances.union(field, data, lazy.__at__, at)


def _vector(schema: TypedSchema, data: bytes, field: Field, at: int) -> Any:
    each = field.element
    start = follow(data, at)
    count = _U32(data, start)[0]
    start += 4
    if field.is_bytes or (each.shape == SCALAR and each.enum is None and each.scalar != BOOL):
        kind: Any = FORMATS[each.scalar]
        view = memoryview(data)[start : start + count * SCALARS[each.scalar].size]
        return view if field.is_bytes else view.cast(kind)
    if each.shape == TABLE:
        return [
            TypedLazy(schema, each.object, data, follow(data, start + 4 * i)) for i in range(count)
        ]
    return schema.instances.reader(field)(data, at)
