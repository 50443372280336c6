"""The C code is C11 for any compiler, processor and system, checked with the other compilers here.

MSVC itself is not used, because it runs only on Windows. clang supports its dialect and mingw has
Windows' headers, so most code that MSVC would refuse is refused here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.checkout import CSRC, ROOT, UNIT_TESTS, WARNINGS, compile_to, run

WITHOUT_PYTHON = sorted(
    path for room in ("core", "generated", "cffi", "tests") for path in (CSRC / room).rglob("*.c")
)
BINDING = sorted((CSRC / "cpython").rglob("*.c"))

# Features that one compiler or system has and another lacks.
EXTENSIONS = re.compile(
    r"__attribute__|__builtin_|__extension__|\b(?:__)?typeof\b|\(\{|__int128|__thread|__asm|\basm\b"
    r"|#\s*pragma|#\s*warning|\balloca\b|\bssize_t\b|\bstr(?:n?dup|nlen|sep|tok_r)\b|\bmemmem\b"
    r"|<(?:unistd|pthread|stdatomic|threads|strings|sys/\w+|x86intrin|immintrin)\.h>|\b0b[01]"
)


def needs(compiler: str) -> str:
    if not shutil.which(compiler):
        pytest.skip(f"NOT TESTED: compiling with {compiler}, which is not installed")
    return compiler


def complaints(*command: object) -> str:
    """A compiler's errors and warnings about a source; empty if it accepts it."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.stderr or ("failed" if done.returncode else "")


@pytest.mark.parametrize(
    "path",
    sorted(path for path in CSRC.rglob("*.[ch]") if path.name != "portable.h"),
    ids=lambda path: path.relative_to(CSRC).as_posix(),
)
def test_only_one_header_knows_what_compilers_add_to_c(path):
    code = re.sub(r"/\*.*?\*/", "", path.read_text("ascii"), flags=re.S)
    assert EXTENSIONS.findall(code) == []


@pytest.mark.parametrize("path", WITHOUT_PYTHON, ids=lambda path: path.name)
def test_code_without_python_is_pedantically_c11(path, tmp_path):
    flags = ["-c", "-Wpedantic", "-pedantic-errors", "-Wvla", *WARNINGS]
    built = compile_to(tmp_path / "object", flags, [path])
    assert built.returncode == 0, built.stderr


def test_no_text_is_too_long_for_msvc():
    """MSVC accepts 16,380 bytes in one literal, and 65,535 in adjacent ones."""
    for path in CSRC.rglob("*.[ch]"):
        texts = re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', path.read_text("ascii"))
        assert max(map(len, texts), default=0) < 16_380, path


@pytest.mark.parametrize("core", UNIT_TESTS)
def test_the_core_passes_its_tests_without_any_extension(core, tmp_path):
    built = compile_to(tmp_path / "program", ["-DWFBS_PLAIN_C", *WARNINGS], UNIT_TESTS[core])
    assert built.returncode == 0, built.stderr
    assert run(tmp_path / "program").stdout.endswith(f"{core} tests passed\n")


@pytest.mark.parametrize("core", UNIT_TESTS)
@pytest.mark.parametrize(
    ("compiler", "emulator"),
    [("i686-linux-gnu-gcc", None), ("s390x-linux-gnu-gcc", "qemu-s390x-static")],
    ids=["32 bits", "big-endian"],
)
def test_the_core_passes_its_tests_on_other_processors(compiler, emulator, core, tmp_path):
    program = tmp_path / "program"
    flags = ["-std=c11", "-O2", "-static", *WARNINGS]
    assert complaints(needs(compiler), *flags, "-o", program, *UNIT_TESTS[core]) == ""
    command = [program] if emulator is None else [needs(emulator), program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout.endswith(f"{core} tests passed\n"), ran


# Just enough of a C library to compile the core for systems whose own is not here.
STRING_H = """
#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
void *memchr(const void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
"""
STDIO_H = """
#include <stddef.h>
int snprintf(char *, size_t, const char *, ...);
"""
INTRIN_H = """
unsigned char _BitScanForward(unsigned long *, unsigned long);
unsigned char _BitScanReverse(unsigned long *, unsigned long);
"""
STDLIB_H = """
#include <stddef.h>
void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);
"""


@pytest.mark.parametrize(
    "target",
    [
        "x86_64-pc-windows-msvc",
        "aarch64-pc-windows-msvc",
        "i686-pc-windows-msvc",
        "i686-linux-gnu",
        "arm64-apple-macos11",
        "aarch64-linux-musl",
        "powerpc64-linux-gnu",
        "armv7-linux-gnueabihf",
    ],
)
def test_clang_accepts_the_core_for_other_systems(target, tmp_path):
    for name, text in (
        ("string.h", STRING_H),
        ("stdio.h", STDIO_H),
        ("intrin.h", INTRIN_H),
        ("stdlib.h", STDLIB_H),
    ):
        (tmp_path / name).write_text(text)
    flags = [f"--target={target}", "-std=c11", "-fsyntax-only", "-ffreestanding", "-nostdlibinc"]
    if "msvc" in target:
        flags += ["-fms-compatibility-version=19.40", "-Wmicrosoft"]
    flags += ["-Wgnu", "-Wpedantic", *WARNINGS, "-isystem", str(tmp_path)]
    for path in WITHOUT_PYTHON:
        if path.parent.name != "tests":
            assert complaints(needs("clang"), *flags, path) == ""


# Windows' definitions for Python's headers; its own pyconfig.h is on Windows.
PYCONFIG_H = """
#define MS_WIN64
#define MS_WINDOWS
#define SIZEOF_SHORT 2
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_VOID_P 8
#define SIZEOF_SIZE_T 8
#define SIZEOF_WCHAR_T 2
#define SIZEOF_TIME_T 8
#define SIZEOF_PID_T 4
#define HAVE_PY_SSIZE_T 1
#define ALIGNOF_MAX_ALIGN_T 8
typedef long long Py_ssize_t;
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs CPython's headers")
@pytest.mark.skipif(sysconfig.get_config_var("Py_GIL_DISABLED") == 1, reason="as for most")
def test_the_extension_compiles_where_long_has_32_bits_and_windows_headers_are(tmp_path):
    (tmp_path / "pyconfig.h").write_text(PYCONFIG_H)
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "select.h").write_text("")  # older headers need it except on MSVC
    headers = sysconfig.get_paths()["include"]
    flags = ["-std=c11", "-fsyntax-only", *WARNINGS]
    flags += ["-Wno-float-conversion"]  # in the library's own isnan()
    flags += ["-isystem", str(tmp_path), "-isystem", headers]
    if not (Path(headers) / "Python.h").is_file():
        pytest.skip("NOT TESTED: the extension for Windows, which needs Python's headers")
    for path in BINDING:
        assert complaints(needs("x86_64-w64-mingw32-gcc"), *flags, path) == ""


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_the_package_uses_nothing_that_another_system_lacks(platform, tmp_path):
    """Type checkers know the contents of os, signal and socket on each system."""
    if find_spec("mypy") is None:
        pytest.skip("NOT TESTED: what other systems lack, which needs mypy")
    flags = [f"--platform={platform}", f"--cache-dir={tmp_path}", "--ignore-missing-imports"]
    command = [sys.executable, "-m", "mypy", *flags, "autobahn_fbs"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
