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

Other types of the format can be read as well: keys and the deprecated vectors of strings as
``str``, indirect numbers as ``int`` and ``float``, and typed vectors of every kind as ``list``.
``dumps(obj, compact=True)`` writes typed vectors and indirect numbers.

``loads(data, lazy=True)`` reads a value deep inside without decoding the rest.

FlexBuffers are described at https://flatbuffers.dev/flexbuffers/.
"""

# The functions themselves: a wrapper would take as long as encoding a small value.
from ._backend import native

FlexBuffersError = native.FlexBuffersError
Lazy = native.Lazy
dumps = native.flex_dumps
loads = native.flex_loads

__all__ = ["FlexBuffersError", "Lazy", "dumps", "loads"]
