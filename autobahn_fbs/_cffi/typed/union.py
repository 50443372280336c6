"""The value of a union whose class alone doesn't identify the member."""

from __future__ import annotations

from typing import Any, NamedTuple


class TypedUnion(NamedTuple):
    """A member of a union: its name in the union, and its value."""

    type: str
    value: Any
