"""Errors for unknown names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UnknownName(KeyError):
    """A catalog has no such table, struct, enum or interface, or has several different ones."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError's own str() is the repr


def unknown(kind: str, name: object, known: Iterable[str]) -> UnknownName:
    """The error for an unknown name; its text suggests similar names."""
    if not isinstance(name, str):
        return UnknownName(f"the name of a {kind} must be a str, not {type(name).__name__}")
    names = sorted(set(known))
    last = name.rpartition(".")[2].lower()
    near = [each for each in names if each.rpartition(".")[2].lower() == last]
    near += [each for each in get_close_matches(name, names, 3, 0.6) if each not in near]
    hint = f"; did you mean {', '.join(near[:3])}?" if near else ""
    return UnknownName(f"no {kind} {name[:200]!r} in this catalog{hint}")
