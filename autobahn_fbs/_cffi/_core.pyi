"""The C core as cffi makes it from csrc/cffi/cdef.h."""

from typing import Any

ffi: Any
lib: Any
