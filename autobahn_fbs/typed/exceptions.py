"""Exception classes of error tables: those with ``type: "error"`` and a ``wampuri``.

Such a table is the payload of an ERROR of that URI. Its class is an exception, which a procedure
raises and a caller catches; it is made when the schema is loaded.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, ClassVar

from autobahn.wamp.exception import ApplicationError

if TYPE_CHECKING:
    from .._cpython import TypedSchema


class TypedError(ApplicationError):  # type: ignore[misc]
    """What the exception classes of error tables have in common.

    Fields are attributes. As any ``ApplicationError`` it has an ``error`` URI, ``args`` and
    ``kwargs``, which are those of the table by WAMP IDL.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    __fbs_name__: ClassVar[str]
    __fbs_schema__: ClassVar[TypedSchema]
    _uri: ClassVar[str]
    _defaults: ClassVar[dict[str, Any]]
    _positional: ClassVar[tuple[str, ...]]
    _keyword: ClassVar[tuple[str, ...]]

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        names = cls.__match_args__
        if len(args) > len(names):
            raise TypeError(
                f"{cls.__name__}() takes at most {len(names)} arguments ({len(args)} given)"
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in cls._defaults:
                raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {name!r}")
            if name in given:
                raise TypeError(f"{cls.__name__}() got multiple values for argument {name!r}")
            given[name] = value
        values = cls._defaults | given
        super().__init__(
            cls._uri,
            *(values[name] for name in cls._positional),
            **{name: given[name] for name in cls._keyword if name in given},
        )
        for name in names:
            setattr(self, name, values[name])

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self).__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return id(self) >> 4  # exceptions are kept in sets while tracebacks are printed

    def __repr__(self) -> str:
        pairs = zip(type(self).__match_args__, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        cls = type(self)
        schema = cls.__fbs_schema__
        return unpickle, (schema.data, schema.words, cls.__fbs_name__, self._values())


def unpickle(data: bytes, words: str, name: str, values: tuple[Any, ...]) -> Any:
    """An exception from what it was pickled as."""
    from . import _helpers

    schema = _helpers.schema(data, words)
    bind_errors(schema)
    return schema.type(name)(*values)


#: Names that fields can't have: an exception's own.
_TAKEN = set(dir(ApplicationError("wamp.error.runtime_error")))


def attribute_of(name: str) -> str:
    """A field's name as an attribute of its exception."""
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def bind_errors(schema: TypedSchema) -> None:
    """Gives the error tables of a schema their exception classes, once."""
    from .reflection import Reflection
    from .services import error_tables

    if not schema.tables:
        return
    for name, uri in error_tables(Reflection(schema)).items():
        if name not in schema.refused and name in schema.tables:
            codec = schema.codec(name)
            members = {
                "__match_args__": codec.fields,
                "__annotations__": dict.fromkeys(codec.fields, "Any"),
                "__fbs_name__": name,
                "__fbs_schema__": schema,
                "__module__": "autobahn_fbs.typed",
                "_uri": uri,
                "_defaults": {field: codec.default(field) for field in codec.fields},
                "_positional": codec.args,
                "_keyword": codec.kwargs,
            }
            try:
                schema.bind(name, type(name.rpartition(".")[2], (TypedError,), members))
            except ValueError:
                return  # bound when this schema was loaded before
