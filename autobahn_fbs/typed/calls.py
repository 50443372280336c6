"""Converts args and kwargs of WAMP messages to one table and back, by the rules of WAMP IDL.

Source: WAMP specification, "WAMP IDL Attributes", rules 1 to 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autobahn.wamp.exception import InvalidPayload

from .names import unexpected_keyword

if TYPE_CHECKING:
    from .._cpython import TypedCodec


class Call:
    """A table that represents the args and kwargs of a message."""

    def __init__(self, codec: TypedCodec, cls: type) -> None:
        self._codec = codec
        self._cls = cls
        self._args = codec.args
        self._kwargs = frozenset(codec.kwargs)
        self._defaults = [codec.default(name) for name in codec.args]

    def pack(
        self,
        args: Sequence[Any] | None,
        kwargs: Mapping[str, Any] | None,
        identifier: bytes | None,
        sort_keys: bool,
    ) -> bytes:
        """Encodes the table.

        :raises autobahn.wamp.exception.InvalidPayload: the values don't match the table.
        """
        value = self._value(args, kwargs)
        return self._codec.encode(
            value, identifier=identifier, keep_kwargs=True, sort_keys=sort_keys
        )

    def check(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> None:
        """Raises the same errors as :meth:`pack`, without creating the buffer."""
        self._codec.check(self._value(args, kwargs))

    def unpack(self, data: Any, strict: bool) -> tuple[list[Any], dict[str, Any]]:
        """A new list and dict, which the caller may change."""
        present = self._codec.decode(data, form=3, strict=strict)
        args = [
            present.get(name, default)
            for name, default in zip(self._args, self._defaults, strict=True)
        ]
        return args, {name: present[name] for name in self._codec.kwargs if name in present}

    def _value(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> Any:
        """The value to encode: an instance as it is, or a mapping by field name."""
        values: Sequence[Any] = () if args is None else args
        if not isinstance(values, (list, tuple)):
            raise InvalidPayload(f"{self._name}: args must be a list, not {_kind(values)}")
        named = {} if kwargs is None else kwargs
        if not isinstance(named, Mapping):
            raise InvalidPayload(f"{self._name}: kwargs must be a map, not {_kind(named)}")
        if len(values) == 1 and not named and type(values[0]) is self._cls:
            return values[0]
        if not self._args and len(values) == 1 and values[0] is None:
            values = ()  # Autobahn's callee sends this for `return None`
        if len(values) != len(self._args):
            raise InvalidPayload(self._count_text(len(values)))
        if unexpected := [name for name in named if name not in self._kwargs]:
            text = unexpected_keyword(unexpected[0], self._codec.kwargs)
            raise InvalidPayload(f"{self._name}: {text}")
        return dict(zip(self._args, values, strict=True), **named)

    @property
    def _name(self) -> str:
        return self._codec.name

    def _count_text(self, count: int) -> str:
        expected = len(self._args)
        if count < expected:
            missing = ", ".join(self._args[count:])
            return f"{self._name}: {expected - count} missing positional arguments ({missing})"
        return f"{self._name}: {count - expected} unexpected positional arguments"


def _kind(value: object) -> str:
    return type(value).__name__
