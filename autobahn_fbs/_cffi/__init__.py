"""The cffi backend: uses the same C core as _cpython, through few calls that each do a lot of work
(csrc/cffi).

It defines the names in _cpython.pyi, with the same meaning and the same errors.
"""

from .cbor import dumps as cbor_dumps
from .cbor import loads as cbor_loads
from .counters import counters
from .flexbuffers import FlexBuffersError, Lazy
from .flexbuffers import dumps as flex_dumps
from .flexbuffers import loads as flex_loads
from .msgpack import check as msgpack_check
from .received import RECEIVED
from .serializer import ObjectSerializer, TransportSerializer
from .typed import (
    TypedCatalog,
    TypedCodec,
    TypedLazy,
    TypedSchema,
    TypedTable,
    TypedUnion,
)

__all__ = [
    "RECEIVED",
    "FlexBuffersError",
    "Lazy",
    "ObjectSerializer",
    "TransportSerializer",
    "TypedCatalog",
    "TypedCodec",
    "TypedLazy",
    "TypedSchema",
    "TypedTable",
    "TypedUnion",
    "cbor_dumps",
    "cbor_loads",
    "counters",
    "flex_dumps",
    "flex_loads",
    "msgpack_check",
]
