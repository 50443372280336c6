"""What the engine calls: enum classes, schemas that are kept, unpickling."""

from __future__ import annotations

import enum
from typing import Any
from weakref import WeakValueDictionary

_schemas: WeakValueDictionary[tuple[bytes, str], Any] = WeakValueDictionary()


def schema(data: bytes, words: str = "rfc") -> Any:
    from .._backend import native

    key = (bytes(data), words)
    found = _schemas.get(key)
    if found is None:
        found = _schemas[key] = native.TypedSchema(key[0], words=words)
    return found


def make_enum(of: Any, name: str, values: list[tuple[str, int]], is_flags: bool) -> Any:
    local = name.rpartition(".")[2]
    base: Any = enum.IntFlag if is_flags else enum.IntEnum
    return base(local, values, module="autobahn_fbs.typed")


def unpickle(data: bytes, words: str, name: str, values: tuple[Any, ...]) -> Any:
    return schema(data, words).type(name)(*values)
