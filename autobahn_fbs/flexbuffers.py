"""FlexBuffers, the schema-less format of FlatBuffers, in C: ``dumps`` and ``loads``.

=====================  ======================================  ===========================
Python                 FlexBuffers                             and back
=====================  ======================================  ===========================
``None``, ``bool``     null, bool                              the same
``int``                int, above 2**63-1 uint                 ``int``
``float``              float of 32 bits if that holds the      ``float``
                       value, otherwise of 64
``str``                string (UTF-8)                          ``str``
``bytes`` and alike    blob                                    ``bytes``
``list``, ``tuple``    vector (untyped)                        ``list``
``dict``               map, its keys sorted by their UTF-8     ``dict`` in that order
=====================  ======================================  ===========================

The other types of the format are read as well: keys and the deprecated vectors of strings as
``str``, indirect numbers as ``int`` and ``float``, typed vectors of every kind as ``list``; typed
vectors and indirect numbers are written by ``dumps(obj, compact=True)``.

``loads(data, lazy=True)`` reaches a value deep inside without decoding the rest.

FlexBuffers are described at https://flatbuffers.dev/flexbuffers/.
"""

# The functions themselves rather than wrappers, which would take as long as a small value.
from ._backend import native

FlexBuffersError = native.FlexBuffersError
Lazy = native.Lazy
dumps = native.flex_dumps
loads = native.flex_loads

__all__ = ["FlexBuffersError", "Lazy", "dumps", "loads"]
