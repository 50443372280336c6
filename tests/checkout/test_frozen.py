"""Frozen programs: everything that a program needs is found by tools that only read its imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

import autobahn_fbs
from support.checkout import ROOT

PACKAGE = Path(autobahn_fbs.__file__).parent
C_IMPORT = re.compile(r'PyImport_ImportModule(?:Level)?\("(autobahn_fbs[\w.]*)"')

#: Files that programs are started with, and that tools look for: nothing imports these.
STARTED = {
    "autobahn_fbs.__main__",
    "autobahn_fbs._bootstrap.sitecustomize",
    "autobahn_fbs._cffi.build",
    "autobahn_fbs._demo.cost_client",
    "autobahn_fbs._pyinstaller",
    "autobahn_fbs._pyinstaller.hook-autobahn_fbs",
}

PROGRAM = """
import copy, decimal, pickle
from importlib import resources
import autobahn_fbs
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError

autobahn_fbs.install()
autobahn_fbs.register_payload_serializer(
    "x_text", lambda value: repr(value).encode(), lambda view: eval(bytes(view)))
Serializer = autobahn_fbs.FlatBuffersObjectSerializer
for codec in ("cbor", "flexbuffers", "json", "msgpack", "x_text"):
    for dialect in ("autobahn", "schema"):
        serializer = Serializer(payload_serializer=codec, dialect=dialect)
        event = m.Event(1, 2, args=[1, "a"], kwargs={"k": [None]}, publisher=7)
        [received] = serializer.unserialize(serializer.serialize(event))
        assert (received.args, received.kwargs) == ([1, "a"], {"k": [None]}), codec
        assert copy.deepcopy(received) == pickle.loads(pickle.dumps(received)) == received
event = m.Event(1, 2, args=[decimal.Decimal("1.5")])
[received] = Serializer().unserialize(Serializer().serialize(event))
assert received.args == event.args
try:
    Serializer().unserialize(bytes(20))
except ProtocolError:
    print("refused")
print(autobahn_fbs.flexbuffers.loads(autobahn_fbs.flexbuffers.dumps([1])))
print(len((resources.files("autobahn_fbs") / "schemas" / "wamp.bfbs").read_bytes()))
"""


def modules() -> dict[str, Path]:
    """Every module of the package, by name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


class Imports(ast.NodeVisitor):
    """The names that the import statements of a module can mean, without those that only type
    checkers read."""

    def __init__(self, name: str, path: Path) -> None:
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        self.package = package.split(".")
        self.found: set[str] = set()
        self.visit(ast.parse(path.read_text("utf-8")))

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.dump(node.test):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update(alias.name for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.package[: len(self.package) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        self.found.add(origin)
        self.found.update(f"{origin}.{alias.name}" for alias in node.names)


def reached(*roots: str) -> set[str]:
    """The modules of the package that import statements lead to."""
    known, todo, found = modules(), list(roots), set()
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.add(name)
            todo += Imports(name, known[name]).found
            todo.append(name.rpartition(".")[0])
    return found


def c_sources() -> Iterator[Path]:
    return (path for path in (ROOT / "csrc").rglob("*.[ch]"))


def test_every_module_that_c_imports_is_imported_by_python_too():
    by_c = {name for path in c_sources() for name in C_IMPORT.findall(path.read_text("utf-8"))}
    assert by_c
    assert by_c <= reached("autobahn_fbs")


def test_every_module_is_reached_by_import_statements():
    assert set(modules()) - reached("autobahn_fbs", *STARTED) == set()


def test_everything_that_a_program_uses_is_reached_from_the_package():
    wanted = {"_helpers", "_install", "_serializer", "_counters", "flexbuffers", "views", "ppt"}
    assert {f"autobahn_fbs.{name}" for name in wanted} <= reached("autobahn_fbs")


def test_no_module_reads_a_data_file_of_the_package():
    # Nuitka includes data files only if it is told to.
    readers = {"importlib.resources", "importlib_resources", "pkg_resources", "pkgutil"}
    reading = [name for name, path in modules().items() if readers & Imports(name, path).found]
    assert reading == []


@pytest.mark.timeout(600)
@pytest.mark.skipif(find_spec("PyInstaller") is None, reason="PyInstaller is not installed")
def test_a_program_frozen_by_pyinstaller_does_what_it_does_unfrozen(tmp_path):
    hooks = metadata.entry_points(group="pyinstaller40", name="hook-dirs")
    if not any(hook.value.startswith("autobahn_fbs.") for hook in hooks):
        pytest.skip("autobahn_fbs is not installed, or has no hook yet")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "program.py"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=500)
    runs = [
        subprocess.run(each, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
        for each in ([tmp_path / "dist" / "program" / "program"], [sys.executable, program])
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.splitlines()[:2] == ["refused", "[1]"]
