"""Gathers the data that is written to an asyncio transport in one iteration of the event loop.

asyncio sends data at once, so many small messages take as many system calls and packets, and a
RawSocket message takes two. A gathering transport keeps data until the callbacks of this iteration
have run, and sends it all at once before the loop checks for input again. It never keeps more than
64 kB. It sends the data before any other operation on the transport: close, abort, getting the
buffer size, or stopping the loop. From there on, asyncio does its usual work: if the peer doesn't
read, `pause_writing` is called as before.

uvloop gathers data itself, so its transports are not changed.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

#: The maximum size to keep.
LIMIT = 64 * 1024

#: From this size on, joining costs more than another packet.
LARGEST = 512 * 1024

#: The maximum number of pieces that are passed to the socket without joining them.
PIECES = 16

#: The transports that are known to do nothing but send the data, by module.
_KNOWN = {
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("asyncio.sslproto", "_SSLProtocolTransport"),
    ("asyncio.proactor_events", "_ProactorSocketTransport"),
}

_classes: dict[type, type] = {}
_transports: weakref.WeakSet[Any] = weakref.WeakSet()
_loops: weakref.WeakSet[Any] = weakref.WeakSet()


class _Gathering:
    """The methods that differ in a gathering transport."""

    _autobahn_fbs_kept: list[bytes]
    _autobahn_fbs_size: int

    def write(self, data: Any) -> None:
        size = self._autobahn_fbs_size
        if type(data) is bytes and data:
            total = size + len(data)
            if total <= LIMIT:
                self._autobahn_fbs_kept.append(data)
                self._autobahn_fbs_size = total
                if not size:
                    self._loop.call_soon(send_kept, self)  # type: ignore[attr-defined]
                return
            if total <= LARGEST and size:
                # The kept data may be the length of a message, and this the message: one packet.
                self._autobahn_fbs_kept.append(data)
                _send_unjoined(self)
                return
        if size:
            send_kept(self)
        super().write(data)  # type: ignore[misc]

    def writelines(self, lines: Any) -> None:
        send_kept(self)
        super().writelines(lines)  # type: ignore[misc]

    def write_eof(self) -> None:
        release(self)
        self.write_eof()

    def get_write_buffer_size(self) -> Any:
        send_kept(self)
        return super().get_write_buffer_size()  # type: ignore[misc]

    def close(self) -> None:
        release(self)
        self.close()

    def abort(self) -> None:
        release(self)
        self.abort()

    def __del__(self) -> None:
        # The loop has stopped without another iteration.
        if self._autobahn_fbs_kept:
            send_kept(self)
        finish: Any = getattr(super(), "__del__", None)
        if finish is not None:
            finish()


def write_both(transport: Any, header: bytes, data: Any) -> None:
    """Does the same as ``transport.write(header)`` and then ``transport.write(data)``. A gathering
    transport sends large data at once, together with its header."""
    if issubclass(type(transport), _Gathering) and type(data) is bytes and data:
        size = transport._autobahn_fbs_size
        total = size + len(header) + len(data)
        if total <= LARGEST:
            transport._autobahn_fbs_kept += (header, data)
            transport._autobahn_fbs_size = total
            if total > LIMIT:
                _send_unjoined(transport)
            elif not size:
                transport._loop.call_soon(send_kept, transport)
            return
    transport.write(header)
    transport.write(data)


def _send_unjoined(transport: Any) -> None:
    """Like `send_kept`, for large data. If the socket takes all of it, the data isn't copied."""
    kept = transport._autobahn_fbs_kept
    sendmsg = getattr(transport._sock, "sendmsg", None) if _is_idle(transport) else None
    if sendmsg is not None and len(kept) <= PIECES:
        data, sent = kept.copy(), 0
        kept.clear()
        transport._autobahn_fbs_size = 0
        try:
            sent = sendmsg(data)
        except (BlockingIOError, InterruptedError):
            pass
        except Exception as error:  # as asyncio does
            transport._fatal_error(error, "Fatal write error on socket transport")
            return
        if sent == sum(map(len, data)):
            return
        kept.append(b"".join(data)[sent:])
    send_kept(transport)


def _is_idle(transport: Any) -> bool:
    """Whether asyncio would pass data to the socket immediately."""
    return type(transport).__mro__[2].__module__ == "asyncio.selector_events" and not (
        transport._buffer
        or transport._eof
        or transport._conn_lost
        or transport._empty_waiter is not None
    )


def send_kept(transport: Any) -> None:
    """Sends the data that a transport has kept."""
    kept = transport._autobahn_fbs_kept
    if kept:
        data = kept[0] if len(kept) == 1 else b"".join(kept)
        kept.clear()
        transport._autobahn_fbs_size = 0
        write: Any = super(_Gathering, transport)
        write.write(data)


def gather(transport: Any) -> Any:
    """Makes a transport gather if it is of a known class, and returns it."""
    cls = type(transport)
    if (cls.__module__, cls.__name__) not in _KNOWN or issubclass(cls, _Gathering):
        return transport
    if cls not in _classes:
        names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
        _classes[cls] = type(cls.__name__, (_Gathering, cls), names)
    transport._autobahn_fbs_kept = []
    transport._autobahn_fbs_size = 0
    transport.__class__ = _classes[cls]
    _transports.add(transport)
    _watch(transport._loop)
    return transport


def release(transport: Any) -> None:
    """Sends the data that a transport has kept, and restores the transport."""
    cls = type(transport)
    if issubclass(cls, _Gathering):
        send_kept(transport)
        transport.__class__ = cls.__mro__[2]
        _transports.discard(transport)


def release_all() -> None:
    """Does this for all transports, and restores the loops."""
    for transport in list(_transports):
        release(transport)
    for loop in list(_loops):
        vars(loop).pop("stop", None)
    _loops.clear()


def _watch(loop: Any) -> None:
    """Sends the kept data before a loop stops."""
    if loop in _loops or not isinstance(loop, asyncio.BaseEventLoop) or "stop" in vars(loop):
        return
    stop, this = type(loop).stop, weakref.ref(loop)

    def send_and_stop() -> None:
        loop = this()
        if loop is not None:
            for transport in list(_transports):
                if transport._loop is loop:
                    send_kept(transport)
            stop(loop)

    loop.stop = send_and_stop  # type: ignore[method-assign]
    _loops.add(loop)
