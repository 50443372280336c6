"""The C core's own unit tests (csrc/tests), compiled and run without Python."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from support.checkout import CSRC, SANITIZE, UNIT_TESTS, WARNINGS, compile_to, run

#: Options that only clang has.
MEMORY = ["-g", "-fsanitize=memory", "-fno-omit-frame-pointer"]

of_each_core = pytest.mark.parametrize("core", UNIT_TESTS)


@of_each_core
def test_the_core_passes_its_own_tests(core, tmp_path):
    built = compile_to(tmp_path / "program", WARNINGS, UNIT_TESTS[core])
    assert built.returncode == 0, built.stderr
    ran = run(tmp_path / "program")
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, [f"{core} tests passed"]), ran


@of_each_core
@pytest.mark.parametrize("flags", [SANITIZE, MEMORY], ids=["ASan and UBSan", "MSan"])
def test_the_core_passes_its_own_tests_under_sanitizers(flags, core, tmp_path, monkeypatch):
    if flags == MEMORY:
        monkeypatch.setenv("CC", "clang")  # gcc doesn't have it
    empty = tmp_path / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    if (
        compile_to(tmp_path / "empty", flags, [empty]).returncode
        or run(tmp_path / "empty").returncode
    ):
        pytest.skip(f"NOT TESTED: the C core with {flags[1]}, which this compiler lacks")
    built = compile_to(tmp_path / "program", [*WARNINGS, *flags], UNIT_TESTS[core])
    assert built.returncode == 0, built.stderr
    ran = run(tmp_path / "program")
    assert (ran.returncode, ran.stderr) == (0, ""), ran


@of_each_core
def test_the_core_passes_its_own_tests_under_valgrind(core, tmp_path):
    if not shutil.which("valgrind"):
        pytest.skip("NOT TESTED: the C core under valgrind, which is not installed")
    built = compile_to(
        tmp_path / "program", ["-gdwarf-4"], UNIT_TESTS[core]
    )  # valgrind 3.19 reads up to 4
    assert built.returncode == 0, built.stderr
    ran = run("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", tmp_path / "program")
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def test_the_sanitizers_of_these_tests_see_leaks(tmp_path):
    source, program = tmp_path / "leak.c", tmp_path / "leak"
    source.write_text(
        "#include <stdlib.h>\nvoid *volatile p;\n"
        "int main(void) { p = malloc(9); p = 0; return 0; }\n"
    )
    if compile_to(program, SANITIZE, [source]).returncode or sys.platform != "linux":
        pytest.skip("NOT TESTED: leaks of the C core need ASan with leak detection")
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
        pytest.skip("NOT TESTED: the symbols of the core need nm")
    for source in UNIT_TESTS["core"][:-1]:
        target = tmp_path / (source.stem + ".o")
        # In position independent code, constant tables of pointers look writable.
        built = compile_to(target, ["-c", "-fno-pic", "-fno-pie"], [source])
        assert built.returncode == 0, built.stderr
        listed = subprocess.run(["nm", target], capture_output=True, text=True, check=True)
        symbols = [line.split()[-2:] for line in listed.stdout.splitlines()]
        writable = [name for kind, name in symbols if kind in "BbCDdGgSs"]
        allocating = [name for kind, name in symbols if kind == "U" and "alloc" in name]
        assert (writable, allocating) == ([], []), source
