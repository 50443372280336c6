"""``writes``: sends everything that one iteration of asyncio's loop writes to a connection at once,
and tells epoll less on Twisted.

See ``gathering.py``. Twisted's reactor already does this. For Twisted, this part removes the costs
of sending besides the system call (``reactor.py``). We tried sending right before the poll instead
of after it, but this made a fan-out to many subscribers slower, because less data was gathered.
"""

from __future__ import annotations

from ..changes import Edit
from ..gathering import gather, release_all, write_both
from ..part import Group, Part
from ..reactor import drop, hand_over, hand_over_all, note, poll, start_writing

_NAMES = {"_autobahn_fbs_gather": gather}
_OLD = "        self.transport = transport\n"
_NEW = "        self.transport = _autobahn_fbs_gather(transport)\n"


def _group(module: str, target: str, *more: Edit) -> Group:
    gathering = Edit(f"{module}:{target}", _OLD, _NEW, _NAMES)
    return Group(module, (gathering, *more), undone=release_all)


_EPOLL = "twisted.internet.epollreactor:EPollReactor"
_WRITE = "twisted.internet.abstract:FileDescriptor.write"
_REACTOR = {
    "_autobahn_fbs_note": note,
    "_autobahn_fbs_drop": drop,
    "_autobahn_fbs_hand_over": hand_over,
    "_autobahn_fbs_poll": poll,
}
_TWISTED = Group(
    "twisted.internet.epollreactor",
    (
        Edit(
            f"{_EPOLL}.addWriter",
            "self._add(",
            "_autobahn_fbs_note(self, writer) or self._add(",
            _REACTOR,
        ),
        Edit(
            f"{_EPOLL}.removeWriter",
            "self._remove(",
            "_autobahn_fbs_drop(self, writer) or self._remove(",
            _REACTOR,
        ),
        Edit(
            f"{_EPOLL}.removeReader",
            "self._remove(",
            "_autobahn_fbs_hand_over(self, reader) or self._remove(",
            _REACTOR,
        ),
        Edit(
            f"{_EPOLL}.doPoll",
            "self._poller.poll(timeout, len(self._selectables))",
            "_autobahn_fbs_poll(self, timeout)",
            _REACTOR,
        ),
        Edit(
            _WRITE,
            "        _dataMustBeBytes(data)\n",
            "        type(data) is bytes or _dataMustBeBytes(data)\n",
        ),
        Edit(
            _WRITE,
            "self.startWriting()",
            "_autobahn_fbs_start_writing(self)",
            {"_autobahn_fbs_start_writing": start_writing},
        ),
    ),
    relies=(
        _EPOLL,
        "twisted.internet.abstract:FileDescriptor.doWrite",
        "twisted.internet.abstract:FileDescriptor.startWriting",
        "twisted.internet.abstract:FileDescriptor.stopWriting",
        "twisted.internet.posixbase:_DisconnectSelectableMixin._disconnectSelectable",
        "twisted.internet.posixbase:_PollLikeMixin._doReadOrWrite",
        "twisted.internet.posixbase:PosixReactorBase._removeAll",
        "twisted.internet.tcp:Connection",
        "twisted.internet.tcp:BaseClient",
    ),
    undone=hand_over_all,
)

PART = Part(
    "writes",
    "writes in one iteration of asyncio's loop are sent at once; Twisted calls epoll less often",
    (
        _group(
            "autobahn.asyncio.rawsocket",
            "PrefixProtocol.connection_made",
            Edit(
                "autobahn.asyncio.rawsocket:PrefixProtocol.sendString",
                "self.transport.write(header)\n        self.transport.write(data)",
                "_autobahn_fbs_write_both(self.transport, header, data)",
                {"_autobahn_fbs_write_both": write_both},
            ),
        ),
        _group("autobahn.asyncio.websocket", "WebSocketAdapterProtocol.connection_made"),
        _TWISTED,
    ),
)
