"""``pieces``: large messages are read in fewer pieces, and those are not joined again and again.

Receivers of RawSocket messages add what comes to a buffer of bytes, which copies all of it each
time; the buffer is one of pieces here, out of which a message is copied when it is whole. Twisted
reads 64 kB and sends 128 kB at most, and so has a turn of the reactor for each of them, and often a
packet for the last few bytes of a message; WAMP's connections read and send more at once here. What
Twisted does when a peer doesn't read stays as it is.
"""

from __future__ import annotations

from typing import Any

from ..._backend import NAME
from ..changes import Edit, Lazy
from ..part import Group, Part

#: Bytes that are read from a connection, or sent, at once: a few messages of 128 kB, which is what
#: programs that send files take. So many small messages take the router as long as Twisted's 64 kB
#: do without acceleration: others wait no longer for their turn.
SIZE = 512 * 1024


def _unusable() -> str | None:
    return None if NAME == "cpython" else "needs the cpython backend"


def _pieces() -> Any:
    from ..._backend import native

    return native.Pieces


def _add() -> Any:
    from ..._backend import native

    pieces = native.Pieces

    def add(buffer: Any, data: Any) -> Any:
        """`buffer` with `data` behind it."""
        return buffer + data if type(buffer) is pieces else pieces(buffer) + data

    return add


def widen(transport: Any) -> None:
    """Has a connection read and send more at once, if it is a plain one over TCP."""
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
