"""The project follows its own rules: sizes, imports, symbols, one place for each fact."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import autobahn_fbs
from autobahn_fbs._backend import native
from support.checkout import ROOT
from support.compare import MESSAGE_CLASSES, attribute_names
from support.docs_blocks import PAGES
from support.marks import extension_only

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.rst").read_text("utf-8")
ROOMS = ("autobahn_fbs", "benchmarks", "csrc", "docs", "fuzz", "tests", "tools")


def sources(*suffixes: str) -> list[Path]:
    """Files in the folders with these suffixes, except compiler output."""
    return [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in suffixes and path.parent != ROOT / "csrc" / "generated"
    ]


def python(code: str) -> str:
    """The output of a fresh interpreter."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def longer(limit: int, *suffixes: str) -> dict[str, int]:
    """The files with more lines than that, and how many they have."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in sources(*suffixes)}
    assert lines
    return {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > limit}


#: In clang-format's style: type, name, more arguments, and braces in the first column.
FUNCTION = re.compile(r"^\w.*\n(\w+)\(.*\n(?: .*\n)*\{\n(?:.*\n)*?\}$", re.M)


def test_no_python_file_is_longer_than_800_lines():
    assert longer(800, ".py", ".pyi") == {}


def test_no_c_file_is_longer_than_600_lines():
    assert longer(600, ".c", ".h", ".cc") == {}


def test_no_c_function_is_longer_than_80_lines():
    lines = {
        f"{path.name}: {found[1]}": found[0].count("\n") + 1
        for path in sources(".c", ".h", ".cc")
        for found in FUNCTION.finditer(path.read_text("utf-8"))
    }
    assert "verify.c: wfbs_verify" in lines
    assert {name: n for name, n in lines.items() if n > 80} == {}


def test_importing_the_package_loads_neither_numpy_nor_autobahns_serializers():
    loaded = json.loads(
        python("import autobahn_fbs, json, sys; print(json.dumps(sorted(sys.modules)))")
    )
    assert "autobahn_fbs" in loaded
    for unwanted in ("numpy", "autobahn.flatbuffers", "autobahn.wamp.serializer", "twisted"):
        assert unwanted not in loaded


def test_the_package_knows_its_public_names():
    for name in autobahn_fbs.__all__:
        assert getattr(autobahn_fbs, name) is not None
        assert name in dir(autobahn_fbs)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = autobahn_fbs.nonsense


@extension_only
@pytest.mark.skipif(sys.platform != "linux", reason="reads the symbols of an ELF file")
def test_the_extension_exports_one_symbol():
    if not shutil.which("nm"):
        pytest.skip("NOT TESTED: the symbols of the extension, which need nm")
    command = ["nm", "-D", "--defined-only", native.__file__]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exported = [line.split()[-1] for line in listed.splitlines()]
    # A sanitized build has its runtime's own.
    assert [name for name in exported if "asan" not in name] == ["PyInit__cpython"]


def test_the_version_is_in_one_place_and_the_changelog_has_it():
    version = autobahn_fbs.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "version" in PROJECT["dynamic"]
    assert re.search(rf"^{re.escape(version)}\b", (ROOT / "CHANGELOG.rst").read_text("utf-8"), re.M)
    holders = [path for path in sources(".py", ".c", ".h") if f'"{version}"' in path.read_text()]
    assert holders == [ROOT / "autobahn_fbs" / "__init__.py"]


def test_an_installed_distribution_has_the_same_version():
    try:
        installed = metadata.version("autobahn_fbs")
    except metadata.PackageNotFoundError:
        pytest.skip("autobahn_fbs is not installed here, it runs from its sources")
    assert installed == autobahn_fbs.__version__


@pytest.mark.parametrize("path", sources(".py"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize(
    ("extra", "run"), [("demo", "python -m autobahn_fbs demo"), ("test", "python -m pytest")]
)
def test_ci_runs_the_commands_of_the_readme_word_for_word(extra, run):
    command = f'\n    pip install ".[{extra}]" && {run}\n'
    assert command in README
    assert command in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_every_path_that_a_document_names_exists(name):
    text = (ROOT / name).read_text("utf-8")
    paths = re.findall(
        r"``((?:autobahn_fbs|benchmarks|csrc|docs|fuzz|schemas|tests|tools|\.ci)/[\w./-]*)``", text
    )
    assert paths or name not in ("README.rst", "CONTRIBUTING.rst")
    made = "fuzz/work/"  # by the fuzzer
    missing = [p for p in paths if not p.startswith(made) and not (ROOT / p).exists()]
    assert missing == []


# Rules of Message.parse about several fields, the parts of a principal, and payloads.
SPELLED_OUT = {"match", "method", "resumable", "resume_session", "resume_token", "request"}
SPELLED_OUT |= {"session", "authid", "authrole", "payload"}
SPELLED_OUT |= {"enc_algo", "enc_key", "enc_serializer"}


def test_c_names_only_fields_of_rules_about_several_fields():
    """A new field therefore needs changes only in the schemas."""
    fields = {name for klass in MESSAGE_CLASSES for name in attribute_names(klass)}
    for room in ("core", "cpython"):
        for path in sorted((ROOT / "csrc" / room).rglob("*.[ch]")):
            if path.parent.name == "typed":  # knows nothing about messages
                continue
            code = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
            assert fields & set(re.findall(r'"(\w+)"', code)) <= SPELLED_OUT, path
