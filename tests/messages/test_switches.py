"""Payloads in a process where environment variables choose Autobahn's libraries."""

from __future__ import annotations

import re
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

import pytest
from autobahn.wamp import serializer as upstream

import autobahn_fbs
from support.programs import run_python

HERE = Path(__file__).resolve().parent
LIBRARIES = {"AUTOBAHN_USE_UJSON": "ujson", "AUTOBAHN_USE_UMSGPACK": "umsgpack"}


def test_these_are_all_the_switches_of_autobahns_serializers():
    source = Path(upstream.__file__).read_text("utf-8")
    assert set(re.findall(r"AUTOBAHN_USE_\w+", source)) == set(LIBRARIES)


@pytest.mark.parametrize("backend", ["cpython", "cffi"])
@pytest.mark.parametrize("switches", [[name] for name in LIBRARIES] + [list(LIBRARIES)])
def test_the_tests_of_payloads_pass_under(switches, backend):
    for name in switches:
        if find_spec(LIBRARIES[name]) is None:
            pytest.skip(f"NOT TESTED: {name}, {LIBRARIES[name]} is not installed")
    built = "_cpython" if backend == "cpython" else "_cffi/_core"
    if not any(Path(autobahn_fbs.__file__).parent.glob(f"{built}.*{EXTENSION_SUFFIXES[-1]}")):
        pytest.skip(f"NOT TESTED: the {backend} backend, it was not built")
    command = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    variables = {**dict.fromkeys(switches, "1"), "AUTOBAHN_FBS_BACKEND": backend}
    tests = ["test_payloads.py", "../codecs/test_msgpack.py"]
    done = run_python(*command, *tests, cwd=HERE, **variables)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
