"""An ``argparse`` parser that asks "did you mean" about a misspelled verb or option."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn


def program_name() -> str:
    """What the command line is called with: the script's name, or ``python -m autobahn_fbs``."""
    name = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return "autobahn-fbs" if name == "autobahn-fbs" else "python -m autobahn_fbs"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean X?"`` with the known word that is most alike; "" if none is."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


class Parser(argparse.ArgumentParser):
    """Refuses options that it doesn't know by itself, so that a verb's own options are suggested.

    ``parse_known_args``, through which ``argparse`` calls the parser of a verb, therefore never
    returns words that are left over.
    """

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.refuse(left)
        return found, left

    def refuse(self, words: list[str]) -> NoReturn:
        """Ends the program with status 2, and a text that names the words."""
        word = words[0].partition("=")[0]
        meant = did_you_mean(word, self._option_string_actions)
        self.error(f"unrecognized arguments: {' '.join(words)}{meant}")
