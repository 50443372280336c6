"""CBOR of what the codecs of both backends don't write themselves, one level at a time.

cbor2 would write such values as a whole, but it takes about 1 kB of C stack for each level, without
a limit, and follows sequences that yield themselves for ever, such as ``UserString``. So containers
are opened here, and cbor2 gets nothing but leaves: dates, decimals, UUIDs, big integers, and so on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NoReturn

#: Containers and tags within each other that are written, and that are read.
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
    """Whether this cbor2 writes whatever is registered as a Sequence, as 6 does and 5 doesn't."""
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
    """The head for `count` entries, where `empty` is that for none."""
    prefix, major = empty[:-1], empty[-1]
    if count < 24:
        head = bytes((major + count,))
    else:
        size = 1 if count < 0x100 else 2 if count < 0x10000 else 4 if count < 0x100000000 else 8
        head = bytes((major + 23 + size.bit_length(),)) + count.to_bytes(size, "big")
    return prefix + head, tuple(items)


def opened(value: Any) -> bytes | tuple[bytes, tuple[Any, ...]]:
    """What ``cbor2.dumps(value)`` returns for a leaf. For a container, its head and a tuple of the
    values to be written behind that (of a map, keys and values in turn).

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
        # cbor2 writes a dict subclass in the order of the dict below it.
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
    """Refuses a container within :data:`MAX_DEPTH` others, which it may be one of.

    :raises ValueError: always; where it is one of them, with cbor2's own error.
    """
    if cyclic:
        loop: list[Any] = []
        loop.append(loop)
        _leaf(loop)
    raise ValueError(
        f"cannot encode a value that nests containers more than {MAX_DEPTH} levels deep in CBOR"
    )
