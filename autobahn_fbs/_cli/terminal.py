"""Output: colours if wanted, and no control characters or escape sequences from a peer."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

COLORS = ("auto", "always", "never")
_CODES = {"name": "36", "good": "32", "bad": "31", "title": "1", "faint": "2"}

# A value nested deeper than this is shown only by its type.
_DEPTH = 200
# The largest integer that is shown in decimal, in bits; the interpreter refuses very long ones.
_BITS = 2000
# Maximum length of a key that isn't a string, and of a value of a type that JSON lacks.
_LENGTH = 10_000


def wants_color(choice: str) -> bool:
    """Whether to use colours: if requested, or else on a terminal if NO_COLOR is not set."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


class Painter:
    """Colours text, or returns it unchanged."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, kind: str, text: str) -> str:
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self._color else text


def safe(text: str) -> str:
    """The text with all invisible characters escaped: control characters, characters that change
    the direction of writing, and halves of surrogate pairs."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def plain(value: Any, depth: int = 0) -> Any:
    """The value in a form that JSON supports. Bytes become {"$bytes": hex}; numbers that JSON
    lacks, and all other types, become text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _BITS else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": bytes(value).hex()}
    if depth > _DEPTH:
        return f"... nested deeper than {_DEPTH}"
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in value]
    if hasattr(value, "marshal"):  # forward_for's principals
        return plain(value.marshal(), depth + 1)
    features = getattr(value, "__dict__", None)
    if type(value).__name__.startswith("Role") and features:
        named = {name.lstrip("_"): item for name, item in features.items() if item is not None}
        return plain({name: item for name, item in named.items() if name != "ROLE"}, depth + 1)
    return _cut(_text_of(value))


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError, ArithmeticError):  # a long integer, or deep nesting
        return f"<{type(value).__name__} that can't be shown>"


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"


def _key(key: Any) -> str:
    return key if isinstance(key, str) else spelled(key)


def spelled(value: Any) -> str:
    """The value as text of little more than 10,000 characters. Strings in it are quoted once,
    however deeply they are nested."""
    parts: list[str] = []
    return "".join(parts) if _spell(value, parts, _LENGTH, 0) > 0 else "".join(parts) + "…"


def _spell(value: Any, parts: list[str], room: int, depth: int) -> int:
    """Appends a value's text; returns the remaining room, 0 or less if it was not enough."""
    if isinstance(value, Mapping) and depth < _DEPTH:
        marks, items = "{}", [item for pair in value.items() for item in pair]
    elif isinstance(value, (list, tuple, set, frozenset)) and depth < _DEPTH:
        marks, items = "[]", list(value)
    else:
        shown = plain(value, _DEPTH)
        text = json.dumps(shown, ensure_ascii=False) if isinstance(shown, str) else str(shown)
        parts.append(text[:room])
        return room - len(text)
    parts.append(marks[0])
    for index, item in enumerate(items):
        if index:
            parts.append(": " if marks == "{}" and index % 2 else ", ")
        room = _spell(item, parts, room - 2, depth + 1)
        if room <= 0:
            return room
    parts.append(marks[1])
    return room


def to_json(value: Any) -> str:
    """One line of JSON in ASCII."""
    return json.dumps(plain(value), allow_nan=False)


def to_text(value: Any, width: int | None) -> str:
    """The value on one line, like JSON but readable; truncated to `width` characters if given."""
    text = safe(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))
    if width is not None and len(text) > width:
        return f"{text[:width]}... ({len(text):,} characters; --full shows all)"
    return text
