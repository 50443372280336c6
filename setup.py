"""Builds the extension; everything else is in pyproject.toml.

On CPython that is ``_cpython``, through the C API; on PyPy ``_cffi``, through cffi. Environment:
``AUTOBAHN_FBS_BUILD_CFFI=1`` builds ``_cffi`` on CPython as well, ``AUTOBAHN_FBS_SANITIZE=1``
builds with ASan and UBSan, ``AUTOBAHN_FBS_WERROR=1`` with all warnings as errors. A failed build
fails the installation: there is no fallback.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "csrc").rglob("*.h"))
IS_CPYTHON = sys.implementation.name == "cpython"
WITH_CFFI = not IS_CPYTHON or os.environ.get("AUTOBAHN_FBS_BUILD_CFFI") == "1"

WARNINGS_ARE_ERRORS = os.environ.get("AUTOBAHN_FBS_WERROR") == "1"
HELP = """
autobahn_fbs: the C code can't be built. It needs a C compiler and the headers of this Python.
Debian: apt install gcc python3-dev. Fedora: dnf install gcc python3-devel. Then install again.
"""
SANITIZED = os.environ.get("AUTOBAHN_FBS_SANITIZE") == "1"


def flags(compiler: str) -> tuple[list[str], list[str]]:
    """Compiler and linker options, by setuptools' name for the kind of compiler."""
    if compiler == "msvc":
        return ["/std:c11", "/W3", *(["/WX"] if WARNINGS_ARE_ERRORS else [])], []
    # The position where the linker puts the CBOR encoder's loop makes a difference of a tenth in
    # its speed.
    compile_args = ["-std=c11", "-O3", "-fvisibility=hidden", "-falign-functions=64"]
    if WARNINGS_ARE_ERRORS:
        compile_args += ["-Wall", "-Wextra", "-Wconversion", "-Wsign-compare", "-Werror"]
    if not SANITIZED:
        return compile_args, []
    compile_args += ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return [*compile_args, "-fno-omit-frame-pointer"], ["-fsanitize=address,undefined"]


def sources(binding: str) -> list[str]:
    """The C files of the core and of one binding of it."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "generated", binding)
        for path in (ROOT / "csrc" / folder).rglob("*.c")
    )


class BuildBesideToo(build_ext):
    """Leaves a copy of the extension next to the sources. Programs that run in a checkout find the
    sources there first, before the package that ``pip install .`` installed, and need the
    extension."""

    def run(self) -> None:
        self.force = True  # flags and compiler may differ from those of what lies in build/
        super().run()
        self.copy_extensions_to_source()

    def build_extension(self, ext: Extension) -> None:
        """All are built alike, whoever made them."""
        if ext.name.endswith("._core"):  # from tools/cffi_build.py
            ext.sources += sources("cffi")
            ext.include_dirs.append(str(ROOT))
        if not IS_CPYTHON:  # its dicts look for places in another order
            ext.define_macros.append(("WFBS_PYPY", "1"))
        ext.extra_compile_args, ext.extra_link_args = flags(self.compiler.compiler_type)
        try:
            super().build_extension(ext)
        except Exception:
            print(HELP, file=sys.stderr)
            raise


options: dict[str, Any] = {}
if IS_CPYTHON:
    options["ext_modules"] = [
        Extension("autobahn_fbs._cpython", sources=sources("cpython"), depends=HEADERS)
    ]
if WITH_CFFI:
    options["cffi_modules"] = ["tools/cffi_build.py:ffi"]
    if importlib.util.find_spec("cffi") is None:  # PyPy has it built in
        options["setup_requires"] = ["cffi>=1.17"]
setup(cmdclass={"build_ext": BuildBesideToo}, **options)
