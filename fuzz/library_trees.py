"""Grammars of the codecs that other libraries decode: JSON, MessagePack and UBJSON.

All have lists, and maps with text as keys. See ``payload_trees.py``.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from payload_trees import LEVELS, MAX_UNIT, Grammar, Node, TooLarge

LENGTHS = (0, 1, 2, 8, 60)


class _Library(Grammar):
    """What the three have in common. `items` are values without others in them, as bytes."""

    items: ClassVar[list[bytes]]
    inner: ClassVar = {
        "array": ((0, 1), 0, 40),
        "map": ((0, 1), 0, 40),
        "keys": ((2, 9, 60, 250), 1, 1),
        "deep arrays": (LEVELS, 1, 1),
        "deep maps": (LEVELS, 1, 1),
    }

    def unit(self, tree: Node) -> bytes:
        data = self._write(tree)
        if len(data) > MAX_UNIT:
            raise TooLarge
        return data

    def _write(self, node: Node) -> bytes:
        number = node.number
        match node.kind:
            case "item":
                return self.items[number]
            case "text":
                return self.text(b"t" * number)
            case "binary":
                return self.binary(b"b" * number)
        children = [self._write(child) for child in node.children]
        match node.kind:
            case "array":
                return self.array(children, bool(number))
            case "map":
                return self.map(children, bool(number))
            case "keys":
                return self.map(children * number, False)
        (data,) = children
        for _ in range(number):
            data = (
                self.map([data], False) if node.kind == "deep maps" else self.array([data], False)
            )
        return data

    def text(self, data: bytes) -> bytes:
        raise NotImplementedError

    def binary(self, data: bytes) -> bytes:
        raise NotImplementedError

    def array(self, values: list[bytes], other: bool) -> bytes:
        """A list; `other` chooses the less usual form, if there is one."""
        raise NotImplementedError

    def map(self, values: list[bytes], other: bool) -> bytes:
        """A map with a short key for each value."""
        raise NotImplementedError

    def payload(self, tree: Node, size: int) -> bytes:
        unit = self.unit(tree)
        return self.array([unit] * max(1, size // (len(unit) + 1)), False)


def _key(index: int) -> bytes:
    return b"%x" % index


class Json(_Library):
    items: ClassVar = [
        *(b"0 -1 12345678901234567890 1.5 -0.0 1e308 1e999 NaN -Infinity".split()),
        *(b'true false null "" "\\n" "\\u00e4" "\\ud83d\\ude00" "\\ud83d"'.split()),
        *('"ä"'.encode(), '"€"'.encode(), '"😀"'.encode()),
        *(b"9" * 300, b"9" * 3900, b"0." + b"1" * 300, b"1e-" + b"9" * 300, b" " * 60 + b"0"),
        *(b'"\\u0000"', b'"\\u0000AAAA"', b'"\\u0000' + b"A" * 60 + b'"', b'"\\u0000!"'),
    ]
    leaves: ClassVar = {"item": range(len(items)), "text": LENGTHS}

    def text(self, data: bytes) -> bytes:
        return b'"' + data + b'"'

    def array(self, values: list[bytes], other: bool) -> bytes:
        return b"[" + (b" , " if other else b",").join(values) + b"]"

    def map(self, values: list[bytes], other: bool) -> bytes:
        colon = b'" : ' if other else b'":'
        pairs = (b'"' + _key(index) + colon + value for index, value in enumerate(values))
        return b"{" + b",".join(pairs) + b"}"


class MsgPack(_Library):
    items: ClassVar = [
        *map(bytes.fromhex, ("00", "7f", "ff", "c0", "c2", "c3", "cc80", "cd1000", "ce10000000")),
        *map(bytes.fromhex, ("cf1000000000000000", "d080", "d18000", "d280000000", "ca3fc00000")),
        *map(bytes.fromhex, ("d38000000000000000", "cb3ff8000000000000", "d40500", "d5050000")),
        *map(bytes.fromhex, ("d6ff00000001", "d7ff0000000000000001", "c70005", "c7010561")),
        b"\xc7\x0c\xff" + bytes(12), b"\xc7\x0c\xff" + bytes(4) + b"\x7f" * 8,
        b"\xd8\x05" + bytes(16),
        b"\xa2\xc3\xa4", b"\xa3\xe2\x82\xac", b"\xa4\xf0\x9f\x98\x80",
    ]  # fmt: skip
    leaves: ClassVar = {"item": range(len(items)), "text": LENGTHS, "binary": LENGTHS}

    def text(self, data: bytes) -> bytes:
        return bytes([0xA0 + len(data)]) + data if len(data) < 32 else b"\xd9" + self._sized(data)

    def binary(self, data: bytes) -> bytes:
        return b"\xc4" + self._sized(data)

    @staticmethod
    def _sized(data: bytes) -> bytes:
        return bytes([len(data)]) + data

    @staticmethod
    def _head(short: int, long: int, count: int, other: bool) -> bytes:
        if count < 16 and not other:
            return bytes([short + count])
        return bytes([long]) + struct.pack(">I", count)

    def array(self, values: list[bytes], other: bool) -> bytes:
        return self._head(0x90, 0xDD, len(values), other) + b"".join(values)

    def map(self, values: list[bytes], other: bool) -> bytes:
        keys = (self.binary(_key(index)) if other else self.text(_key(index))
                for index in range(len(values)))  # fmt: skip
        pairs = (key + value for key, value in zip(keys, values, strict=True))
        return self._head(0x80, 0xDF, len(values), False) + b"".join(pairs)


class UbJson(_Library):
    items: ClassVar = [
        *(b"Z", b"T", b"F", b"Ca", b"C0", b"i\0", b"i\xff", b"U\xff", b"h\0\x3c"),
        *(b"I\0\x10", b"u\0\x80", b"l" + bytes(4), b"m" + b"\xff" * 4, b"L" + bytes(8)),
        *(b"M" + b"\xff" * 8, b"d\0\0\xc0\x3f", b"D" + bytes(8)),
        *(b"HU\x011", b"HU\x0510.25", b"HU\x061e9999", b"HU\x3c" + b"9" * 60, b"HU\x03NaN"),
        *(
            b"[$U#U\0",
            b"[$i#U\x03abc",
            b"[$d#U\0",
            b"[$C#U\x03abc",
            b"[$B#U\x02ab",
            b"[#U\0",
            b"{#U\0",
        ),
        *(b"[$U#[U\0U\0]", b"[$U#[U\x01U\x02]ab", b"[$D#[U\0U\x01]", b"N" * 20 + b"Z"),
        *("SU\x02ä".encode(), "SU\x04😀".encode(), b"SI\x01\0a"),
    ]
    leaves: ClassVar = {"item": range(len(items)), "text": LENGTHS, "binary": LENGTHS}

    def text(self, data: bytes) -> bytes:
        return b"SU" + bytes([len(data)]) + data

    def binary(self, data: bytes) -> bytes:
        return b"[$U#U" + bytes([len(data)]) + data

    def array(self, values: list[bytes], other: bool) -> bytes:
        if other:
            return b"[#m" + struct.pack("<I", len(values)) + b"".join(values)
        return b"[" + b"".join(values) + b"]"

    def map(self, values: list[bytes], other: bool) -> bytes:
        pairs = b"".join(
            b"U" + bytes([len(_key(index))]) + _key(index) + value
            for index, value in enumerate(values)
        )
        if other:
            return b"{#m" + struct.pack("<I", len(values)) + pairs
        return b"{" + pairs + b"}"
