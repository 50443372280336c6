"""``writes``: sends everything that one iteration of asyncio's loop writes to a connection at once.

See ``gathering.py``. Twisted's reactor already does this. We tried sending right before the poll
without asking epoll, but this made a fan-out to many subscribers slower, because less data was
gathered. For Twisted, this part removes the costs of sending besides the system call
(``reactor.py``).
"""

from __future__ import annotations

from ..changes import Edit
from ..gathering import gather, release_all
from ..part import Group, Part
from ..reactor import send

_NAMES = {"_autobahn_fbs_gather": gather}
_OLD = "        self.transport = transport\n"
_NEW = "        self.transport = _autobahn_fbs_gather(transport)\n"


def _group(module: str, target: str) -> Group:
    return Group(module, (Edit(f"{module}:{target}", _OLD, _NEW, _NAMES),), undone=release_all)


_TWISTED = Group(
    "twisted.internet.epollreactor",
    (
        Edit(
            "twisted.internet.epollreactor:EPollReactor.doPoll",
            "log.callWithLogger(selectable, _drdw, selectable, fd, event)",
            "(event == EPOLLOUT and _autobahn_fbs_send(self, selectable, fd)) or "
            "log.callWithLogger(selectable, _drdw, selectable, fd, event)",
            {"_autobahn_fbs_send": send},
        ),
    ),
    relies=(
        "twisted.internet.abstract:FileDescriptor.doWrite",
        "twisted.internet.posixbase:_PollLikeMixin._doReadOrWrite",
        "twisted.internet.tcp:Connection",
    ),
)

PART = Part(
    "writes",
    "what one iteration of asyncio's loop writes is sent at once",
    (
        _group("autobahn.asyncio.rawsocket", "PrefixProtocol.connection_made"),
        _group("autobahn.asyncio.websocket", "WebSocketAdapterProtocol.connection_made"),
        _TWISTED,
    ),
)
