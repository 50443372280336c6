"""Autobahn's own test suites pass with the drop-in installed, except for a list with reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from upstream_suite_expected import EXPECTED

from support.programs import run_python

HERE = Path(__file__).parent


@pytest.mark.parametrize("more", [[], ["accelerated"]], ids=["drop-in", "accelerated"])
@pytest.mark.parametrize(("framework", "least"), [("asyncio", 140), ("twisted", 250)])
def test_autobahns_own_tests_pass_with_the_drop_in(framework, least, more, tmp_path):
    pytest.importorskip(framework)
    done = run_python(HERE / "run_suite.py", framework, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    failed = {name for name in report["failed"] if name not in EXPECTED}
    assert not failed, done.stderr[-20_000:]
    unexpected = sorted(set(EXPECTED) & set(report["passed"]))
    assert not unexpected, "these pass now: take them off the list"
    assert len(report["passed"]) >= least
    assert report["messages"] > 100  # the general serializer tests went through ours
