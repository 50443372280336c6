"""Writes a buffer from back to front, with the same bytes as csrc/core/schema/build.c.

A written object is referred to by its distance from the end, a ref. The refs of an object's parts
are needed before the object can be written.
"""

from __future__ import annotations

from struct import Struct, pack, unpack
from typing import Any

from .plan import FLOAT, FORMATS, SCALAR, SCALARS, STRUCT, Field, Object

#: Buffers have fewer bytes than this.
MAX = 2**31 - 1

#: The number of vtables that are remembered for sharing, by the object's number modulo this.
_VTABLES = 16

_U32 = Struct("<I").pack
_ZEROS = bytes(256)


class NoRoom(Exception):
    """The buffer would get too large."""


class Builder:
    """A buffer under construction."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # last first
        self._align = 4
        self._vtables: dict[int, tuple[int, bytes]] = {}
        self.used = 0

    def _place(self, data: bytes, align: int, modulo: int = 0) -> None:
        """Writes bytes so that their ref is ``modulo`` above a multiple of ``align``."""
        used = self.used + len(data)
        padding = (modulo - used) & (align - 1)
        if used + padding > MAX:
            raise NoRoom
        if padding:
            self._parts.append(_ZEROS[:padding])
        self._parts.append(data)
        self.used = used + padding
        if align > self._align:
            self._align = align

    def string(self, data: bytes) -> int:
        """A string, or a vector of bytes with a zero byte after it. Returns its ref."""
        self._place(b"%b%b\0" % (_U32(len(data)), data), 4)
        return self.used

    def vector(self, data: bytes, count: int, align: int) -> int:
        """A vector, given by its stored elements. Returns its ref."""
        align = max(align, 4)
        self._place(_U32(count) + data, align, 4 & (align - 1))
        return self.used

    def references(self, refs: list[int]) -> int:
        """A vector of offsets. Returns its ref."""
        count = len(refs)
        own = self.used + 4 * count + 4
        own += -own & 3
        offsets = [own - 4 - 4 * i - ref for i, ref in enumerate(refs)]
        self._place(pack(f"<{count + 1}I", count, *offsets), 4)
        return self.used

    def struct(self, data: bytes, align: int) -> int:
        """A struct as a member of a union. Returns its ref."""
        self._place(data, max(align, 4))
        return self.used

    def table(self, of: Object, cells: list[Any]) -> int:
        """A table, given by its fields: None for a field that isn't written, a number, a struct's
        bytes, or a ref. Returns its ref."""
        size, align, slots = 4, 4, 0
        for field in of.fields:
            if cells[field.number] is not None:
                size += field.size
                align = max(align, field.align)
                slots = field.number + 1
        if size > 0xFFFF:
            raise NoRoom
        used = self.used + size
        ref = used + (((4 & (align - 1)) - used) & (align - 1))
        offsets, parts, offset = [0] * slots, [b""], 4
        for field in of.order:
            cell = cells[field.number]
            if cell is None:
                continue
            offsets[field.number] = offset
            if field.shape == SCALAR:
                parts.append(pack_scalar(field, cell))
            elif field.shape == STRUCT:
                parts.append(cell)
            else:
                parts.append(_U32(ref - offset - cell))
            offset += field.size
        vtable = pack(f"<{2 + slots}H", 4 + 2 * slots, size, *offsets)
        known = self._vtables.get(of.index % _VTABLES)
        is_new = known is None or known[1] != vtable
        vtable_ref = ref + len(vtable) if is_new or known is None else known[0]
        parts[0] = pack("<i", vtable_ref - ref)
        self._place(b"".join(parts), align, 4 & (align - 1))
        if is_new:
            self._parts.append(vtable)
            self.used += len(vtable)
            self._vtables[of.index % _VTABLES] = (vtable_ref, vtable)
        return ref

    def finish(self, root: int, identifier: bytes | None) -> bytes:
        """The whole buffer."""
        head = 8 if identifier else 4
        used = self.used + head
        whole = used + (-used & (self._align - 1))
        self._place(_U32(whole - root) + (identifier or b""), self._align)
        self._parts.reverse()
        return b"".join(self._parts)


def pack_struct(of: Object, values: list[Any]) -> bytes:
    """A struct's bytes: a number or bytes for each field, in their order."""
    parts, at = [], 0
    for field, value in zip(of.fields, values, strict=True):
        if field.offset > at:
            parts.append(_ZEROS[: field.offset - at])
        data = value if isinstance(value, bytes) else pack_scalar(field, value)
        parts.append(data)
        at = field.offset + len(data)
    parts.append(bytes(of.size - at))
    return b"".join(parts)


def pack_scalar(field: Field, value: Any) -> bytes:
    """A number, as stored in a buffer."""
    if field.scalar == FLOAT and value != value:
        return _narrow_nan(value)
    return SCALARS[field.scalar].pack(value)


def pack_scalars(field: Field, values: list[Any]) -> bytes:
    """Numbers, as stored in a vector."""
    if field.scalar == FLOAT:
        return b"".join([pack_scalar(field, value) for value in values])
    return pack(f"<{len(values)}{FORMATS[field.scalar]}", *values)


def _narrow_nan(value: float) -> bytes:
    """A NaN as a 32-bit float. Keeps its payload, unlike struct.pack."""
    (wide,) = unpack("<Q", pack("<d", value))
    return _U32((wide >> 63) << 31 | 0x7F800000 | (wide >> 29 & 0x7FFFFF or 0x400000))
