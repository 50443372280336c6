"""How to build the extension; everything else is in pyproject.toml.

Environment: ``AUTOBAHN_FBS_SANITIZE=1`` builds with ASan and UBSan, ``AUTOBAHN_FBS_WERROR=1``
with all warnings as errors. A failed build fails the installation: there is no fallback.

The extension is also copied beside the sources (``inplace``), so that what is run in the checkout
after ``pip install .``, where Python finds the sources first, works too.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

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

setup(
    options={"build_ext": {"inplace": True}},
    ext_modules=[
        Extension(
            "autobahn_fbs._cpython",
            sources=SOURCES,
            depends=HEADERS,
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
    ]
)
