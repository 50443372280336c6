"""Where a launched program says what was installed and accelerated: on standard error, or in
Crossbar.io's log.

Crossbar.io's controller takes what its workers write to standard error for their log, and the first
words for a sign of which kind that log is.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

#: What :func:`autobahn_fbs.install` did.
INSTALL = logging.getLogger("autobahn_fbs.install")
#: What :func:`autobahn_fbs.accelerate` did, and what it left alone.
ACCELERATE = logging.getLogger("autobahn_fbs.accelerate")

_After = Callable[[str, Callable[[], None]], None]


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
        for record in self._waiting:
            logger = twisted.Logger(record.name)
            log = logger.warn if record.levelno >= logging.WARNING else logger.info
            log("autobahn_fbs: {text}", text=record.getMessage())
        self._waiting.clear()


def say_in_crossbar(logger: logging.Logger, after: _After) -> bool:
    """Has what is logged come out in Crossbar.io's log, if this is one of its processes and the
    program has not set up this logger of `logging`.

    :param after: calls a function after a module has been imported.
    :return: whether this is one of Crossbar.io's processes.
    """
    if not any("crossbar" in word for word in sys.orig_argv):
        return False
    if not logger.handlers:
        to_twisted = _ToTwisted()
        after("twisted.logger", to_twisted.hand_over)
        _set_up(logger, to_twisted)
    return True


def say(logger: logging.Logger, after: _After) -> None:
    """Has what is logged come out in Crossbar.io's log or, in other programs, on standard error,
    unless the program has set up this logger of `logging`.

    :param after: calls a function after a module has been imported.
    """
    if say_in_crossbar(logger, after) or logger.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("autobahn_fbs: %(message)s"))
    _set_up(logger, handler)


def _set_up(logger: logging.Logger, handler: logging.Handler) -> None:
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
