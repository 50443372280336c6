"""Exception classes of error tables: those with ``type: "error"`` and a ``wampuri``.

Such a table is the payload of an ERROR with that URI. Its class is an exception, which a procedure
raises and a caller catches. It is created when the schema is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autobahn.wamp.exception import ApplicationError

from . import _helpers
from ._classes import attribute_names
from ._helpers import reflection
from .names import unexpected_keyword
from .reflection import value_fields
from .services import error_tables

if TYPE_CHECKING:
    from .._cpython import TypedSchema


class TypedError(ApplicationError):
    """The base class of the exception classes of error tables.

    Fields are attributes. Like any ``ApplicationError``, it has an ``error`` URI, ``args`` and
    ``kwargs``. WAMP IDL defines args and kwargs from the table.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    __fbs_name__: ClassVar[str]
    __fbs_schema__: ClassVar[TypedSchema]
    _uri: ClassVar[str]
    _defaults: ClassVar[dict[str, Any]]
    _positional: ClassVar[tuple[str, ...]]
    _keyword: ClassVar[dict[str, str]]

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
                raise TypeError(f"{cls.__name__}() {unexpected_keyword(name, names)}")
            if name in given:
                raise TypeError(f"{cls.__name__}() got multiple values for argument {name!r}")
            given[name] = value
        values = cls._defaults | given
        super().__init__(
            cls._uri,
            *(values[name] for name in cls._positional),
            **{wire: given[name] for name, wire in cls._keyword.items() if name in given},
        )
        for name in names:
            setattr(self, name, values[name])

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self).__match_args__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)) or type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return id(self) >> 4  # Python puts exceptions in sets when it prints tracebacks

    def __repr__(self) -> str:
        pairs = zip(type(self).__match_args__, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        cls = type(self)
        schema = cls.__fbs_schema__
        return unpickle, (schema.data, schema.words, cls.__fbs_name__, self._values())


def unpickle(data: bytes, words: str, name: str, values: tuple[Any, ...]) -> Any:
    """Unpickles an exception."""
    schema = _helpers.schema(data, words)
    bind_errors(schema)
    return schema.type(name)(*values)


#: An exception's own names. A table with a field of that name doesn't become an exception.
_TAKEN = frozenset(dir(ApplicationError("wamp.error.runtime_error")))


def bind_errors(schema: TypedSchema) -> None:
    """Creates the exception classes for a schema's error tables, once."""
    known = reflection(schema)
    for name, uri in error_tables(known).items():
        fields = value_fields(known.objects[name])
        names = attribute_names(tuple(field["name"] for field in fields))
        if name in schema.refused or name not in schema.tables or _TAKEN.intersection(names):
            continue
        cls: Any = type(name.rpartition(".")[2], (TypedError,), _members(schema, name, uri, names))
        try:
            schema.bind(name, cls)
        except ValueError:
            return  # bound when this schema was loaded before
        codec = schema.codec(name)
        attributes = dict(zip(codec.fields, names, strict=True))
        cls._defaults = {attributes[field]: codec.default(field) for field in codec.fields}
        cls._positional = tuple(attributes[field] for field in codec.args)
        cls._keyword = {attributes[field]: field for field in codec.kwargs}


def _members(schema: TypedSchema, name: str, uri: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "__match_args__": names,
        "__annotations__": dict.fromkeys(names, "Any"),
        "__fbs_name__": name,
        "__fbs_schema__": schema,
        "__module__": "autobahn_fbs.typed",
        "_uri": uri,
    }
