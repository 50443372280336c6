"""Sends on TCP connections of Twisted's epoll reactor, with fewer system calls.

The reactor tells epoll that a connection has data, polls, sends the data, and tells epoll that
there is no more: two calls of ``epoll_ctl`` for each ``send``. Here, a connection that gets data is
only noted. The next poll doesn't wait, and the data is sent after the events of this poll. That is
when the reactor would have sent it, so as much data is gathered as before. Only if the socket
doesn't take everything, epoll is told, and the reactor does its usual work.

A noted connection is among the reactor's writers, as always. epoll knows it as a reader only. When
it is no longer a reader, epoll is told that it is a writer, and it is no longer noted.

The reactor also creates a logging context for each connection, for logs of the program when it is
called. Sending pending data calls nothing in the program, unless a producer waits or the connection
is closing.
"""

from __future__ import annotations

import select
import sys
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

_IN: int = getattr(select, "EPOLLIN", 0)
_OUT: int = getattr(select, "EPOLLOUT", 0)

#: Those that have noted a connection. Each has its notes, by file descriptor, in an attribute.
_reactors: weakref.WeakSet[Any] = weakref.WeakSet()

#: Twisted's classes of TCP connections, as soon as a reactor notes them.
_kinds: frozenset[type] = frozenset()


def note(reactor: Any, writer: Any) -> bool:
    """Notes a connection that has data, instead of telling epoll; False if epoll must be told."""
    noted = getattr(reactor, "_autobahn_fbs_noted", None)
    if noted is None or type(writer) not in _kinds or "doWrite" in writer.__dict__:
        return False
    fd = writer.fileno()
    if fd in reactor._writes:
        return True
    if fd not in reactor._reads or reactor._selectables.get(fd) is not writer:
        return False
    reactor._writes.add(fd)
    noted[fd] = writer
    return True


def start_writing(connection: Any) -> None:
    """``connection.startWriting()``"""
    reactor = connection.reactor
    replaced = "startWriting" in connection.__dict__ or "addWriter" in reactor.__dict__
    if replaced or not note(reactor, connection):
        connection.startWriting()


def drop(reactor: Any, writer: Any) -> bool:
    """Removes a connection that was noted from the writers; False if epoll must be told."""
    noted = getattr(reactor, "_autobahn_fbs_noted", None)
    if not noted:
        return False
    fd = writer.fileno()
    if fd not in noted:
        if fd == -1:
            hand_over(reactor, writer)
        return False
    del noted[fd]
    reactor._writes.remove(fd)
    return True


def hand_over(reactor: Any, connection: Any) -> None:
    """Forgets the note of a connection, because epoll is about to be told about it."""
    noted = getattr(reactor, "_autobahn_fbs_noted", None)
    if noted:
        fd = connection.fileno()
        if fd == -1:  # it is closed; the reactor finds it in the same way
            fd = next((each for each, other in noted.items() if other is connection), -1)
        noted.pop(fd, None)


def hand_over_all() -> None:
    """Tells epoll about all connections that are noted, and notes none from now on."""
    for reactor in list(_reactors):
        noted = vars(reactor).pop("_autobahn_fbs_noted")
        for fd in noted:
            with suppress(OSError, ValueError):  # it, or epoll, was closed by someone else
                reactor._poller.modify(fd, _IN | _OUT)
        noted.clear()
    _reactors.clear()


def poll(reactor: Any, timeout: float) -> Iterable[tuple[int, int]]:
    """Waits for events and sends what can be sent; the remaining events are the reactor's."""
    global _kinds
    noted: dict[int, Any] | None = getattr(reactor, "_autobahn_fbs_noted", None)
    if noted is None:
        noted = {}
        if type(reactor) is sys.modules["twisted.internet.epollreactor"].EPollReactor:
            tcp = sys.modules["twisted.internet.tcp"]
            _kinds = frozenset((tcp.Server, tcp.Client))
            reactor._autobahn_fbs_noted = noted
            _reactors.add(reactor)
    before = list(noted.items())
    events = reactor._poller.poll(0 if before else timeout, len(reactor._selectables))
    return _remaining(reactor, events, noted, before)


def _remaining(
    reactor: Any,
    events: list[tuple[int, int]],
    noted: dict[int, Any],
    before: list[tuple[int, Any]],
) -> Iterator[tuple[int, int]]:
    for fd, event in events:
        if event != _OUT or not _send(reactor, reactor._selectables.get(fd), fd):
            yield fd, event
    for fd, connection in before:
        if noted.get(fd) is not connection:  # an event of this poll has changed that
            continue
        if not _send_all(reactor, connection, fd) and not _send(reactor, connection, fd):
            yield fd, _OUT
        if noted.get(fd) is connection:  # there is more to send
            del noted[fd]
            try:
                reactor._poller.modify(fd, _IN | _OUT)
            except OSError:  # it was closed by someone else; the reactor raises this in write()
                reactor._writes.discard(fd)
                _log().callWithLogger(connection, _log().err)


def _send_all(reactor: Any, connection: Any, fd: int) -> bool:
    """Like `_send` for a noted connection with little data. Does what ``doWrite()`` would do."""
    own, size = connection.__dict__, connection._tempDataLen
    if (
        connection.dataBuffer
        or not 0 < size <= connection.SEND_LIMIT
        or connection.producer is not None
        or connection.disconnecting
        or connection._writeDisconnecting
        or "doWrite" in own
        or "stopWriting" in own
        or "writeSomeData" in own
    ):
        return False
    data = b"".join(connection._tempDataBuffer)
    try:
        sent = connection.socket.send(data)
    except OSError:  # occurs again, where it is expected
        return False
    except BaseException as error:
        _fail(reactor, connection, error)
        return True
    connection._tempDataBuffer = []
    connection._tempDataLen = 0
    if sent == len(data):
        del reactor._autobahn_fbs_noted[fd]
        reactor._writes.remove(fd)
    else:
        connection.dataBuffer = data
        connection.offset = sent
    return True


def _send(reactor: Any, connection: Any, fd: int) -> bool:
    """Sends pending data if nothing else has to be done; returns whether it did."""
    if (
        type(connection) not in _kinds
        or "doWrite" in connection.__dict__  # it is still connecting, or aborted
        or "writeSomeData" in connection.__dict__
        or connection.producer is not None
        or connection.disconnecting
        or connection._writeDisconnecting
        or connection.fileno() != fd
    ):
        return False
    try:
        why = connection.doWrite()
    except BaseException as error:
        _fail(reactor, connection, error)
    else:
        if why:
            _log().callWithLogger(connection, reactor._disconnectSelectable, connection, why, False)
    return True


def _fail(reactor: Any, connection: Any, error: BaseException) -> None:
    """What the reactor does if sending raises an exception. Called in its handler."""

    def fail() -> None:
        _log().err()
        reactor._disconnectSelectable(connection, error, False)

    _log().callWithLogger(connection, fail)


def _log() -> Any:
    return sys.modules["twisted.python.log"]
