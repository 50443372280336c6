"""One value by its path: ``header.seq``, ``points[3].x``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .decode import _U32, follow, slot
from .plan import ARRAY, STRUCT, TABLE, UNION, VECTOR, Field, Object

if TYPE_CHECKING:
    from .codec import TypedCodec

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([0-9]{1,10})\])?")


@lru_cache(maxsize=1024)
def parse(path: str) -> tuple[tuple[str, int | None], ...]:
    """The steps of a path: a field's name, and the number of an element of it.

    :raises ValueError: if it is none.
    """
    steps = []
    for part in path.split("."):
        found = _STEP.fullmatch(part)
        if found is None:
            raise ValueError(f"not a path: {path[:200]!r}")
        steps.append((found[1], None if found[2] is None else int(found[2])))
    return tuple(steps)


def get(
    codec: TypedCodec, data: bytes, path: str, verify: Callable[[bytes, bool, bytes | None], int]
) -> Any:
    """What is at the path; None for what is absent on the way.

    :raises KeyError: if a type has no such field.
    :raises IndexError: if a vector has no such element.
    :raises ValueError: if the path is none.
    """
    schema, of = codec.schema, codec._object
    steps = parse(path)
    at = verify(data, False, None)
    reader = schema.instances
    for number, (name, element) in enumerate(steps):
        is_last = number == len(steps) - 1
        field = of.by_name.get(name)
        if field is None:
            raise KeyError(f"{of.name} has no field {name!r}")
        table, at = at, at + field.offset if of.is_struct else slot(data, at, field.offset)
        if not at:
            return schema.absent(field) if is_last and element is None else None
        if element is not None:
            field, at = _element(field, data, at, element)
        if is_last:
            if field.tag is not None and element is None:
                return reader.union(field, data, table, at)
            return reader.reader(field)(data, at)
        of, at = _inside(field, data, at, name)
    raise AssertionError


def _element(field: Field, data: bytes, at: int, element: int) -> tuple[Field, int]:
    if field.shape == VECTOR and field.tag is None:
        at = follow(data, at)
        count, at = _U32(data, at)[0], at + 4
    elif field.shape == ARRAY:
        count = field.fixed_length
    else:
        raise KeyError(f"{field.name} is not a vector whose elements can be asked for")
    if element >= count:
        raise IndexError(f"{field.name} has {count} elements")
    return field.element, at + element * field.stride


def _inside(field: Field, data: bytes, at: int, name: str) -> tuple[Object, int]:
    if field.shape == TABLE:
        return field.object, follow(data, at)
    if field.shape == STRUCT:
        return field.object, at
    raise KeyError(f"{name} is neither a table nor a struct")


__all__ = ["UNION", "get", "parse"]
