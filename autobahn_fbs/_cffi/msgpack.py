"""The check of MessagePack's keys."""

from __future__ import annotations

from typing import Any

from ._core import ffi, lib
from .input import opened


def check(data: Any) -> None:
    """Checks that all map keys are text or binary; see ``msgpack_check`` in _cpython.pyi.

    :raises ValueError: for another key, and for too many levels.
    """
    payload = opened(data, in_pieces=False)
    at = ffi.new("size_t *")
    refusal = lib.wfbs_msgpack_refusal(payload, len(payload), at)
    if refusal:
        raise ValueError(f"MessagePack: {ffi.string(refusal).decode()}, at offset {at[0]}")
