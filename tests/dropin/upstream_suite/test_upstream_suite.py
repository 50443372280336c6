"""Autobahn's own test suites pass with the drop-in installed, but for a list with reasons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from upstream_suite_expected import EXPECTED

HERE = Path(__file__).parent


@pytest.mark.parametrize("more", [[], ["accelerated"]], ids=["drop-in", "accelerated"])
@pytest.mark.parametrize(("framework", "least"), [("asyncio", 140), ("twisted", 250)])
def test_autobahns_own_tests_pass_with_the_drop_in(framework, least, more, tmp_path):
    pytest.importorskip(framework)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "run_suite.py"), framework, *more],
        capture_output=True, text=True, timeout=110, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    failed = {name for name in report["failed"] if name not in EXPECTED}
    assert not failed, done.stderr[-20_000:]
    unexpected = sorted(set(EXPECTED) & set(report["passed"]))
    assert not unexpected, "these pass now: take them off the list"
    assert len(report["passed"]) >= least
    assert report["messages"] > 100  # the general serializer tests went through ours
