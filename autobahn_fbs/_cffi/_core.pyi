"""The C core as tools/cffi_build.py has cffi make it."""

from typing import Any

ffi: Any
lib: Any
