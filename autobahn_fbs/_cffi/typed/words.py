"""Structs of 32-bit words that represent large integers: UUIDs, Ethereum addresses, numbers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ...typed.names import wrong_text
from .._core import lib

_UUID: int = lib.WFBS_DEMAND_UUID
_ETHADR: int = lib.WFBS_DEMAND_ETHADR
_ETHHASH: int = lib.WFBS_DEMAND_ETHHASH
_ETHVAL: int = lib.WFBS_DEMAND_ETHVAL

_NAMES = {_UUID: "uuid", _ETHADR: "ethadr", _ETHHASH: "ethhash", _ETHVAL: "ethval"}

_CANONICAL = "canonical text of a uuid expected"

#: Checks for which such a struct is a single value.
DEMANDS = set(_NAMES)


def read(raw: bytes, demand: int, memory_order: bool, plain: bool) -> Any:
    """The value in a struct's bytes; ``plain`` for types that JSON knows."""
    big_endian = raw if memory_order else raw[::-1]
    if demand == _UUID:
        value = UUID(bytes=big_endian)
        return str(value) if plain else value
    if demand in (_ETHADR, _ETHHASH):
        return "0x" + big_endian.hex() if plain else big_endian
    return int.from_bytes(big_endian, "big")


def write(value: Any, demand: int, size: int, memory_order: bool) -> bytes | str | None:
    """A struct's bytes for a value. None if the value doesn't have one of the accepted types (a
    struct does), or a text that describes the error."""
    big_endian: bytes
    name = _NAMES.get(demand, "")
    if isinstance(value, UUID):
        if demand != _UUID:
            return None
        big_endian = value.bytes
    elif name and isinstance(value, (bytes, bytearray, memoryview)):
        big_endian = bytes(value)
        if len(big_endian) != size:
            return f"{size} bytes expected for {name}, got {len(big_endian)}"
    elif name and isinstance(value, str):
        read = _uuid_bytes if demand == _UUID else _hexadecimal
        found = read(value, size)
        if found is None:
            digits = f"0x and {2 * size} hexadecimal digits expected for {name}"
            return wrong_text(_CANONICAL if demand == _UUID else digits, value)
        big_endian = found
    elif isinstance(value, int) and not isinstance(value, bool):
        if value < 0 or value >> 8 * size:
            got = value if -(1 << 63) <= value < 1 << 63 else "a larger number"
            return f"0 to 2**{size * 8}-1 expected, got {got}"
        big_endian = value.to_bytes(size, "big")
    else:
        return None
    return big_endian if memory_order else big_endian[::-1]


def _uuid_bytes(text: str, size: int) -> bytes | None:
    """The bytes of a UUID's canonical text; None for any other text."""
    if len(text) != 36:
        return None
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found.bytes if str(found) == text.lower() else None  # UUID() takes other forms, too


def _hexadecimal(text: str, size: int) -> bytes | None:
    """The bytes after 0x; None for any other text."""
    if text[:2] != "0x" or len(text) != 2 + 2 * size:
        return None
    try:
        found = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return found if len(found) == size else None
