"""Sends on a TCP connection that Twisted's epoll reactor found to be writable.

The reactor creates a logging context for each connection, for logs of the program when it is
called. Sending pending data calls nothing in the program, unless a producer waits or the connection
is closing.
"""

from __future__ import annotations

import sys
from typing import Any


def send(reactor: Any, connection: Any, fd: int) -> bool:
    """Sends the data, if nothing else has to be done; returns whether it did."""
    tcp: Any = sys.modules.get("twisted.internet.tcp")
    if (
        tcp is None
        or type(connection) not in (tcp.Server, tcp.Client)
        or connection.producer is not None
        or connection.disconnecting
        or connection._writeDisconnecting
        or "doWrite" in vars(connection)  # it is still connecting
        or connection.fileno() != fd
    ):
        return False
    why = connection.doWrite()
    if why:
        from twisted.python import log

        log.callWithLogger(connection, reactor._disconnectSelectable, connection, why, False)
    return True
