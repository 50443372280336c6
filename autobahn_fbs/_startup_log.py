"""Reports what was installed and accelerated in a launched program: on standard error, or in
Crossbar.io's log.

Crossbar.io's controller adds its workers' standard error to their log, and uses the first words to
detect the kind of log.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

#: Log records of :func:`autobahn_fbs.install`.
INSTALL = logging.getLogger("autobahn_fbs.install")
#: Log records of :func:`autobahn_fbs.accelerate`: what it switched on, and what it left unchanged.
ACCELERATE = logging.getLogger("autobahn_fbs.accelerate")

_After = Callable[[str, Callable[[], None]], None]


class _ToTwisted(logging.Handler):
    """Passes records on to Twisted's log, once it has been imported."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.append(record)
        self.hand_over()

    def hand_over(self) -> None:
        """Passes on the records that have waited."""
        twisted: Any = sys.modules.get("twisted.logger")
        if twisted is None or not hasattr(twisted, "LogLevel"):
            return
        for record in self._waiting:
            logger = twisted.Logger(record.name)
            log = logger.warn if record.levelno >= logging.WARNING else logger.info
            log("autobahn_fbs: {text}", text=record.getMessage())
        self._waiting.clear()


def say_in_crossbar(logger: logging.Logger, after: _After) -> bool:
    """Sends log records to Crossbar.io's log, if this is one of its processes and the program has
    not configured this `logging` logger.

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
    """Sends log records to Crossbar.io's log or, in other programs, to standard error, unless the
    program has configured this `logging` logger.

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
