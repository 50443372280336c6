"""A real router under many sessions, good and bad, for a moment: benchmarks/load.py."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from support.checkout import ROOT

PROGRAM = ROOT / "benchmarks" / "load.py"

if find_spec("crossbar") is None:
    reason = 'needs Crossbar.io: pip install ".[demo]"'
    pytest.skip(reason, allow_module_level=True)
if not sys.platform.startswith("linux"):
    pytest.skip("reads the router's memory in /proc", allow_module_level=True)


@pytest.mark.timeout(400)
def test_bad_peers_are_dropped_and_good_ones_lose_nothing():
    words = ["--good", "120", "--bad", "80", "--seconds", "12", "--warm-up", "3"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), *words],
        capture_output=True,
        text=True,
        timeout=360,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
    assert done.stdout.endswith("all good\n")
    for deed in ("malformed", "truncated", "oversize", "boasting", "out_of_place", "poisoned"):
        for transport in ("websocket", "rawsocket"):
            assert f" {deed} {transport}\n" in done.stdout
