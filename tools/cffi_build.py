"""Defines the module autobahn_fbs._cffi._core for cffi, in API mode.

setup.py passes this file to cffi, which reads ``ffi`` from it; sources and flags are in setup.py.
Python sees the C core as its headers declare it. cffi has no preprocessor and understands only
plain declarations of C, so they are generated from the headers here. The C compiler checks the
result.
"""

import re
from pathlib import Path

from cffi import FFI

CSRC = Path(__file__).resolve().parent.parent / "csrc"

#: The headers that Python uses. Each comes after those that it includes.
HEADERS = (
    "core/schema.h",
    "generated/tables.h",
    "core/errors.h",
    "core/verify.h",
    "core/valid_settings.h",
    "core/text.h",
    "core/cbor_guard.h",
    "core/key_probes.h",
    "core/msgpack_keys.h",
    "core/read.h",
    "core/write.h",
    "core/flex_read.h",
    "core/flex_pool.h",
    "core/flex_tokens.h",
    "core/flex_put.h",
    "core/schema/plan.h",
    "core/schema/reflection.h",
    "core/schema/fault.h",
    "core/schema/load.h",
    "core/schema/verify.h",
    "core/schema/path.h",
    "core/schema/wamp_attributes.h",
    "cffi/cbor_tokens.h",
    "cffi/flat.h",
    "cffi/flex_calls.h",
)


def constants(code: str) -> str:
    """Macros that are numbers or strings, as cffi declares them."""
    found = re.findall(r'^#define (\w+) (["(\dU])', code, re.M)
    return "".join(
        f"static char *const {name};\n" if first == '"' else f"#define {name} ...\n"
        for name, first in found
    )


def enumerators(code: str) -> str:
    """The code with the enumerators from a list such as WFBS_ERRORS."""
    lists = dict(re.findall(r"^#define (\w+)\(X\)(.*)", code, re.M))
    makers = dict(re.findall(r"^#define (\w+)\(code, text\) (\w+)##code,", code, re.M))
    for name, entries in lists.items():
        for maker, prefix in makers.items():
            made = "".join(f"{prefix}{code}, " for code in re.findall(r"X\((\w+)", entries))
            code = code.replace(f"    {name}({maker})", made)
    return code


def partial(found: re.Match[str]) -> str:
    """A struct or enum; the C compiler determines its layout and values."""
    head, body = found.groups()
    if head.startswith("enum"):
        return head + "{" + re.sub(r"\s*=[^,]*", "", body).rstrip(", \n") + ", ... }"
    return head + "{" + ("" if "{" in body else body) + "...; }"


def declarations(header: str) -> str:
    """The parts of a header that cffi understands: constants, types, variables and functions."""
    code = re.sub(r"/\*.*?\*/", "", (CSRC / header).read_text("utf-8"), flags=re.S)
    code = code.replace("\\\n", "")
    first = constants(code)
    code = enumerators(code)
    code = re.sub(r"^static inline (.*?)\n\{.*?^}$", r"\1;", code, flags=re.M | re.S)
    code = re.sub(r"^#.*|\bWFBS_MUST_USE\b", "", code, flags=re.M)
    code = re.sub(r"\b((?:enum|struct) (?:\w+ )?)\{((?:[^{}]|\{[^{}]*\})*)\}", partial, code)
    return first + re.sub(r"\[[^\]]*[A-Z][^\]]*\]", "[...]", code)


ffi = FFI()
ffi.cdef("\n".join(map(declarations, HEADERS)))
ffi.set_source(
    "autobahn_fbs._cffi._core", "\n".join(f'#include "csrc/{header}"' for header in HEADERS)
)
