"""The errors for attributes that can't be written."""

from __future__ import annotations

from typing import NoReturn

from .classes import Attribute


def refuse(a: Attribute, exception: type[Exception], text: str) -> NoReturn:
    """Raises `exception` as "EVENT.topic: ..."."""
    raise exception(f"{a.place}: {text}")


def printable(text: str) -> str:
    """The text for an error, which may quote what a peer sent: with escapes as in a Python literal
    unless all of it is printable, so that nothing in it controls a terminal or begins a line of a
    log."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def description(error: Exception) -> str:
    """The text of an exception, or only its type if it has no usable text."""
    kind = type(error).__name__[:200]
    try:
        return f"{kind}: {printable(str(error)[:500])}"
    except MemoryError:
        raise
    except Exception:
        return kind


def refuse_encoding(a: Attribute, error: Exception, advice: str = "") -> NoReturn:
    """Raises TypeError or ValueError for a codec's exception about the attribute, followed by
    `advice`."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    raise kind(f"{a.place}: can't be encoded: {description(error)}{advice}") from error
