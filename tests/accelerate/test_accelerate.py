"""The public interface of acceleration: accelerate(), decelerate(), and the verb run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import autobahn_fbs
from autobahn_fbs import _accelerate
from support.accelerated import why_off


@pytest.fixture(autouse=True)
def put_back():
    yield
    autobahn_fbs.decelerate()


def python(code: str, *words: str) -> str:
    command = [sys.executable, *words, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_unknown_part_is_refused_with_the_names_of_the_known_parts():
    with pytest.raises(ValueError, match=r"unknown part 'speed' \(known: texts"):
        autobahn_fbs.accelerate(["speed"])


def test_the_handle_undoes_what_its_call_switched_on():
    before = autobahn_fbs.accelerate(["texts"])
    with autobahn_fbs.accelerate(["texts"]) as handle:
        assert handle.parts == ()
    assert {state for state, _ in _accelerate.status()["texts"].values()} != {"off"}
    before.undo()
    assert {state for state, _ in _accelerate.status()["texts"].values()} == {"off"}


STATUS = """
import json
from autobahn_fbs import _accelerate
print(json.dumps(_accelerate.status()))
"""


@pytest.mark.parametrize("words", [(), ("-m", "autobahn_fbs", "run", "--accelerate")])
def test_modules_imported_afterwards_are_accelerated(words):
    code = "import autobahn.asyncio.wamp, autobahn.asyncio.rawsocket\n" + STATUS
    if not words:
        code = "import autobahn_fbs; autobahn_fbs.accelerate()\n" + code
    for part, groups in json.loads(python(code, *words)).items():
        for group, (state, reason) in groups.items():
            loaded = "twisted" not in group and "crossbar" not in group and "txaio" not in group
            if loaded:
                expected = why_off(part, group)
                assert (part, group, reason) == (part, group, expected)
                assert state == ("refused" if expected else "on")


def test_parts_import_none_of_the_modules_that_they_change():
    code = """
import sys
from autobahn_fbs import _accelerate
_accelerate.status(), _accelerate.prospects()
print([name for name in ("autobahn", "crossbar", "twisted", "txaio") if name in sys.modules])
"""
    assert python(code) == "[]\n"


def test_run_switches_on_the_parts_that_it_names():
    found = json.loads(python(STATUS, "-m", "autobahn_fbs", "run", "--accelerate=texts"))
    assert set(found) == set(_accelerate.part_names())


def test_everything_that_is_installed_is_known():
    """Otherwise, a new release would switch a part off."""
    for part, groups in _accelerate.prospects().items():
        for group, (state, reason) in groups.items():
            if state != "absent":
                expected = why_off(part, group)
                assert (part, group, reason) == (part, group, expected)
                assert state == ("refused" if expected else "on")
