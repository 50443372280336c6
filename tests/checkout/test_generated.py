"""The files that tools/generate.py makes from the schemas are committed, complete and in the
package."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources

import pytest
from autobahn.wamp import message

from autobahn_fbs._backend import native
from support.checkout import ROOT
from support.compare import MESSAGE_CLASSES, attribute_names

SCHEMAS = ROOT / "schemas"


def generate(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "generate.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_nothing_generated_is_stale():
    ran = generate("--check")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_every_schema_is_package_data_as_it_is():
    packaged = resources.files("autobahn_fbs") / "schemas"
    names = sorted(path.name for path in SCHEMAS.glob("*.fbs"))
    assert names == sorted(p.name for p in packaged.iterdir() if p.name.endswith(".fbs"))
    for name in names:
        assert (packaged / name).read_bytes() == (SCHEMAS / name).read_bytes(), name


def test_the_binary_schema_is_package_data():
    binary = (resources.files("autobahn_fbs") / "schemas" / "wamp.bfbs").read_bytes()
    assert binary[4:8] == b"BFBS"


def test_the_package_has_its_type_information():
    package = resources.files("autobahn_fbs")
    assert (package / "py.typed").is_file()
    assert (package / "_cpython.pyi").is_file()


def test_there_is_a_table_for_each_of_the_25_messages():
    header = (ROOT / "csrc" / "generated" / "tables.h").read_text("utf-8")
    assert "WFBS_MESSAGE_COUNT = 25," in header
    assert len(re.findall(r"WFBS_MESSAGE_[A-Z_]+ = \d+,", header)) == 26


def test_there_is_a_received_class_for_each_of_autobahns():
    assert sorted(native.RECEIVED) == sorted(klass.__name__ for klass in MESSAGE_CLASSES)
    for name, received in native.RECEIVED.items():
        assert received.__bases__ == (getattr(message, name),)


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=lambda klass: klass.__name__)
def test_the_table_has_every_attribute_of_autobahns_class(klass):
    ours = vars(native.RECEIVED[klass.__name__])
    assert set(attribute_names(klass)) <= set(ours)
