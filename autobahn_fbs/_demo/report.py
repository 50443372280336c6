"""The demo's output: headings, sentences, tables, and WAMP messages in one line each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import TextIOWrapper
from textwrap import fill
from typing import Any, TextIO

_WIDTH = 100

# The parts of a message to show, in this order, if they are present and not empty.
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
    """A WAMP message in a few words; "" if there is nothing but its type."""
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
        """A line that announces the next step."""
        self._print()
        self._print(self._style(text, "1"))

    def line(self, text: str = "") -> None:
        """A sentence."""
        self._print(f"  {text}" if text else "")

    def good(self, text: str) -> None:
        """Reports a success."""
        self._print(f"  {self._style('ok', '32')}  {text}")

    def bad(self, text: str) -> None:
        """Reports a failure."""
        self._print()
        self._print(f"  {self._style('FAILED', '31;1')}  {text}")

    def quote(self, text: str) -> None:
        """Quotes other output, for example a log."""
        for line in text.splitlines():
            self._print(f"  | {line}")

    def message(self, name: str, direction: str, msg: Any) -> None:
        """A WAMP message that a session sent ("->") or received ("<-")."""
        kind = type(msg).__name__.upper()
        start = f"  {name:<5} {direction} {kind:<12} "
        text = fill(details(msg), _WIDTH, initial_indent=start, subsequent_indent=" " * 24)
        self._print(text or start.rstrip())

    def table(self, rows: Sequence[Sequence[str]], numbers: int | None = None) -> None:
        """A table; the first row has the headings.

        :param numbers: the first column that is aligned to the right; none if None.
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
