"""Functions that the engine calls: enum classes, cached schemas, unpickling."""

from __future__ import annotations

import enum
import keyword
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

from .reflection import Reflection

_schemas: WeakValueDictionary[tuple[bytes, str], Any] = WeakValueDictionary()


def schema(data: bytes, words: str = "rfc") -> Any:
    from .._backend import native

    key = (bytes(data), words)
    found = _schemas.get(key)
    if found is None:
        found = _schemas[key] = native.TypedSchema(key[0], words=words)
    return found


#: The classes created so far, by the name of their type: one for each structure.
_classes: dict[str, list[ref[Any]]] = {}
_reflections: WeakKeyDictionary[Any, Reflection] = WeakKeyDictionary()


def reflection(of: Any) -> Reflection:
    """The description of a schema beyond its plan."""
    found = _reflections.get(of)
    if found is None:
        found = _reflections[of] = Reflection(of.describe())
    return found


def twin(of: Any, name: str) -> Any:
    """The class of the same type in another schema, with the same name and structure. None if there
    is none."""
    alive = []
    found = None
    for reference in _classes.get(name, ()):
        cls = reference()
        if cls is not None:
            alive.append(reference)
            other = cls.__fbs_schema__
            comparable = type(other) is type(of) and other.words == of.words
            if found is None and other is not of and comparable:
                same = reflection(other).structure(name) == reflection(of).structure(name)
                found = cls if same else None
    _classes[name] = alive
    return found


def remember(name: str, cls: Any) -> None:
    """Keeps a class for :func:`twin` as long as it is alive."""
    _classes.setdefault(name, []).append(ref(cls))


def make_enum(of: Any, name: str, values: list[tuple[str, int]], is_flags: bool) -> Any:
    """The IntEnum, or IntFlag, of an enum of a schema. Names that a member can't have get an
    underscore. A second name for a value is an alias."""
    known = twin(of, name)
    if known is not None:
        return known
    base: Any = enum.IntFlag if is_flags else enum.IntEnum
    members = [(_member(each), value) for each, value in values]
    made = base(name.rpartition(".")[2], members, module="autobahn_fbs.typed")
    made.__fbs_name__, made.__fbs_schema__ = name, of
    made.__reduce_ex__ = _reduce
    remember(name, made)
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
    """Forgets the loaded schemas, so that they are created again. For benchmarks."""
    _schemas.clear()
