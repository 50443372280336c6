"""Whether the drop-in is active in this process, and how."""

from __future__ import annotations

import sys
from typing import NamedTuple

from . import __version__, _backend


class Installed(NamedTuple):
    """What is active in this process; see :func:`autobahn_fbs.installed`."""

    #: The version of this package.
    version: str
    #: Which binding of the C core is in use: ``"cpython"`` or ``"cffi"``.
    backend: str
    #: The parts that :func:`autobahn_fbs.accelerate` has switched on, in the order of ``info``.
    accelerated: tuple[str, ...]

    def __str__(self) -> str:
        parts = " ".join(self.accelerated) or "nothing"
        return f"version {self.version}, backend {self.backend}, accelerated: {parts}"


def installed() -> Installed | None:
    """What is active in this process, or None if :func:`autobahn_fbs.install` was not called, or
    was undone.

    :func:`autobahn_fbs.install` logs the same, once, to ``autobahn_fbs.install`` of `logging` with
    level INFO. In the processes of a Crossbar.io node that ``python -m autobahn_fbs run`` started,
    it is in the node's log.
    """
    install = sys.modules.get("autobahn_fbs._install")
    return current() if install is not None and install.is_installed() else None


def current() -> Installed:
    """The same, whether or not it is installed."""
    # What has not been imported has accelerated nothing.
    accelerate = sys.modules.get("autobahn_fbs._accelerate")
    parts = accelerate.accelerated() if accelerate is not None else ()
    return Installed(__version__, _backend.NAME, parts)
