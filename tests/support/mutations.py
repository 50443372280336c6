"""Broken messages made from valid ones, for tests and fuzzers."""

from __future__ import annotations

import random
import struct


def mutated(data: bytes, source: random.Random) -> bytes:
    """The message with some bytes or words changed, moved, cut or put in."""
    broken = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        place = source.randrange(len(broken))
        word = place - place % 4
        match source.randrange(6):
            case 0:
                broken[place] = source.choice((0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF))
            case 1:
                broken[place] ^= 1 << source.randrange(8)
            case 2:
                value = source.choice((0, 4, len(data), 2**31 - 4, 2**31, 2**32 - 4))
                broken[word : word + 4] = struct.pack("<I", value)
            case 3:
                other = source.randrange(0, len(broken) - 3, 2)
                broken[word : word + 2] = broken[other : other + 2]
            case 4:
                broken[word:word] = source.randbytes(4)
            case _:
                del broken[max(8, place) :]
    return bytes(broken)
