"""The fuzz targets build and run for a few seconds each, and find nothing.

Use ``fuzz/run`` for longer runs; FUZZ_SECONDS sets the time for each target here. Inputs that
crashed a target are kept, minimized, in the tests for the bug.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkout import ROOT
from support.verifier.cpp_schema import packaged_flatc

SECONDS = os.environ.get("FUZZ_SECONDS", "3")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize(
    "target",
    ["envelope", "verdicts", "cbor", "flex", "flex_verdicts", "schema", "typed", "messages"],
)
def test_a_short_run_of_each_target_finds_nothing(target, work):
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("NOT TESTED: fuzz targets under another sanitizer; they use their own")
    if target != "messages" and not (shutil.which("bash") and shutil.which("clang++")):
        pytest.skip(f"NOT TESTED: fuzz target {target}, which needs bash and clang")
    if "verdicts" in target and not packaged_flatc():
        pytest.skip(f"NOT TESTED: fuzz target {target}, which needs Debian's flatbuffers-compiler")
    environment = {**os.environ, "FUZZ_DIR": str(work), "PYTHON": sys.executable}
    done = subprocess.run(
        [ROOT / "fuzz" / "run", target, SECONDS],
        capture_output=True, text=True, env=environment, timeout=100, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    if "flatbuffers/flexbuffers.h" in said:
        pytest.skip(f"NOT TESTED: fuzz target {target}, which needs Debian's libflatbuffers-dev")
    if "cannot find -lpython" in said or "Python.h" in said:
        pytest.skip(f"NOT TESTED: fuzz target {target}, which needs a shared libpython to embed")
    assert done.returncode == 0, said[-4000:]
    executions = re.search(r"executed_units: *(\d+)|^(\d+) executions", said, re.MULTILINE)
    assert executions and int(executions[1] or executions[2]) > 500, said[-4000:]
    assert list((work / "crashes").iterdir()) == []


def test_a_short_search_finds_no_payload_that_costs_more_than_promised():
    """The same payloads each time; RESULTS.rst has a long search."""
    if "asan" in os.environ.get("LD_PRELOAD", "") or sys.implementation.name != "cpython":
        pytest.skip("NOT TESTED: costs under a sanitizer, or where memory can't be counted")
    words = ["--seed", "1", "--tries", "12", "--size", "10000"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "fuzz" / "worst.py", *words],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("12 payloads tried") == 14
    assert done.stdout.count("times honest") == 42


def test_the_plain_driver_runs_each_file_and_its_changes(tmp_path):
    """The replacement for libFuzzer if it is missing."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("NOT TESTED: the plain driver, which needs a C compiler")
    sources = [ROOT / "fuzz" / "standalone.c", ROOT / "fuzz" / "fuzz_envelope.c"]
    sources += [*(ROOT / "csrc" / "core").glob("*.c"), *(ROOT / "csrc" / "generated").glob("*.c")]
    program = tmp_path / "program"
    subprocess.run([compiler, "-std=c11", "-O1", "-o", program, *sources], check=True)
    seed = tmp_path / "seed"
    seed.write_bytes(bytes.fromhex("100000000000000008000c000b000400"))
    once = subprocess.run([program, seed], capture_output=True, text=True, check=True)
    assert once.stdout == "1 executions\n"
    more = subprocess.run([program, "-seconds=1", seed], capture_output=True, text=True, check=True)
    assert int(more.stdout.split()[0]) > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="reads the size of a process from /proc")
def test_memory_stays_where_it_was_over_many_messages():
    """30,000 here; RESULTS.rst has 10,000,000."""
    if sys.implementation.name != "cpython":
        pytest.skip("NOT TESTED: PyPy compiles for longer than that, and keeps what it compiled")
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("NOT TESTED: memory under a sanitizer, which keeps what is freed")
    command = [sys.executable, ROOT / "fuzz" / "soak.py", "30000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MB more after the first fifth" in done.stdout
