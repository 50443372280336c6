"""What cffi builds: the module autobahn_fbs._cffi._core, in API mode.

setup.py names this file to cffi, which takes ``ffi`` from it. What Python sees of the C core is
written by hand in csrc/cffi/cdef.h; sources and flags are setup.py's.
"""

from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent

HEADERS = (
    "core/cbor_guard",
    "core/flex_pool",
    "core/key_probes",
    "core/schema/demand",
    "core/schema/load",
    "core/schema/path",
    "core/text",
    "core/schema/reflection",
    "core/schema/verify",
    "cffi/cbor_tokens",
    "cffi/flat",
    "cffi/flex_calls",
)

ffi = FFI()
ffi.cdef((ROOT / "csrc" / "cffi" / "cdef.h").read_text("utf-8"))
ffi.set_source(
    "autobahn_fbs._cffi._core",
    "\n".join(f'#include "csrc/{header}.h"' for header in HEADERS),
)
