"""Texts of errors about unknown names, and about other texts that a value must not have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._suggestion import OWN_COST, did_you_mean, similar
from .reflection import Reflection, value_fields

#: The maximum number of characters of a name in an error text; that of a name in a value, which may
#: be a peer's.
_SHOWN, _SHOWN_OF_VALUE = 200, 60


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
    near += [each for each in similar(name, names, 3, OWN_COST) if each not in near]
    hint = f"; did you mean {', '.join(near[:3])}?" if near else ""
    return UnknownName(f"no {kind} {name[:_SHOWN]!r} in this catalog{hint}")


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
            hint = element or did_you_mean(name, fields)
            return f"{current} has no field {name[:_SHOWN]!r}{hint}"
        target = found.target(fields[name])
        current = target if target in found.objects else None
        before = step
    return None


# Reasons for refusing a value, for both bindings


def no_field(key: object, known: Iterable[str]) -> str:
    """For a key of a mapping that isn't a field of its table or struct."""
    if not isinstance(key, str):
        return f"names of fields expected as keys, got {type_name(key)}"
    return f"has no field {_quoted(key)}{did_you_mean(key, known)}"


def no_value(enum: str, name: str, known: Iterable[str]) -> str:
    """For a name that isn't one of an enum's values."""
    return f"{enum[:_SHOWN]} has no value {_quoted(name)}{did_you_mean(name, known)}"


def no_member(union: str, tag: str | int, known: Iterable[str]) -> str:
    """For a name or number that isn't one of a union's members."""
    if isinstance(tag, str):
        return f"{union[:_SHOWN]} has no member {_quoted(tag)}{did_you_mean(tag, known)}"
    number = int.__repr__(tag) if -(2**63) <= tag < 2**64 else "with such a large number"
    return f"{union[:_SHOWN]} has no member {number}"


def unexpected_keyword(name: object, known: Iterable[str]) -> str:
    """For a keyword argument that a class or table doesn't have; its name precedes this text."""
    if not isinstance(name, str):
        return f"names of keyword arguments must be str, got {type_name(name)}"
    return f"got an unexpected keyword argument {_quoted(name)}{did_you_mean(name, known)}"


def wrong_text(expected: str, text: str) -> str:
    """For a str that doesn't have the form that its field requires."""
    return f"{expected}, got {_quoted(text)}"


def type_name(value: object) -> str:
    """The type of a value in an error text."""
    return "None" if value is None else type(value).__name__[:100]


def _quoted(name: str) -> str:
    """A name as a Python literal, in which nothing controls a terminal; the beginning if it is
    long."""
    return repr(name[:_SHOWN_OF_VALUE])[:100]
