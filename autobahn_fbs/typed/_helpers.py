"""What the engine calls: enum classes, schemas that are kept, unpickling."""

from __future__ import annotations

import enum
import keyword
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
    """The IntEnum, or IntFlag, of an enum of a schema. Names that no member can have get an
    underscore; a second name of one value is an alias."""
    base: Any = enum.IntFlag if is_flags else enum.IntEnum
    members = [(_member(each), value) for each, value in values]
    made = base(name.rpartition(".")[2], members, module="autobahn_fbs.typed")
    made.__fbs_name__, made.__fbs_schema__ = name, of
    made.__reduce_ex__ = _reduce
    return made


def _member(name: str) -> str:
    reserved = name == "mro" or name.startswith("_") or hasattr(int, name)
    return f"{name}_" if reserved or keyword.iskeyword(name) else name


def _reduce(member: Any, protocol: int) -> Any:
    cls = type(member)
    schema = cls.__fbs_schema__
    return unpickle, (schema.data, schema.words, cls.__fbs_name__, (int(member),))


def unpickle(data: bytes, words: str, name: str, values: tuple[Any, ...]) -> Any:
    return schema(data, words).type(name)(*values)


def forget() -> None:
    """Forgets which schemas are loaded: the next ones are made anew. For benchmarks."""
    _schemas.clear()
