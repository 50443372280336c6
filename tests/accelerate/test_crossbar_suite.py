"""Crossbar.io's own unit tests have the same results with acceleration."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

for module in ("crossbar", "mock"):
    if find_spec(module) is None:
        pytest.skip(f"needs {module}", allow_module_level=True)

PACKAGES = [
    "crossbar.router",
    "crossbar.worker",
    "crossbar.test",
    "crossbar.common",
    "crossbar.bridge.rest",
]


def outcomes(folder: Path, *switch: str) -> dict[str, str]:
    """The result of each test."""
    words = [sys.executable, "-m", "autobahn_fbs", "run", *switch, "-m", "twisted.trial"]
    words += ["--reporter", "bwverbose", *PACKAGES]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=110)
    found = dict(re.findall(r"^(\S+) \.\.\. .*\[(\w+)\]$", done.stdout, re.M))
    assert re.search(r"^(PASSED|FAILED) ", done.stdout, re.M), done.stdout[-3000:] + done.stderr
    return found


def test_crossbars_own_tests_have_the_same_outcomes(tmp_path: Path) -> None:
    without = outcomes(tmp_path)
    assert len(without) > 200  # 221 in Crossbar.io 25.12.1, 337 in 26.10.1
    assert outcomes(tmp_path, "--accelerate") == without
    assert set(without.values()) <= {"OK", "SKIPPED"}
