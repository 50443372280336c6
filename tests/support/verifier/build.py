"""Builds programs with Google's verifier, or skips the test and says why that is impossible."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.verifier.cpp_schema import packaged_flatc

FOLDER = Path(__file__).resolve().parent


def tools() -> tuple[str, str]:
    """The distribution's flatc, and a C++ compiler."""
    flatc, cxx = packaged_flatc(), shutil.which("g++") or shutil.which("clang++")
    if not flatc or not cxx:
        pytest.skip(
            "NOT TESTED: verdicts need flatc and a C++ compiler "
            "(Debian: flatbuffers-compiler libflatbuffers-dev g++)"
        )
    return flatc, cxx


def compile_cpp(*arguments: str | Path) -> None:
    """Compiles a file that includes the code of flatc."""
    command = [tools()[1], "-std=c++11", "-O1", *arguments]
    built = subprocess.run(command, capture_output=True, text=True)
    if "flatbuffers/flatbuffers.h" in built.stderr or "static assertion" in built.stderr:
        pytest.skip("NOT TESTED: verdicts need the headers that go with this flatc")
    assert built.returncode == 0, built.stderr
