"""Where a launched program says what acceleration does: on standard error, or in Crossbar.io's log.

Crossbar.io's controller takes what its workers write to standard error for their log, and the first
words for a sign of which kind that log is.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

LOG = logging.getLogger("autobahn_fbs.accelerate")


class _ToTwisted(logging.Handler):
    """Hands records over to Twisted's log, when it has been imported."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.append(record)
        self.hand_over()

    def hand_over(self) -> None:
        """Does so with those that have waited."""
        twisted: Any = sys.modules.get("twisted.logger")
        if twisted is None or not hasattr(twisted, "LogLevel"):
            return
        logger = twisted.Logger("autobahn_fbs.accelerate")
        for record in self._waiting:
            log = logger.warn if record.levelno >= logging.WARNING else logger.info
            log("autobahn_fbs: {text}", text=record.getMessage())
        self._waiting.clear()


def say(after: Callable[[str, Callable[[], None]], None]) -> None:
    """Has what is logged come out, unless the program has set up this logger of `logging`.

    :param after: calls a function after a module has been imported.
    """
    if LOG.handlers:
        return
    handler: logging.Handler
    if any("crossbar" in word for word in sys.orig_argv):
        handler = to_twisted = _ToTwisted()
        after("twisted.logger", to_twisted.hand_over)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("autobahn_fbs: %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
