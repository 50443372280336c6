"""What acceleration can't do on every Python."""

from __future__ import annotations

import sys
import sysconfig

import autobahn_fbs

_OFF: dict[str, str] = {}

if autobahn_fbs.backend != "cpython":
    _OFF = {
        "messages": "messages are made in C on CPython only",
        "masks": "needs the cpython backend",
        "routing": "payloads are passed on undecoded on CPython only",
        "pieces": "needs the cpython backend",
    }
elif sysconfig.get_config_var("Py_GIL_DISABLED"):
    _OFF = {"messages": "messages are made in C only where Python has its lock"}

#: The groups of ``pieces`` that make Twisted read more at once.
_ON_EVERYWHERE = {"twisted.internet.tcp", "autobahn.twisted.websocket, pieces"}


def why_off(part: str, group: str) -> str | None:
    """Why a group of a part is off on this Python, whatever is installed; None if it isn't."""
    if group == "twisted.internet.tcp" and sys.platform == "win32":
        return "Windows doesn't take as much at once"
    return None if group in _ON_EVERYWHERE else _OFF.get(part)
