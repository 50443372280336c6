"""``info`` shows what is known, whatever is wrong, and the reason for the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autobahn_fbs
from autobahn_fbs import _backend
from autobahn_fbs._cli.info import _in_short
from support.programs import run_python

#: Runs the command line in an interpreter that can't import a module.
WITHOUT = """
import sys
missing = {0!r}
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == missing or name.startswith(missing + "."):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Finder())
from autobahn_fbs.__main__ import main
sys.exit(main(["info", *{1!r}]))
"""


def info_without(module: str) -> dict[str, Any]:
    done = run_python("-c", WITHOUT.format(module, ["--json"]))
    assert (done.returncode, done.stderr) == (1, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_info_works_without_autobahn() -> None:
    found = info_without("autobahn")
    assert found["autobahn_fbs"] == autobahn_fbs.__version__
    assert found["extension"] is None
    assert found["problems"]["extension"] == "ModuleNotFoundError: No module named 'autobahn'"


def test_info_works_if_the_extension_is_not_built() -> None:
    name = "_cpython" if autobahn_fbs.backend == "cpython" else "_cffi"
    found = info_without(f"autobahn_fbs.{name}")
    assert "backend of autobahn_fbs was not built" in found["problems"]["extension"]
    assert found["limits"] is not None and found["packages"]["autobahn"]


def test_info_prints_the_reasons_for_people_too() -> None:
    done = run_python("-c", WITHOUT.format("autobahn", []))
    assert (done.returncode, done.stderr) == (1, "")
    assert "problems\n  extension            ModuleNotFoundError: No module" in done.stdout


def test_info_works_with_an_autobahn_that_is_too_old(tmp_path: Path) -> None:
    (tmp_path / "autobahn" / "wamp").mkdir(parents=True)
    for file in ("__init__.py", "wamp/__init__.py", "wamp/message.py"):
        (tmp_path / "autobahn" / file).write_text("")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + WITHOUT.format("x", [])
    done = run_python("-c", script)
    assert (done.returncode, done.stderr) == (1, "")
    assert "\nproblems\n" in done.stdout


def test_info_works_with_an_unknown_backend() -> None:
    done = run_python("-m", "autobahn_fbs", "info", AUTOBAHN_FBS_BACKEND="pypy")
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        "AUTOBAHN_FBS_BACKEND is 'pypy'; it must be one of cpython, cffi, or unset" in done.stdout
    )


def test_an_unknown_backend_is_an_error_when_it_is_used() -> None:
    script = """
        import autobahn_fbs
        try:
            autobahn_fbs.install()
        except ImportError as error:
            print(error)
    """
    done = run_python("-c", script, AUTOBAHN_FBS_BACKEND="pypy")
    assert done.stdout.startswith("AUTOBAHN_FBS_BACKEND is 'pypy'; it must be one of"), done.stderr


def test_if_it_is_not_built_a_checkout_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_backend, "__file__", str(tmp_path / "autobahn_fbs" / "_backend.py"))
    (tmp_path / "setup.py").touch()
    text = str(_backend._not_built(ModuleNotFoundError("No module")))
    assert text.endswith(f"{sys.executable} -m pip install -e {tmp_path}")
    assert "\n" not in text
    assert "start Python in another folder" in text


def test_if_it_is_not_built_an_installed_package_says_to_install_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_backend, "__file__", str(tmp_path / "autobahn_fbs" / "_backend.py"))
    text = str(_backend._not_built(ModuleNotFoundError("No module")))
    assert f"install it again from its sources, for {sys.executable}" in text
    assert ".rst" not in text


def test_a_part_has_one_word_and_each_reason_once() -> None:
    assert _in_short({"a": "on", "b": "absent"}) == "available"
    assert _in_short({"a": "absent"}) == "not installed"
    assert _in_short({"a": "old", "b": "old"}) == "not available: old"
    text = _in_short({"a": "on", "b": "old", "c": "old", "d": "absent"})
    assert text == "partly available, but not in b, c: old"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="NOT TESTED: needs Linux's /proc")
def test_several_processes_can_be_examined_and_one_that_is_missing_is_named() -> None:
    pids = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) for _ in range(2)]
    try:
        numbers = [str(each.pid) for each in pids]
        done = run_python("-m", "autobahn_fbs", "info", "--json", "--pid", *numbers, "4194305")
    finally:
        for each in pids:
            each.communicate(b"\n")
    assert [str(json.loads(line)["pid"]) for line in done.stdout.splitlines()] == numbers
    assert done.returncode == 1
    assert done.stderr == "autobahn_fbs info: process 4194305: there is no such process\n"
