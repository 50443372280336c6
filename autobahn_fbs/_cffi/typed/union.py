"""The value of a union where its class alone doesn't tell the member."""

from __future__ import annotations

from typing import Any, NamedTuple


class TypedUnion(NamedTuple):
    """A union's member, by the name that the union has for it, and its value."""

    type: str
    value: Any
