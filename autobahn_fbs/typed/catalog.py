"""The catalog: loads schemas at run time, and converts values of their tables to bytes and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from autobahn.wamp.exception import InvalidPayload

from .._backend import native
from ..limits import Limits
from . import identifiers, sources
from ._helpers import reflection
from ._helpers import schema as compiled
from .calls import Call
from .error_tables import bind_errors
from .errors import CatalogError
from .lint import findings
from .names import UnknownName, unknown
from .services import Kind, Origin, Roles, Services, error_tables

Cls = TypeVar("Cls", bound=type)


class Catalog(native.TypedCatalog):
    """Tables of FlatBuffers schemas, by their qualified names, such as ``"trading.Candle"``.

    Created by :meth:`load`. Its methods are thread-safe.
    """

    _codecs: dict[str, Any]

    def __init__(self, origins: Sequence[Origin], limits: Limits | None = None) -> None:
        """Takes loaded schemas. Applications call :meth:`load`."""
        super().__init__()
        self._origins = tuple(origins)
        self._limits = limits
        self._by_name: dict[str, list[Origin]] = {}
        self._calls: dict[str, Call] = {}
        self._services = Services()
        self._errors: dict[str, type] = {}
        self._bound: dict[type, str] = {}
        for origin in self._origins:
            for name in origin.names:
                self._by_name.setdefault(name, []).append(origin)
        self._identifiers = self._identify()

    @classmethod
    def load(
        cls,
        *from_: sources.Source,
        words: str = "rfc",
        attach: bool = True,
        limits: Limits | None = None,
    ) -> Self:
        """Loads a catalog from one or more sources.

        :param from_: each is the path of a compiled schema (``.bfbs``), its bytes, a folder of
            schemas, a ZIP with a ``catalog.yaml``, or a schema (``.fbs``), which flatc compiles.
        :param words: the order of the 32-bit words in ``uint128_t``, ``uint160_t`` and
            ``uint256_t``: ``"rfc"``, the least significant word first (WAMP IDL), or ``"memory"``,
            the value's big-endian bytes, as xbr writes them.
        :param attach: whether to attach the schemas' interfaces at their own URIs. WAMP's own
            interfaces (``wamp.``) are never attached.
        :param limits: the maximum cost of a buffer, as :class:`autobahn_fbs.Limits` defines it for
            messages; None for the defaults. A buffer that exceeds a limit is refused, and so is a
            value whose buffer would.
        :raises TypeError: there is no source, or a limit is not an int.
        :raises ValueError: a limit is out of its range.
        :raises CatalogError: a source can't be read, or the schemas contradict each other.
        :raises autobahn.wamp.exception.InvalidPayload: a compiled schema is broken.
        :raises OSError: a file can't be read.
        """
        if not from_:
            raise TypeError("Catalog.load() takes one or more sources")
        limits = None if limits is None else Limits(*limits).checked()
        origins: dict[int, Origin] = {}
        for file in sources.read_all(from_):
            try:
                schema = compiled(file.data, words)
            except InvalidPayload as error:
                raise CatalogError(f"{file.name}: not a usable schema: {error}") from error
            if id(schema) not in origins:
                bind_errors(schema)
                origins[id(schema)] = Origin(file.name, schema, reflection(schema))
        catalog = cls(tuple(origins.values()), limits)
        for origin in catalog._origins if attach else ():
            catalog._services.attach_all(origin)
        return catalog

    # Names

    def __getitem__(self, name: str) -> type:
        """The class of a table or struct, or the ``IntEnum`` or ``IntFlag`` of an enum.

        :raises KeyError: there is no such type (the text suggests similar names), or several files
            define it differently.
        """
        cls: type = self._origin(name).schema.type(name)
        return cls

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        """The names of all tables, structs and enums, sorted."""
        return iter(sorted(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        files = ", ".join(origin.name for origin in self._origins)
        return f"<Catalog of {len(self)} types: {files}>"

    def _origin(self, name: str) -> Origin:
        """The file whose type with this name is used: the first, if all are structurally equal."""
        found = self._by_name.get(name) if isinstance(name, str) else None
        if not found:
            raise unknown("type", name, self._by_name)
        first, *others = found
        for other in others:
            if other.reflection.structure(name) != first.reflection.structure(name):
                raise UnknownName(f"{name!r} is defined differently in {first.name}, {other.name}")
        del found[1:]
        return first

    def _codec(self, name: str) -> Any:
        """The codec of a table. The base class calls this when it first needs the codec."""
        codec = self._origin(name).schema.codec(name)
        if self._limits is not None:
            codec = codec.limited(self._limits)
        self._codecs[name] = codec
        return codec

    # WAMP IDL: the args and kwargs of a call, result, event or error

    def _call(self, name: str) -> Call:
        call = self._calls.get(name)
        if call is None:
            schema = self._origin(name).schema
            call = Call(self._codecs.get(name) or self._codec(name), schema.type(name))
            self._calls[name] = call
        return call

    def pack(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        identify: bool = True,
        sort_keys: bool = False,
    ) -> bytes:
        """Encodes positional and keyword arguments as a table (WAMP IDL).

        :param args: one for each field without the attribute ``kwarg``, in the order of their ids;
            or one instance of the table's class. A table without fields takes none, or a single
            None.
        :param kwargs: by field name. All given values are written, even defaults.
        :param identify: whether the buffer identifies its table (see :meth:`identifier`).
        :param sort_keys: whether to sort vectors of tables that have a ``key``.
        :raises autobahn.wamp.exception.InvalidPayload: the arguments don't match the table.
        :raises KeyError: there is no such table.
        """
        identifier = self.identifier(name) if identify else None
        return self._call(name).pack(args, kwargs, identifier, sort_keys)

    def unpack(
        self, name: str, data: Any, *, strict: bool = False
    ) -> tuple[list[Any], dict[str, Any]]:
        """Verifies a buffer and returns the positional and keyword arguments in its table.

        args has a value for every positional field, with defaults for absent fields. kwargs has
        only the fields that are present.

        :param strict: whether to refuse unknown enum values.
        :raises autobahn.wamp.exception.InvalidPayload: the buffer is broken, breaks a rule of WAMP
            IDL, or identifies another table.
        :raises KeyError: there is no such table.
        """
        self._check_identifier(name, data)
        return self._call(name).unpack(data, strict)

    def validate(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Checks args and kwargs against a table, as :meth:`pack` does.

        :raises autobahn.wamp.exception.InvalidPayload: the arguments don't match the table.
        :raises KeyError: there is no such table.
        """
        self._call(name).check(args, kwargs)

    def to_dict(self, instance: Any) -> dict[str, Any]:
        """An instance's fields by name, including nested ones, without those that are None.

        Follows the conventions of flatc's JSON: enums are names, and a union has two entries.
        """
        if isinstance(instance, native.TypedTable):
            return instance.to_dict()
        name = self._bound.get(type(instance)) or getattr(type(instance), "__fbs_name__", None)
        if name is None:
            raise TypeError(f"{type(instance).__name__} is not bound to a table")
        codec = self._codecs.get(name) or self._codec(name)
        found: dict[str, Any] = codec.decode(codec.encode(instance), form=2)
        return found

    # Identifiers

    def _identify(self) -> dict[bytes, str]:
        """The table of each identifier.

        :raises CatalogError: two tables with different names have the same identifier.
        """
        found: dict[bytes, str] = {}
        for origin in self._origins:
            for name in origin.schema.tables:
                own = identifiers.of_name(name)
                declared = origin.schema.identifier if name == origin.schema.root else None
                for each in (own, declared) if declared else (own,):
                    if found.setdefault(each, name) != name:
                        raise CatalogError(
                            f"{found[each]} and {name} ({origin.name}) have the same identifier "
                            f"{each!r}"
                        )
        return found

    def identifier(self, name: str) -> bytes:
        """The four bytes that identify a table in a buffer: those that the schema declares if the
        table is its root, otherwise a hash of the table's qualified name.

        :raises KeyError: there is no such table.
        """
        schema = self._origin(name).schema
        declared = schema.identifier if name == schema.root else None
        return declared or identifiers.of_name(name)

    def identify(self, data: bytes | bytearray | memoryview) -> str | None:
        """The table that a buffer identifies; None if it has no identifier, or an unknown one."""
        found = identifiers.found_in(data)
        return None if found is None else self._identifiers.get(found)

    def _check_identifier(self, name: str, data: Any) -> None:
        found = identifiers.found_in(data)
        if found is not None and self._identifiers.get(found) != name:
            other = self._identifiers.get(found, "which this catalog doesn't know")
            raise InvalidPayload(f"{name}: the buffer has the identifier {found!r}: {other}")

    # Services

    def attach(self, name: str, prefix: str | None = None, *, without: Iterable[str] = ()) -> None:
        """Gives the methods of an interface their URIs.

        When a catalog is loaded, interfaces are attached at the ``wampuri`` in the schema. The
        first call replaces this; further calls add to it.

        :param name: the qualified name of the ``rpc_service``.
        :param prefix: replaces its ``wampuri``, for example ``"com.example.<uuid:site>"``.
        :param without: methods to leave out, for example one of two with the same URI.
        :raises KeyError: there is no such interface.
        :raises CatalogError: a URI is malformed, or already has other types.
        """
        found = [each for each in self._origins if name in each.reflection.services]
        if not found:
            names = [n for each in self._origins for n in each.reflection.services]
            raise unknown("interface", name, names)
        if any(
            other.reflection.services[name] != found[0].reflection.services[name]
            for other in found[1:]
        ):
            raise UnknownName(
                f"{name!r} is defined differently in {found[0].name}, {found[1].name}"
            )
        self._services.attach(found[0], found[0].reflection.services[name], prefix, without)

    def types(self, kind: Kind, uri: str) -> Roles | None:
        """The classes of the tables that a URI may carry, by role; None if the URI is not typed.

        The roles have Crossbar.io's names: ``call``, ``call_progress``, ``call_result``,
        ``call_result_progress`` and ``call_error`` of a procedure, ``event`` of a topic, ``error``
        of an error.

        :param kind: ``"procedure"``, ``"topic"`` or ``"error"``.
        :raises CatalogError: two attached methods with this URI have different types.
        """
        if kind == "error":
            cls = self.error(uri)
            return None if cls is None else {"error": (cls,)}
        if kind not in ("procedure", "topic"):
            raise ValueError(f"kind must be 'procedure', 'topic' or 'error', not {kind!r}")
        return self._services.find(kind, uri, lambda origin, name: origin.schema.type(name))

    def error(self, uri: str) -> type | None:
        """The exception class for an error URI, or None. It belongs to the table with
        ``type: "error"`` and this ``wampuri``.

        :raises CatalogError: several different tables have this URI.
        """
        if uri not in self._errors:
            found: list[tuple[Origin, str]] = [
                (origin, name)
                for origin in self._origins
                for name, own in error_tables(origin.reflection).items()
                if own == uri
            ]
            if not found:
                return None
            (first, name), *others = found
            for other, other_name in others:
                if other.reflection.structure(other_name) != first.reflection.structure(name):
                    raise CatalogError(
                        f"error {uri!r} has different types: {name} ({first.name}) and "
                        f"{other_name} ({other.name})"
                    )
            self._errors[uri] = first.schema.type(name)
        return self._errors[uri]

    def table(self, name: str) -> Callable[[Cls], Cls]:
        """Decorates a dataclass or ``msgspec.Struct`` that represents a table or struct.

        Decoding creates instances of it, and encoding accepts them, instead of those of a class
        made at run time. A type has one class in a process, so use this before the type is first
        used.

        :raises KeyError: there is no such table.
        :raises TypeError: the class lacks a field.
        :raises ValueError: the type already has a class.
        """

        def bind(cls: Cls) -> Cls:
            own = self._origin(name)
            for origin in self._origins:
                structure = origin.reflection.structure
                if origin is own or (
                    name in origin.names and structure(name) == own.reflection.structure(name)
                ):
                    origin.schema.bind(name, cls)
            self._bound[cls] = name
            return cls

        return bind

    def check(self) -> list[str]:
        """Possible problems in the schemas, a sentence each; an empty list if there are none.

        Reports facts that a compiled schema can't express (default strings, large defaults,
        FlatBuffers' own attributes without ``--bfbs-builtins``), types that are refused, and
        interfaces that contradict themselves or each other.
        """
        return [
            *(text for origin in self._origins for text in findings(origin)),
            *self._services.duplicates(),
        ]
