"""The parts, one module each. A part's module has ``PART``; to add one, name it here."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ..part import Part

#: In the order in which they are switched on.
NAMES = ("texts",)


@cache
def load(name: str) -> Part:
    """The part of that name, which must be one of :data:`NAMES`."""
    part: Part = import_module(f"{__name__}.{name}").PART
    return part
