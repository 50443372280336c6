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
        """See TypedCodec.encode."""
        codec = self._codecs.get(name) or self._codec(name)
        return codec.encode(value, **options)

    def decode(self, name: str, data: Any, /, **options: Any) -> Any:
        """See TypedCodec.decode."""
        codec = self._codecs.get(name) or self._codec(name)
        return codec.decode(data, **options)

    def verify(self, name: str, data: Any, /, **options: Any) -> None:
        """See TypedCodec.verify."""
        codec = self._codecs.get(name) or self._codec(name)
        codec.verify(data, **options)

    def get(self, name: str, data: Any, path: str, /) -> Any:
        """See TypedCodec.get."""
        codec = self._codecs.get(name) or self._codec(name)
        return codec.get(data, path)

    def lazy(self, name: str, data: Any, /) -> Any:
        """See TypedCodec.lazy."""
        codec = self._codecs.get(name) or self._codec(name)
        return codec.lazy(data)
