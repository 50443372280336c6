"""The four bytes in a buffer that identify its table: FlatBuffers' file identifier.

The root table of a file has the identifier that the schema declares. All other tables have four
characters made from their name: the first three bytes of its SHA-256, in base64. Reading always
checks both, so a payload that identifies another table is never decoded.

FlatBuffers doesn't mark whether a buffer has an identifier. A table, its vtable or padding may be
at that position instead. In buffers from known writers, none of these consists of four printable
characters, because a vtable would have to be 8 kB in size.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode


def of_name(name: str) -> bytes:
    """The identifier of a table whose schema declares none, from its qualified name."""
    return b64encode(hashlib.sha256(name.encode("utf-8")).digest()[:3])


def found_in(data: bytes | bytearray | memoryview) -> bytes | None:
    """The identifier that a buffer has, or None."""
    head = bytes(data[:8])
    found = head[4:]
    if len(head) < 8 or int.from_bytes(head[:4], "little") < 8:
        return None
    return found if all(0x20 < byte < 0x7F for byte in found) else None
