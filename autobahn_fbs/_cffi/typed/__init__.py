"""Typed payloads on cffi: the core loads schemas and verifies, Python reads and writes.

What is verified can be read without a check, and straight Python is what PyPy compiles well: a call
into C for each field would cost more than the field.
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
