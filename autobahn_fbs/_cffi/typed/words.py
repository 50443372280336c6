"""Structs of 32-bit words that represent large integers: UUIDs, Ethereum addresses, numbers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .._core import lib

_UUID: int = lib.WFBS_DEMAND_UUID
_ETHADR: int = lib.WFBS_DEMAND_ETHADR
_ETHHASH: int = lib.WFBS_DEMAND_ETHHASH
_ETHVAL: int = lib.WFBS_DEMAND_ETHVAL

_NAMES = {_UUID: "uuid", _ETHADR: "ethadr", _ETHHASH: "ethhash", _ETHVAL: "ethval"}

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
        text = value
        try:
            if demand == _UUID:
                if len(text) != 36:
                    return "not the canonical text of a uuid"
                big_endian = UUID(text).bytes
            else:
                if text[:2] not in ("0x", "0X") or len(text) != 2 + 2 * size:
                    return f"0x and {2 * size} hexadecimal digits expected for {name}"
                big_endian = bytes.fromhex(text[2:])
                if len(big_endian) != size:
                    return f"0x and {2 * size} hexadecimal digits expected for {name}"
        except ValueError:
            return (
                "not the canonical text of a uuid"
                if demand == _UUID
                else f"0x and {2 * size} hexadecimal digits expected for {name}"
            )
    elif isinstance(value, int) and not isinstance(value, bool):
        if value < 0 or value >> 8 * size:
            return f"0 to 2**{size * 8}-1 expected"
        big_endian = value.to_bytes(size, "big")
    else:
        return None
    return big_endian if memory_order else big_endian[::-1]
