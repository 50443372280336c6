"""Errors for unknown names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from .reflection import Reflection, value_fields

#: The maximum number of characters of a name in an error text.
_SHOWN = 200


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


def unknown_path(found: Reflection, table: str, path: str) -> UnknownName:
    """The error for a path that a table doesn't have; its text names the first step that fails and
    suggests similar fields.

    :param found: the description of the table's schema.
    """
    try:
        text = _first_failure(found, table, path)
    except (LookupError, TypeError, ValueError):  # a description may contradict itself
        text = None
    return UnknownName(text or f"{table} has no path {path[:_SHOWN]!r}")


def _first_failure(found: Reflection, table: str, path: str) -> str | None:
    current: str | None = table
    before = ""
    for step in path.split("."):
        name = step.partition("[")[0]
        element = ""
        if name.isdigit() and before:
            element = f"; an element is written as {before[:_SHOWN]}[{name[:20]}]"
        if current is None:
            return f"{before[:_SHOWN]!r} has no fields{element}"
        fields: dict[str, Any] = {
            field["name"]: field["type"] for field in value_fields(found.objects[current])
        }
        if name not in fields:
            near = get_close_matches(name, list(fields), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return f"{current} has no field {name[:_SHOWN]!r}{element or hint}"
        target = found.target(fields[name])
        current = target if target in found.objects else None
        before = step
    return None
