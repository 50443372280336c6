"""The four bytes in a buffer that say which table it is: FlatBuffers' file identifier.

A table that is its file's root has the one that the schema declares. All others have four
characters made of their name: the first three bytes of its SHA-256, in base64. Both are read
whatever is expected, so that a payload is never decoded as another table than it says.

FlatBuffers has no mark for whether there is an identifier. A table, its vtable or padding may be
in its place; none of these consists of four printable characters in a buffer that any known writer
makes, since a vtable would have to be of 8 kB.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode

#: Characters of an identifier.
SIZE = 4


def of_name(name: str) -> bytes:
    """The identifier of a table that has none declared, by its qualified name."""
    return b64encode(hashlib.sha256(name.encode("utf-8")).digest()[:3])


def found_in(data: bytes | bytearray | memoryview) -> bytes | None:
    """The identifier that a buffer has, or None."""
    head = bytes(data[:8])
    found = head[4:]
    if len(head) < 8 or int.from_bytes(head[:4], "little") < 8:
        return None
    return found if all(0x20 < byte < 0x7F for byte in found) else None
