"""Encodes the CBOR values that the codecs of both backends don't write, one level at a time.

cbor2 could write such values as a whole, but it takes about 1 kB of C stack for each level, has no
limit, and follows endlessly nested sequences, such as ``UserString``, for ever. This module
therefore opens containers itself and passes only leaves to cbor2: dates, decimals, UUIDs, big
integers, and so on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NoReturn

#: The maximum nesting of containers and tags, for writing and for reading.
MAX_DEPTH = 400

_MAP, _ARRAY, _SET = b"\xa0", b"\x80", b"\xd9\x01\x02\x80"


def _takes(empty: Any, encoded: bytes) -> bool:
    import cbor2

    try:
        return bool(cbor2.dumps(empty) == encoded)
    except cbor2.CBOREncodeError:
        return False


@cache
def _takes_any_sequence() -> bool:
    """Whether this cbor2 writes any registered Sequence: cbor2 6 does, cbor2 5 doesn't."""
    return _takes(deque(), _ARRAY)


@cache
def _mappings() -> tuple[type, ...]:
    """The types that this cbor2 writes as maps."""
    import cbor2

    if _takes(MappingProxyType({}), _MAP):
        return (dict, Mapping)
    frozen = getattr(cbor2, "FrozenDict", None)
    return (dict, frozen) if isinstance(frozen, type) else (dict,)


def _leaf(value: Any) -> bytes:
    import cbor2

    data = cbor2.dumps(value)
    if not isinstance(data, bytes):
        raise TypeError(f"cbor2.dumps returned {type(data).__name__} instead of bytes")
    return data


def _opened(empty: bytes, count: int, items: Iterable[Any]) -> tuple[bytes, tuple[Any, ...]]:
    """The head for `count` entries; `empty` is the head for no entries."""
    prefix, major = empty[:-1], empty[-1]
    if count < 24:
        head = bytes((major + count,))
    else:
        size = 1 if count < 0x100 else 2 if count < 0x10000 else 4 if count < 0x100000000 else 8
        head = bytes((major + 23 + size.bit_length(),)) + count.to_bytes(size, "big")
    return prefix + head, tuple(items)


def opened(value: Any) -> bytes | tuple[bytes, tuple[Any, ...]]:
    """For a leaf, the result of ``cbor2.dumps(value)``. For a container, its head and a tuple of
    the values that follow it (for a map, keys and values alternate).

    :raises Exception: what cbor2 raises for a value that it doesn't know.
    """
    import cbor2

    if isinstance(value, cbor2.CBORSimpleValue):  # a tuple in cbor2 5
        return _leaf(value)
    if isinstance(value, (list, tuple)):
        items = tuple(value)
        return _opened(_ARRAY, len(items), items)
    if isinstance(value, (str, bytes, bytearray, int, float)):
        return _leaf(value)
    if isinstance(value, memoryview):  # a sequence of numbers for cbor2
        return _leaf(value.tobytes())
    if isinstance(value, _mappings()):
        mapping: Any = value
        # cbor2 writes a dict subclass in the order of the underlying dict.
        pairs = tuple(dict.items(mapping) if isinstance(mapping, dict) else mapping.items())
        return _opened(_MAP, len(pairs), (each for pair in pairs for each in pair))
    if isinstance(value, (set, frozenset)):
        items = tuple(value)
        return _opened(_SET, len(items), items)
    if isinstance(value, cbor2.CBORTag):
        return _leaf(cbor2.CBORTag(value.tag, None))[:-1], (value.value,)
    if isinstance(value, Sequence) and _takes_any_sequence():
        items = tuple(value)
        return _opened(_ARRAY, len(items), items)
    return _leaf(value)


def refuse(cyclic: bool) -> NoReturn:
    """Refuses a container that is nested in :data:`MAX_DEPTH` others. It may be one of them.

    :raises ValueError: always; if the container contains itself, with cbor2's own error.
    """
    if cyclic:
        loop: list[Any] = []
        loop.append(loop)
        _leaf(loop)
    raise ValueError(
        f"cannot encode a value that nests containers more than {MAX_DEPTH} levels deep in CBOR"
    )
