"""The verb ``catalog``: the contents of schemas, and their problems."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs.__main__ import main
from autobahn_fbs._cli.catalog import _type as type_text
from autobahn_fbs.typed.reflection import Reflection
from support.typed_schemas import SCHEMAS

ROOT = Path(__file__).parents[2]
CLIMATE = ROOT / "docs" / "examples" / "climate.bfbs"
if not CLIMATE.exists():
    pytest.skip("NOT TESTED: catalog, without the checkout's examples", allow_module_level=True)

#: As docs/command_line.rst has them.
COMMANDS = """\
python -m autobahn_fbs catalog show docs/examples/climate.bfbs
python -m autobahn_fbs catalog check docs/examples/climate.bfbs && echo good
"""


@pytest.fixture
def cli(capsys: Any) -> Any:
    """Runs the verb; returns exit status, output and errors."""

    def run(*words: Any) -> tuple[int, str, str]:
        status = main(["catalog", *map(str, words)])
        return status, *capsys.readouterr()

    return run


def test_show_prints_the_contents_of_a_schema(cli):
    status, shown, errors = cli("show", CLIMATE)
    assert (status, errors) == (0, "")
    assert shown.startswith(f"{CLIMATE}\n")
    for line in (
        '  table climate.NoStation (type: "error", wampuri: "com.example.climate.no_station")',
        "    limit    uint = 10 (kwarg)",
        "    station   string (required, wampname)",
        "    readings  [climate.Reading]",
        "  table climate.Void",
        "  struct climate.Location",
        "  enum climate.Quality: Good = 0, Doubtful = 1, Bad = 2",
        '  interface climate.ISensors (type: "interface", wampuri: "com.example.climate")',
    ):
        assert line in shown.splitlines(), line


def test_show_knows_every_type(cli):
    status, shown, _ = cli("show", *sorted(SCHEMAS.glob("[bnou]*.bfbs")))
    assert status == 0
    for line in (
        "  root basics.Everything",
        "  identifier 'BASE'",
        "    i8              byte = -7",
        "    i8     byte = null",
        "    strings  [string]",
        "    bytes   [ubyte:5]",
        "    points  [basics.Point:2]",
        "    shapes      [unions.Shape]",
    ):
        assert line.split() in [each.split() for each in shown.splitlines()], line
    assert "  union unions.Shape: NONE = 0, " in shown


def test_show_and_check_name_refused_types_and_inexpressible_facts(cli):
    files = [SCHEMAS / f"{name}.bfbs" for name in ("unreadable", "untold", "bare")]
    status, problems, _ = cli("check", *files)
    assert status == 1
    assert "unreadable.Long can't be used: field data: 64-bit" in problems
    assert "untold.Text.text: its default is not in the compiled schema" in problems
    assert "compiled without --bfbs-builtins" in problems
    status, shown, _ = cli("show", *files)
    assert status == 0 and shown.endswith(problems)
    assert "  table unreadable.Long, refused: field data: 64-bit" in shown


def test_check_finds_no_problem_in_a_good_schema(cli):
    assert cli("check", CLIMATE) == (0, "no problem found in 1 file with 5 tables\n", "")


def test_json_has_a_line_for_each_file(cli):
    status, shown, _ = cli("show", "--json", CLIMATE, SCHEMAS / "unions.bfbs")
    climate, unions = map(json.loads, shown.splitlines())
    assert status == 0
    assert climate["file"] == str(CLIMATE) and climate["root"] is None
    limit = climate["tables"]["climate.Query"]["fields"]["limit"]
    assert limit == {"type": "uint", "default": 10, "attributes": {"kwarg": "0"}}
    method = climate["interfaces"]["climate.ISensors"]["methods"]["history"]
    assert (method["request"], method["response"]) == ("climate.Query", "climate.Readings")
    assert "unions.Shape" in unions["unions"] and "unions.Shape" not in unions["enums"]
    assert json.loads(cli("check", "--json", CLIMATE)[1]) == {"problems": []}


def test_a_source_that_does_not_exist_is_named(cli):
    _, _, errors = cli("show", "missing.fbs")
    assert errors.startswith("autobahn_fbs catalog: missing.fbs: ") and "None" not in errors


@pytest.mark.parametrize("base", [-128, -1, 19, 127])
def test_a_base_type_that_does_not_exist_is_shown_as_a_number(base):
    assert type_text(Reflection({}), {"base_type": base}) == f"type {base}"
    assert type_text(Reflection({}), {"base_type": 14, "element": base}) == f"[type {base}]"


@pytest.mark.parametrize("content", [None, b"text", b"\x20\0\0\0BFBS" + bytes(50)])
def test_a_source_that_cannot_be_loaded_is_named(cli, tmp_path, content):
    path = tmp_path / "schema.bfbs"
    if content is not None:
        path.write_bytes(content)
    status, shown, errors = cli("show", CLIMATE, path)
    assert (status, shown) == (1, "")
    assert errors.startswith(f"autobahn_fbs catalog: {path}: ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_the_commands_of_the_page_work_in_a_shell():
    commands = COMMANDS.replace("python", f"'{sys.executable}'")
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("\ngood\n"), done.stderr
