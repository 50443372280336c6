"""Input bytes that don't change, whatever object they come from."""

from __future__ import annotations

from typing import Any


def copied(value: bytes | bytearray | memoryview) -> bytes:
    """The bytes of a value. Other threads may resize a bytearray meanwhile: a view of it would make
    this a BufferError in theirs."""
    return value.tobytes() if isinstance(value, memoryview) else b"".join((value,))


def opened(payload: Any, in_pieces: bool = True) -> bytes:
    """The bytes of a bytes-like object. A view of a whole bytes object is shared. Everything else
    is copied once, because a buffer that changes after verification would be a security hole.

    :param in_pieces: whether the buffer may be non-contiguous, as for some memoryviews.
    :raises TypeError: the object is not bytes-like.
    :raises BufferError: the buffer is non-contiguous and must not be.
    """
    if isinstance(payload, bytearray):
        return copied(payload)
    try:
        view = memoryview(payload)
    except TypeError:
        name = type(payload).__name__
        raise TypeError(f"a bytes-like object is required, not '{name}'") from None
    if not (in_pieces or view.c_contiguous):
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    base: Any = view.obj
    if type(base) is bytes and view.c_contiguous and view.nbytes == len(base):
        return base
    return view.tobytes()
