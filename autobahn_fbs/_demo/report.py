"""How the demo prints: headings, sentences, tables, and WAMP messages in one line each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import TextIOWrapper
from textwrap import fill
from typing import Any, TextIO

_WIDTH = 100

# What is worth seeing of a message, in this order, if it is there and says something.
_SHOWN = (
    "realm",
    "topic",
    "procedure",
    "error",
    "reason",
    "method",
    "authmethods",
    "authid",
    "authrole",
    "authmethod",
    "session",
    "publication",
    "acknowledge",
    "receive_progress",
    "progress",
    "args",
    "kwargs",
)


def details(msg: Any) -> str:
    """What a WAMP message says, in a few words; "" if that is nothing but its kind."""
    words = []
    for name in _SHOWN:
        value = getattr(msg, name, None)
        if value is None or value is False:
            continue
        words.append(f"{name}={value}" if isinstance(value, (int, str)) else f"{name}={value!r}")
    return " ".join(words)


class Report:
    """Prints to a stream; in bold and colour if that is a terminal and NO_COLOR isn't set."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._styled = stream.isatty() and "NO_COLOR" not in os.environ
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def _print(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def _style(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._styled else text

    def heading(self, text: str) -> None:
        """A line that says what comes next."""
        self._print()
        self._print(self._style(text, "1"))

    def line(self, text: str = "") -> None:
        """A sentence."""
        self._print(f"  {text}" if text else "")

    def good(self, text: str) -> None:
        """Something that came out as it should."""
        self._print(f"  {self._style('ok', '32')}  {text}")

    def bad(self, text: str) -> None:
        """Something that did not."""
        self._print()
        self._print(f"  {self._style('FAILED', '31;1')}  {text}")

    def quote(self, text: str) -> None:
        """Somebody else's words, such as a log."""
        for line in text.splitlines():
            self._print(f"  | {line}")

    def message(self, name: str, direction: str, msg: Any) -> None:
        """A WAMP message that a session sent ("->") or received ("<-")."""
        kind = type(msg).__name__.upper()
        start = f"  {name:<5} {direction} {kind:<12} "
        text = fill(details(msg), _WIDTH, initial_indent=start, subsequent_indent=" " * 24)
        self._print(text or start.rstrip())

    def table(self, rows: Sequence[Sequence[str]], numbers: int | None = None) -> None:
        """Rows of cells; the first row is the heads.

        :param numbers: the first column that is set to the right; none if None.
        """
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        first = len(widths) if numbers is None else numbers
        for index, row in enumerate(rows):
            cells = [
                cell.rjust(width) if column >= first else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            text = "  ".join(cells).rstrip()
            self._print("  " + (self._style(text, "2") if index == 0 else text))
