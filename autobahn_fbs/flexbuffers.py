"""FlexBuffers, the schema-less format of FlatBuffers, in C: ``dumps`` and ``loads``.

=====================  ======================================  ===========================
Python                 FlexBuffers                             and back
=====================  ======================================  ===========================
``None``, ``bool``     null, bool                              the same
``int``                int, above 2**63-1 uint                 ``int``
``float``              float of 32 bits if that holds the      ``float``
                       value, otherwise of 64
``str``                string (UTF-8)                          ``str``
``bytes``,             blob                                    ``bytes``
``bytearray``,
``memoryview``
``list``, ``tuple``    vector (untyped)                        ``list``
``dict``               map, its keys sorted by their UTF-8     ``dict`` in that order
=====================  ======================================  ===========================

The other types of the format are read as well: keys and the deprecated vectors of strings as
``str``, indirect numbers as ``int`` and ``float``, typed vectors of every kind as ``list``.

FlexBuffers are described at https://flatbuffers.dev/flexbuffers/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from autobahn_fbs._cpython import FlexBuffersError, Lazy, flex_dumps, flex_loads

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FlexBuffersError", "Lazy", "dumps", "loads"]


def dumps(obj: Any) -> bytes:
    """The FlexBuffer of a value.

    Equal values (of equal types) give equal bytes, whatever the order of their dicts: maps are
    sorted by key, that is what the format wants. A key that occurs again is written once, and so
    are all keys of a dict that has those of the last dict at its depth, as records in a list do.
    Widths are the least ones, as in Google's builder.

    :param obj: a value of the types in the table above or of subclasses, which are written as what
        they derive from. Keys of dicts must be ``str``.
    :raises TypeError: for any other type; the message names the place, such as ``[3]["name"]``.
    :raises ValueError: for an int outside -2**63..2**64-1, a key with a NUL character (which ends
        keys in the format), a str with a surrogate, and containers nested more than 256 deep (or in
        themselves); the message names the place.
    """
    return flex_dumps(obj)


@overload
def loads(data: Buffer, lazy: Literal[False] = False) -> Any: ...
@overload
def loads(data: Buffer, lazy: bool) -> Any: ...
def loads(data: Buffer, lazy: bool = False) -> Any:
    """The value of a FlexBuffer.

    All of it is checked while it is decoded. What the format's rules leave open: containers that
    share parts are fine as long as they don't add up to much more than the buffer (about four
    times its size, texts counted once); containers may be nested 256 deep; a map may have its keys
    in any order, but each only once; bytes that nothing refers to are ignored.

    :param data: a bytes-like object that holds one FlexBuffer and nothing else: the format is read
        from its end.
    :param lazy: return a :class:`Lazy` for a vector or map, which decodes (and checks) only what is
        asked of it: ``loads(data, lazy=True)["a"][3]["b"]``. Any other value is decoded at once.
        The Lazy keeps ``data`` alive, which should not be changed meanwhile.
    :raises FlexBuffersError: if the bytes are malformed; a ``ValueError`` with the attribute
        ``offset``.
    """
    return flex_loads(data, lazy)
