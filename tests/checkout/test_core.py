"""The C core's own unit tests (csrc/tests), compiled and run without Python."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CSRC = ROOT / "csrc"
SOURCES = [
    *sorted((CSRC / "core").rglob("*.c")),
    *sorted((CSRC / "generated").glob("*.c")),
    CSRC / "tests" / "test_core.c",
]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-compare", "-Werror"]
SANITIZE = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compiler() -> list[str]:
    """The C compiler, as it would build an extension; the test is skipped where there is none."""
    if not CSRC.is_dir():
        pytest.skip("NOT TESTED: the C core, whose sources are not here")
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    for command in (shlex.split(named), ["cc"], ["gcc"], ["clang"]):
        if command and shutil.which(command[0]):
            return command[:1]
    pytest.skip("NOT TESTED: the C core, for want of a C compiler (set CC)")


def compile_to(
    program: Path, flags: list[str], sources: list[Path]
) -> subprocess.CompletedProcess[str]:
    command = [*compiler(), "-std=c11", "-O1", *flags, "-o", program, *sources]
    return subprocess.run(command, capture_output=True, text=True)


def run(program: Path) -> subprocess.CompletedProcess[str]:
    # A preloaded sanitizer is for the interpreter; this program has its own, and looks for leaks.
    environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "ASAN_OPTIONS")}
    return subprocess.run([program], capture_output=True, text=True, env=environment, timeout=60)


def test_the_core_passes_its_own_tests(tmp_path):
    program = tmp_path / "test_core"
    built = compile_to(program, WARNINGS, SOURCES)
    assert built.returncode == 0, built.stderr
    ran = run(program)
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, ["core tests passed"]), ran


def test_the_core_passes_its_own_tests_under_sanitizers(tmp_path):
    empty = tmp_path / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    if (
        compile_to(tmp_path / "empty", SANITIZE, [empty]).returncode
        or run(tmp_path / "empty").returncode
    ):
        pytest.skip("NOT TESTED: the C core under ASan and UBSan, which this compiler lacks")
    program = tmp_path / "test_core"
    built = compile_to(program, [*WARNINGS, *SANITIZE], SOURCES)
    assert built.returncode == 0, built.stderr
    ran = run(program)
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def test_the_sanitizers_of_these_tests_see_leaks(tmp_path):
    source, program = tmp_path / "leak.c", tmp_path / "leak"
    source.write_text(
        "#include <stdlib.h>\nvoid *volatile p;\n"
        "int main(void) { p = malloc(9); p = 0; return 0; }\n"
    )
    if compile_to(program, SANITIZE, [source]).returncode or sys.platform != "linux":
        pytest.skip("NOT TESTED: leaks of the C core, for want of ASan with leak detection")
    ran = run(program)
    assert ran.returncode != 0
    assert "LeakSanitizer" in ran.stderr, ran


def test_the_core_knows_nothing_of_python():
    for path in sorted(p for room in ("core", "generated") for p in (CSRC / room).rglob("*.[ch]")):
        text = path.read_text("utf-8")
        assert "Python.h" not in text and "PyObject" not in text, path


@pytest.mark.skipif(sys.platform != "linux", reason="reads the symbols of ELF objects")
def test_the_core_allocates_nothing_and_has_no_mutable_globals(tmp_path):
    if not shutil.which("nm"):
        pytest.skip("NOT TESTED: the symbols of the core, for want of nm")
    for source in SOURCES[:-1]:
        target = tmp_path / (source.stem + ".o")
        # In position independent code, constant tables of pointers look writable.
        built = compile_to(target, ["-c", "-fno-pic", "-fno-pie"], [source])
        assert built.returncode == 0, built.stderr
        listed = subprocess.run(["nm", target], capture_output=True, text=True, check=True)
        symbols = [line.split()[-2:] for line in listed.stdout.splitlines()]
        writable = [name for kind, name in symbols if kind in "BbCDdGgSs"]
        allocating = [name for kind, name in symbols if kind == "U" and "alloc" in name]
        assert (writable, allocating) == ([], []), source
