"""``writes``: what is written to a connection in one iteration of asyncio's loop is sent at once.

On Twisted the reactor does that already. See ``gathering.py``.
"""

from __future__ import annotations

from ..changes import Edit
from ..gathering import gather, release_all
from ..part import Group, Part

_NAMES = {"_autobahn_fbs_gather": gather}
_OLD = "        self.transport = transport\n"
_NEW = "        self.transport = _autobahn_fbs_gather(transport)\n"


def _group(module: str, target: str) -> Group:
    return Group(module, (Edit(f"{module}:{target}", _OLD, _NEW, _NAMES),), undone=release_all)


PART = Part(
    "writes",
    "what one iteration of asyncio's loop writes is sent in one go",
    (
        _group("autobahn.asyncio.rawsocket", "PrefixProtocol.connection_made"),
        _group("autobahn.asyncio.websocket", "WebSocketAdapterProtocol.connection_made"),
    ),
)
