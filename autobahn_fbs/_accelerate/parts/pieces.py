"""``pieces``: large messages are read in fewer pieces, which are joined only once.

Receivers of RawSocket messages add incoming data to a bytes buffer, which copies everything each
time. Here, the buffer keeps pieces, and a message is copied from it once it is complete. Twisted
reads at most 64 kB and sends at most 128 kB at a time, so each needs an iteration of the reactor,
and the last few bytes of a message often take a packet of their own. Here, WAMP's connections read
and send more at once. Twisted's behaviour is unchanged if a peer doesn't read.
"""

from __future__ import annotations

import sys
from typing import Any

from ..._backend import NAME
from ..changes import Edit, Lazy
from ..part import Group, Part

#: Bytes to read from a connection, or to send, at once: a few messages of 128 kB, the size that
#: programs that send files use. An accelerated router handles this many bytes of small messages in
#: the time that a stock router takes for Twisted's 64 kB, so other connections don't wait longer.
SIZE = 512 * 1024


def _unusable() -> str | None:
    return None if NAME == "cpython" else "needs the cpython backend"


def _windows() -> str | None:
    return "Windows doesn't take as much at once" if sys.platform == "win32" else None


def _pieces() -> Any:
    from ..._backend import native

    return native.Pieces


def _add() -> Any:
    from ..._backend import native

    pieces = native.Pieces

    def add(buffer: Any, data: Any) -> Any:
        """`buffer` followed by `data`."""
        return buffer + data if type(buffer) is pieces else pieces(buffer) + data

    return add


def widen(transport: Any) -> None:
    """Makes a connection read and send more at once if it is a plain TCP connection."""
    from twisted.internet import tcp

    if type(transport) in (tcp.Server, tcp.Client):
        transport._autobahn_fbs_size = SIZE


_PEER = "self.peer = self._transport_details.peer\n"
PART = Part(
    "pieces",
    "large messages are read and sent in fewer pieces, and joined once",
    (
        Group(
            "twisted.internet.tcp",
            (
                Edit(
                    "twisted.internet.tcp:Connection.doRead",
                    "self.socket.recv(self.bufferSize)",
                    'self.socket.recv(getattr(self, "_autobahn_fbs_size", self.bufferSize))',
                ),
                Edit(
                    "twisted.internet.tcp:Connection.writeSomeData",
                    (
                        "memoryview(data)[: self.SEND_LIMIT]",
                        "lazyByteSlice(data, 0, self.SEND_LIMIT)",
                    ),
                    'memoryview(data)[: getattr(self, "_autobahn_fbs_size", self.SEND_LIMIT)]',
                ),
            ),
            relies=("twisted.internet.abstract:FileDescriptor.doWrite",),
            unusable=_windows,
        ),
        Group(
            "autobahn.twisted.rawsocket, pieces",
            (
                Edit(
                    "autobahn.twisted.rawsocket:WampRawSocketProtocol.connectionMade",
                    _PEER,
                    _PEER[:-1] + "; self._unprocessed = _autobahn_fbs_pieces(); "
                    "_autobahn_fbs_widen(self.transport)\n",
                    {"_autobahn_fbs_pieces": Lazy(_pieces), "_autobahn_fbs_widen": widen},
                ),
            ),
            relies=(
                "twisted.protocols.basic:IntNStringReceiver.dataReceived",
                "twisted.protocols.basic:IntNStringReceiver",
            ),
            unusable=_unusable,
        ),
        Group(
            "autobahn.twisted.websocket, pieces",
            (
                Edit(
                    "autobahn.twisted.websocket:WebSocketAdapterProtocol.connectionMade",
                    _PEER,
                    _PEER[:-1] + "; _autobahn_fbs_widen(self.transport)\n",
                    {"_autobahn_fbs_widen": widen},
                ),
            ),
        ),
        Group(
            "autobahn.asyncio.rawsocket, pieces",
            (
                Edit(
                    "autobahn.asyncio.rawsocket:PrefixProtocol.data_received",
                    "self._buffer += data",
                    "self._buffer = _autobahn_fbs_add(self._buffer, data)",
                    {"_autobahn_fbs_add": Lazy(_add)},
                ),
            ),
            relies=("autobahn.asyncio.rawsocket:RawSocketProtocol.data_received",),
            unusable=_unusable,
        ),
    ),
)
