"""Payloads as trees that can be changed at random. ``worst.py`` makes messages from them.

A tree is encoded as one short unit, which the message repeats. A few kinds of nodes represent
structures that only a rule can make: many different keys, deep nesting, or one object with many
references.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

#: Longer units add nothing new.
MAX_UNIT = 4000


class TooLarge(Exception):
    """A tree with too many bytes, or whose offsets don't fit."""


@dataclass
class Node:
    """`kind` determines the meaning of `number`; the grammar defines both."""

    kind: str
    number: int = 0
    children: list[Node] = field(default_factory=list)

    def copy(self) -> Node:
        return Node(self.kind, self.number, [child.copy() for child in self.children])

    def __iter__(self) -> Iterator[Node]:
        """All nodes, this one first."""
        yield self
        for child in self.children:
            yield from child

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.children))
        return f"{self.kind}:{self.number}" + (f"({inner})" if inner else "")


class Grammar:
    """Makes, changes and encodes trees of one format."""

    #: Maps a kind to the values of its number.
    leaves: ClassVar[dict[str, Sequence[int]]]
    #: The same, with the minimum and maximum number of children.
    inner: ClassVar[dict[str, tuple[Sequence[int], int, int]]]

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def leaf(self) -> Node:
        kind = self.chance.choice(list(self.leaves))
        return Node(kind, self.chance.choice(self.leaves[kind]))

    def tree(self, depth: int = 3) -> Node:
        if depth == 0 or self.chance.random() < 0.3:
            return self.leaf()
        return self.around([], depth)

    def around(self, children: list[Node], depth: int = 1) -> Node:
        """A new inner node with these children, or with new ones if there are too few."""
        kind = self.chance.choice(list(self.inner))
        numbers, least, most = self.inner[kind]
        count = self.chance.randint(least, min(most, 4))
        found = children[:most]
        found += [self.tree(depth - 1) for _ in range(max(count, least) - len(found))]
        return Node(kind, self.chance.choice(numbers), found)

    def changed(self, tree: Node, other: Node) -> Node:
        """A copy with one change, which may use a part of `other`."""
        tree = tree.copy()
        node = self.chance.choice(list(tree))
        new = node
        match self.chance.randrange(7):
            case 0:
                new = self.tree(2)
            case 1:
                new = self.chance.choice(list(other)).copy()
            case 2:
                new = self.around([node.copy()])
            case 3 if node.children:
                new = self.chance.choice(node.children)
            case 4 if node.kind in self.inner:
                if len(node.children) < self.inner[node.kind][2]:
                    node.children.append(self.chance.choice([*node, self.tree(1)]).copy())
            case 5 if node.kind in self.inner:
                if len(node.children) > self.inner[node.kind][1]:
                    node.children.pop(self.chance.randrange(len(node.children)))
            case _:
                numbers = self.leaves.get(node.kind) or self.inner[node.kind][0]
                node.number = self.chance.choice(numbers)
        node.kind, node.number, node.children = new.kind, new.number, new.children
        return tree

    def unit(self, tree: Node) -> bytes:
        """
        :raises TooLarge: it has too many bytes.
        """
        raise NotImplementedError

    def payload(self, tree: Node, size: int) -> bytes:
        """A list with as many units as fit into `size` bytes.

        :raises TooLarge: it has too many bytes.
        """
        raise NotImplementedError


# ---- CBOR


def cbor_head(major: int, number: int) -> bytes:
    for info, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < limit:
            return bytes([major << 5 | info]) + struct.pack(form, number)
    return bytes([major << 5 | 27]) + struct.pack(">Q", number)


#: Items without others in them.
CBOR_ITEMS = [
    *map(bytes.fromhex, ("00", "17", "20", "40", "60", "80", "a0", "f4", "f6", "f7", "e0")),
    *map(bytes.fromhex, ("1818", "190100", "1a00010000", "1b0000000100000000", "f90000", "f93c00")),
    *map(bytes.fromhex, ("1bffffffffffffffff", "3bffffffffffffffff", "f97e00", "fa3f800000")),
    *map(bytes.fromhex, ("fb3ff199999999999a", "fb7ff8000000000000", "4100", "6161", "62c3a4")),
    *map(bytes.fromhex, ("63e282ac", "64f09f9880", "f8ff", "5fff", "7fff", "9fff", "bfff")),
    b"\x58\x20" + bytes(32), b"\x70" + b"a" * 16, b"\x70" + b"1" * 16, b"\x50" + b"\xff" * 16,
    b"\x44\x0a\0\0\1", b"\x742013-03-21T20:04:00Z", b"\x6a2013-03-21", b"\x78\x2a" + b"9" * 42,
]  # fmt: skip

CBOR_TAGS = (
    0, 1, 2, 3, 4, 5, 30, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 4000, 43000, 55799, 1 << 40,
)  # fmt: skip

LEVELS = (2, 10, 50, 190, 390)

#: Deep nesting: the bytes before and after the innermost item.
CBOR_LEVELS = (
    (b"\x81", b""), (b"\x9f", b"\xff"), (b"\xa1", b"\x00"), (b"\xa1\x00", b""), (b"\x82\xf6", b""),
    (b"\xbf", b"\x00\xff"), (b"\xbf\x00", b"\xff"), (b"\xd9\x01\x02\x81", b""), (b"\x82", b"\x80"),
    (b"\xd9\x0f\xa0", b""), (b"\xa1\x61a", b""), (b"\x82\x80", b""), (b"\xa2\x00\xa0", b"\x00"),
)  # fmt: skip


class Cbor(Grammar):
    leaves: ClassVar = {
        "item": range(len(CBOR_ITEMS)),
        "chunks": [major << 8 | count for major in (2, 3) for count in (1, 20, 250)],
        "digits": [tag << 8 | count for tag in (2, 3) for count in (1, 9, 64, 250)],
    }
    inner: ClassVar = {
        "array": ((0, 1), 0, 40),
        "map": ((0, 1), 2, 40),
        "tag": (CBOR_TAGS, 1, 1),
        "pair": (CBOR_TAGS, 2, 2),
        "deep": ([k << 9 | n for k in range(len(CBOR_LEVELS)) for n in LEVELS], 1, 1),
        "keys": ([k << 8 | n for k in range(8) for n in (2, 9, 60, 250)], 1, 1),
        "elements": ([k << 8 | n for k in range(8) for n in (2, 9, 60, 250)], 0, 0),
    }

    def unit(self, tree: Node) -> bytes:
        data = b"".join(self._parts(tree))
        if len(data) > MAX_UNIT:
            raise TooLarge
        return data

    def _parts(self, node: Node) -> Iterator[bytes]:
        number, children = node.number, node.children
        match node.kind:
            case "item":
                yield CBOR_ITEMS[number]
            case "chunks":
                major = number >> 8 << 5
                yield bytes([major | 31]) + bytes([major | 1, 0x61]) * (number & 255) + b"\xff"
            case "digits":
                yield cbor_head(6, number >> 8) + cbor_head(2, number & 255)
                yield b"\x7f" * (number & 255)
            case "tag" | "pair":
                yield cbor_head(6, number)
                yield b"\x82" if node.kind == "pair" else b""
                for child in children:
                    yield from self._parts(child)
            case "deep":
                before, behind = CBOR_LEVELS[number >> 9]
                yield before * (number & 511)
                yield from self._parts(children[0])
                yield behind * (number & 511)
            case "keys":
                yield cbor_head(5, number & 255)
                value = b"".join(self._parts(children[0]))
                for index in range(number & 255):
                    yield self._key(number >> 8, index) + value
            case "elements":
                yield b"\xd9\x01\x02" + cbor_head(4, number & 255)
                for index in range(number & 255):
                    yield self._key(number >> 8, index)
            case _:
                yield from self._container(node)

    def _container(self, node: Node) -> Iterator[bytes]:
        major, each = (5, 2) if node.kind == "map" else (4, 1)
        count = len(node.children) // each
        yield bytes([major << 5 | 31]) if node.number else cbor_head(major, count)
        for child in node.children[: count * each]:
            yield from self._parts(child)
        yield b"\xff" if node.number else b""

    def _key(self, kind: int, index: int) -> bytes:
        """One of many different keys."""
        return (
            cbor_head(0, index),
            b"\x1b" + struct.pack(">Q", (index % 8 + 1) * (2**61 - 1)),
            b"\xfb" + struct.pack(">d", 0.75 * 2.0 ** (61 * (index % 33 - 16))),
            b"\xc2\x49\x01" + struct.pack(">Q", index),
            b"\x62" + b"%02x" % index,
            b"\x82\x00" + cbor_head(0, index),
            b"\xc1" + cbor_head(0, index),
            b"\xa1" + cbor_head(0, index) + b"\x00",
        )[kind]

    def payload(self, tree: Node, size: int) -> bytes:
        unit = self.unit(tree)
        count = max(1, size // len(unit))
        return b"\x9a" + struct.pack(">I", count) + unit * count


# ---- FlexBuffers

FLEX_INLINE = (0, 1, 2, 26)  # null, int, uint, bool
FLEX_INDIRECT = (6, 7, 8)


class Flex(Grammar):
    """All offsets and sizes of a unit have one width: the smallest that fits."""

    leaves: ClassVar = {
        "inline": FLEX_INLINE,
        "indirect": FLEX_INDIRECT,
        "text": (0, 1, 8, 60),
        "blob": (0, 1, 60),
        "name": (0, 1, 8),
        "typed": [kind << 8 | count for kind in (11, 12, 36) for count in (0, 1, 100)],
    }
    inner: ClassVar = {
        "vector": ((0,), 0, 40),
        "map": ((0, 1), 0, 40),
        "again": ((2, 5, 20, 60, 120), 1, 1),
        "maps": ((1, 3, 20), 1, 1),
    }

    def unit(self, tree: Node) -> bytes:
        return self._unit(tree)[0]

    def _unit(self, tree: Node) -> tuple[bytes, int, int]:
        """The bytes, the position of the tree's own bytes, and its packed type."""
        for self._width in (1, 2, 4):
            self._out = bytearray()
            self._keys: dict[int, int] = {}
            try:
                value, kind = self._write(Node("again", 1, [tree]))
            except OverflowError:
                continue
            if len(self._out) > MAX_UNIT:
                break
            return bytes(self._out), value, kind
        raise TooLarge

    def _packed(self, kind: int) -> int:
        return kind << 2 | self._width.bit_length() - 1

    def _put(self, *numbers: int) -> None:
        for number in numbers:
            self._out += number.to_bytes(self._width, "little")

    def _refer(self, children: list[tuple[int, int]]) -> None:
        """Elements: values in place, or offsets to them."""
        for value, kind in children:
            inline = kind >> 2 in FLEX_INLINE
            self._put(value if inline else len(self._out) - value)
        self._out += bytes(kind for _, kind in children)

    def _align(self) -> None:
        self._out += bytes(-len(self._out) % self._width)

    def _write(self, node: Node) -> tuple[int, int]:
        number = node.number
        if node.kind == "inline":
            return 0, self._packed(number)
        if node.kind in ("vector", "map", "again", "maps"):
            return self._container(node)
        self._align()
        match node.kind:
            case "indirect":
                start = len(self._out)
                self._put(0)
                return start, self._packed(number)
            case "name":
                start = len(self._out)
                self._out += b"n" * number + b"\0"
                return start, self._packed(4)
            case "typed":
                self._put(number & 255)
                start = len(self._out)
                self._put(*[0] * (number & 255))
                return start, self._packed(number >> 8)
        self._put(number)
        start = len(self._out)
        self._out += b"t" * number + b"\0" * (node.kind == "text")
        return start, self._packed(5 if node.kind == "text" else 25)

    def _container(self, node: Node) -> tuple[int, int]:
        children = [self._write(child) for child in node.children]
        if node.kind == "again":
            children *= node.number
        if node.kind == "maps":
            children = [self._map(children, share=True) for _ in range(node.number)]
        if node.kind == "map":
            return self._map(children, share=node.number == 1)
        self._align()
        self._put(len(children))
        start = len(self._out)
        self._refer(children)
        return start, self._packed(10)

    def _map(self, children: list[tuple[int, int]], share: bool) -> tuple[int, int]:
        """A map with keys of its own, or with those of another map."""
        count = len(children)
        keys = self._keys[count] if share and count in self._keys else self._write_keys(count)
        self._align()
        self._put(len(self._out) - keys, self._width, count)
        start = len(self._out)
        self._refer(children)
        return start, self._packed(9)

    def _write_keys(self, count: int) -> int:
        names = []
        for index in range(count):
            names.append(len(self._out))
            self._out += bytes([65 + index]) + b"\0"
        self._align()
        self._put(count)
        keys = self._keys[count] = len(self._out)
        self._put(*(keys + i * self._width - at for i, at in enumerate(names)))
        return keys

    def payload(self, tree: Node, size: int) -> bytes:
        unit, start, kind = self._unit(tree)
        unit += bytes(-len(unit) % 4)
        count = max(1, size // (len(unit) + 5))
        data = unit * count + struct.pack("<I", count)
        vector = len(data)
        offsets = [vector + 4 * i - (i * len(unit) + start) for i in range(count)]
        data += struct.pack(f"<{count}I", *offsets) + bytes([kind]) * count
        data += bytes(-len(data) % 4)
        return data + struct.pack("<I", len(data) - vector) + bytes([42, 4])
