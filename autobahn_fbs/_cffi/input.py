"""Bytes to read: whatever object they come from, they don't change from here on."""

from __future__ import annotations

from typing import Any


def opened(payload: Any, in_pieces: bool = True) -> bytes:
    """The bytes of anything bytes-like. A view onto all of a bytes object is shared; everything
    else is copied once, because a buffer that changes after verification would be a security hole.

    :param in_pieces: whether they may lie in pieces, as those of some memoryviews do.
    :raises TypeError: if the object is not bytes-like.
    :raises BufferError: for pieces where none are allowed.
    """
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
