"""How to build the extension; everything else is in pyproject.toml.

Environment: ``AUTOBAHN_FBS_SANITIZE=1`` builds with ASan and UBSan, ``AUTOBAHN_FBS_WERROR=1``
with all warnings as errors. A failed build fails the installation: there is no fallback.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("core", "generated", "cpython")
    for path in (ROOT / "csrc" / folder).glob("*.c")
)
HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "csrc").rglob("*.h"))

compile_args: list[str] = []
link_args: list[str] = []
if sys.platform != "win32":
    compile_args += ["-std=c11", "-O3", "-fvisibility=hidden"]
    if os.environ.get("AUTOBAHN_FBS_WERROR") == "1":
        compile_args += ["-Wall", "-Wextra", "-Wconversion", "-Wsign-compare", "-Werror"]
    if os.environ.get("AUTOBAHN_FBS_SANITIZE") == "1":
        compile_args += ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        compile_args += ["-fno-omit-frame-pointer"]
        link_args += ["-fsanitize=address,undefined"]


class BuildBesideToo(build_ext):
    """Leaves a copy of the extension beside the sources. What is run in a checkout finds the
    sources there first, before what ``pip install .`` installed, and needs the extension."""

    def run(self) -> None:
        self.force = True  # flags and compiler may differ from those of what lies in build/
        super().run()
        self.copy_extensions_to_source()


setup(
    cmdclass={"build_ext": BuildBesideToo},
    ext_modules=[
        Extension(
            "autobahn_fbs._cpython",
            sources=SOURCES,
            depends=HEADERS,
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
    ],
)
