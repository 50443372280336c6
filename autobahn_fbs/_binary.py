"""Memoryviews in args and kwargs, for codecs that don't write them as binary.

Every codec sends a memoryview as its bytes, in C order, whatever its format and shape are. CBOR,
FlexBuffers and MessagePack do this themselves.
"""

from __future__ import annotations

from typing import Any


def as_bytes(value: Any) -> Any:
    """Returns `value` with bytes in place of memoryviews and bytearrays, including those in lists,
    tuples and dicts. If there are none, or it is nested too deep to check, returns `value`
    itself."""
    try:
        return _copied(value, {})
    except RecursionError:
        return value


def _copied(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    """:param known: each container, which is kept so that its id stays its own, and its result, by
    its id. A container that contains itself is its own result."""
    if isinstance(value, memoryview):
        return value.tobytes()
    if isinstance(value, bytearray):
        return bytes(value)
    if not isinstance(value, (list, tuple, dict)):
        return value
    if id(value) not in known:
        known[id(value)] = value, value
        inner = list(value.values()) if isinstance(value, dict) else list(value)
        copies = [_copied(each, known) for each in inner]
        if any(copy is not each for copy, each in zip(copies, inner, strict=True)):
            result = dict(zip(value, copies, strict=True)) if isinstance(value, dict) else copies
            known[id(value)] = value, result
    return known[id(value)][1]
