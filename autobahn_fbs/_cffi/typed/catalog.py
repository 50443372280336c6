"""The part of a catalog that is in C in the CPython binding."""

from __future__ import annotations

from typing import Any

from .codec import TypedCodec


class TypedCatalog:
    """Base of autobahn_fbs.typed.Catalog: its hot calls."""

    def __init__(self) -> None:
        self._codecs: dict[str, TypedCodec] = {}

    def _codec(self, name: str) -> TypedCodec:
        raise KeyError(name)

    def encode(self, name: str, value: Any, /, **options: Any) -> bytes:
        """Encodes a table.

        :param name: the qualified name of the table.
        :param value: an instance of the table's class, or a mapping by field name.
        :param identifier: four bytes for the buffer, or None.
        :param keep_kwargs: whether to write fields with ``kwarg`` that equal their defaults.
        :param sort_keys: whether to sort vectors of tables that have a ``key``.
        :param strict: whether to refuse unknown enum values in bytes of nested buffers.
        :raises autobahn.wamp.exception.InvalidPayload: the value doesn't match the table; the text
            has the path to the error.
        :raises KeyError: there is no such table.
        """
        codec = self._codecs.get(name) or self._codec(name)
        return codec.encode(value, **options)

    def decode(self, name: str, data: Any, /, **options: Any) -> Any:
        """Verifies a buffer and decodes its table.

        :param form: 0 for an instance, 1 for a dict of the fields that are present, 2 for a dict
            with defaults, 3 like 1 but with values as in instances.
        :param strict: whether to refuse enum values and union types that the schema doesn't have.
        :param identifier: four bytes that the buffer must have, or None.
        :raises autobahn.wamp.exception.InvalidPayload: the buffer is invalid; the text has the path
            and the offset of the error.
        :raises KeyError: there is no such table.
        """
        codec = self._codecs.get(name) or self._codec(name)
        return codec.decode(data, **options)

    def verify(self, name: str, data: Any, /, **options: Any) -> None:
        """Verifies a buffer, like :meth:`decode`, without creating objects."""
        codec = self._codecs.get(name) or self._codec(name)
        codec.verify(data, **options)

    def get(self, name: str, data: Any, path: str, /) -> Any:
        """One value of a buffer; None if it is absent. Verifies only the value and the path to it.

        :param path: for example ``"header.seq"`` or ``"points[3].x"``.
        :raises autobahn.wamp.exception.InvalidPayload: the bytes on the path are invalid.
        :raises KeyError: there is no such table or field; the text suggests a similar one.
        :raises IndexError: there is no such element.
        """
        codec = self._codecs.get(name) or self._codec(name)
        return codec.get(data, path)

    def lazy(self, name: str, data: Any, /) -> Any:
        """Verifies a buffer and returns its table, which has an attribute for each field, read on
        access. Vectors of numbers are views of the buffer.

        :raises autobahn.wamp.exception.InvalidPayload: the buffer is invalid.
        :raises KeyError: there is no such table.
        """
        codec = self._codecs.get(name) or self._codec(name)
        return codec.lazy(data)
