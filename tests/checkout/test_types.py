"""Type checkers agree with the package, its stub, and a user's typical programs (typed_use)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import autobahn_fbs
from support.checkout import ROOT

USER_PROGRAMS = Path(__file__).resolve().parent / "typed_use"
PACKAGE = Path(autobahn_fbs.__file__).resolve().parent


@pytest.fixture
def user(tmp_path):
    """A user's folder with the programs, and only the configuration that checkers need."""
    for program in USER_PROGRAMS.glob("*.py"):
        shutil.copy(program, tmp_path)
    return tmp_path


def module(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a module with this interpreter in a folder, where it finds the package under test."""
    if find_spec(arguments[0].partition(".")[0]) is None:
        pytest.skip(f"NOT TESTED: types, which need {arguments[0]}")
    environment = dict(os.environ)
    environment.pop("LD_PRELOAD", None)  # a sanitizer's: we don't sanitize the checkers
    if "site-packages" not in PACKAGE.parts:  # mypy finds those itself, and insists on it
        environment["MYPYPATH"] = environment["PYTHONPATH"] = str(PACKAGE.parent)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_users_programs_are_clean_to_mypy_strict(user):
    # Half of Autobahn is not annotated, including its message constructors.
    strict = ["--strict", "--untyped-calls-exclude=autobahn", "--config-file="]
    checked = module(user, "mypy", *strict, ".")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_users_programs_are_clean_to_pyright(user):
    settings = {"extraPaths": [str(PACKAGE.parent)], "include": ["."]}
    (user / "pyrightconfig.json").write_text(json.dumps(settings))
    checked = module(user, "pyright", "--pythonpath", sys.executable)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_mypy_finds_a_users_mistakes_without_the_comments(user):
    program = user / "mistakes.py"
    program.write_text(program.read_text("utf-8").replace("# type: ignore", "# "), "utf-8")
    marked = [
        number
        for number, line in enumerate(program.read_text("utf-8").splitlines(), 1)
        if "#  [" in line or "# [" in line
    ]
    checked = module(user, "mypy", "--config-file=", "mistakes.py")
    found = [int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line]
    assert marked and found == marked, checked.stdout


@pytest.mark.parametrize("program", ["serializers.py", "payload_codecs.py"])
def test_a_users_programs_do_what_they_assert(user, program):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent)])}
    command = [sys.executable, program]
    ran = subprocess.run(command, cwd=user, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_stub_agrees_with_the_extension(tmp_path):
    checked = module(
        tmp_path,
        "mypy.stubtest",
        "--mypy-config-file",
        str(ROOT / "pyproject.toml"),
        "autobahn_fbs._cpython",
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
