"""An ``argparse`` parser that suggests corrections for a misspelled verb or option."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, NoReturn

from .._suggestion import did_you_mean


def program_name() -> str:
    """The name of the command: the script's name, or ``python -m autobahn_fbs``."""
    name = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return "autobahn-fbs" if name == "autobahn-fbs" else "python -m autobahn_fbs"


class Parser(argparse.ArgumentParser):
    """A parser that refuses unknown options itself, so that it can suggest a verb's own options.

    ``argparse`` calls a verb's parser through ``parse_known_args``, which therefore never returns
    unparsed words.
    """

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.refuse(left)
        return found, left

    def refuse(self, words: list[str]) -> NoReturn:
        """Ends the program with status 2 and a text that names the words."""
        word = words[0].partition("=")[0]
        meant = did_you_mean(word, self._option_string_actions)
        self.error(f"unrecognized arguments: {' '.join(words)}{meant}")
