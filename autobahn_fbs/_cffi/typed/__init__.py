"""Typed payloads on cffi: the core loads schemas and verifies buffers; Python reads and writes
them.

Verified buffers can be read without checks, and PyPy compiles straight Python well. A call into C
for each field would cost more than the field.
"""

from .catalog import TypedCatalog
from .codec import TypedCodec, TypedSchema
from .lazy import TypedLazy
from .table import TypedTable
from .union import TypedUnion

__all__ = [
    "TypedCatalog",
    "TypedCodec",
    "TypedLazy",
    "TypedSchema",
    "TypedTable",
    "TypedUnion",
]
