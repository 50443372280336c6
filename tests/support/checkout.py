"""The checkout around the tests, and how its C code is compiled without Python."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
#: The unit tests of the core, which are written in C: each with the sources that it needs.
UNIT_TESTS = {
    "core": [
        *sorted((CSRC / "core").rglob("*.c")),
        *sorted((CSRC / "generated").glob("*.c")),
        CSRC / "tests" / "test_core.c",
    ],
    "schema": [
        *sorted((CSRC / "core" / "schema").glob("*.c")),
        *(
            CSRC / "core" / f"{name}.c"
            for name in ("cbor_guard", "flex_read", "flex_tokens", "key_probes", "text")
        ),
        CSRC / "tests" / "schema_file.c",
        CSRC / "tests" / "test_schema.c",
    ],
    "flex": [
        CSRC / "core" / "flex_read.c",
        CSRC / "core" / "flex_tokens.c",
        CSRC / "core" / "text.c",
        CSRC / "tests" / "test_flex.c",
    ],
}
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-compare", "-Werror"]
SANITIZE = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compiler() -> list[str]:
    """The C compiler that would build an extension; the test is skipped if there is none."""
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    for command in (shlex.split(named), ["cc"], ["gcc"], ["clang"]):
        if command and shutil.which(command[0]):
            return command[:1]
    pytest.skip("NOT TESTED: the C core needs a C compiler (set CC)")


def compile_to(
    program: Path, flags: list[str], sources: list[Path]
) -> subprocess.CompletedProcess[str]:
    command = [*compiler(), "-std=c11", "-O1", *flags, "-o", program, *sources]
    return subprocess.run(command, capture_output=True, text=True)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    # A preloaded sanitizer is for the interpreter. This program has its own, which looks for leaks.
    environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
