"""``info --pid``: what can and can't be seen of running processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import autobahn_fbs
from autobahn_fbs._child_processes import why_without
from autobahn_fbs._cli import processes
from support.costs import seconds

if not Path("/proc/self/maps").exists():
    pytest.skip("NOT TESTED: processes, which need Linux's /proc", allow_module_level=True)

USES_IT = "import autobahn_fbs; autobahn_fbs.install(); "
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"
PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]],"
    " stdout=subprocess.PIPE); child.stdout.readline(); "
)
RUN = ("-m", "autobahn_fbs", "run", "--prefer", "--accelerate=texts,masks")


@contextmanager
def running(*words: str, **variables: str) -> Iterator[int]:
    """The process id of a waiting Python with these arguments."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AUTOBAHN")}
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environ, **variables},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def info(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autobahn_fbs", "info", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_launched_program_has_its_extension_and_switches():
    with running(*RUN, "-c", USES_IT + WAITS, AUTOBAHN_FBS_BACKEND=autobahn_fbs.backend) as pid:
        found = processes.look(pid)
    package = Path(autobahn_fbs.__file__).resolve().parent
    assert Path(found["extension"]).is_relative_to(package)
    assert (found["version"], found["replaced"]) == (autobahn_fbs.__version__, False)
    assert found["launched"] is True
    assert found["switches"] == ["--prefer", "--accelerate=texts,masks"]
    assert found["variables"] == {
        "AUTOBAHN_FBS_BACKEND": autobahn_fbs.backend,
        "AUTOBAHN_FBS_PREFER": "1",
    }


def test_a_program_that_calls_install_was_not_launched():
    with running("-c", USES_IT + WAITS) as pid:
        found = processes.look(pid)
    assert found["extension"] and found["launched"] is False and found["switches"] == []


def test_a_program_without_it_has_no_extension():
    with running("-c", WAITS) as pid:
        done = info("--pid", str(pid))
    assert done.returncode == 0, done.stderr
    assert "not loaded: this process doesn't use autobahn_fbs" in done.stdout


def test_children_are_shown_too():
    with running("-c", PARENT + WAITS, USES_IT + WAITS) as pid:
        done = info("--json", "--pid", str(pid))
    parent, child = [json.loads(line) for line in done.stdout.splitlines()]
    assert parent["pid"] == pid and parent["extension"] is None
    assert child["pid"] != pid and child["extension"]


def test_an_overwritten_environment_is_shown_as_unknown():
    assert processes._started(b"\0\0\0\0AUTOBAHN_FBS_PREFER=1\0")["launched"] is None
    assert processes._started(b"ontroller\0\0\0A=1\0")["launched"] is None
    assert processes._started(b"")["launched"] is False
    lines = dict(processes.describe({**processes.look(os.getpid()), "launched": None}))
    assert lines["started"] == "unknown: the process has overwritten its environment"


def test_a_replaced_extension_is_shown_to_need_a_restart(tmp_path: Path):
    found = {**processes.look(os.getpid()), "extension": "/x/y.so", "replaced": True}
    assert "has been replaced since: restart" in dict(processes.describe(found))["extension"]


def test_long_paths_of_mapped_files_are_searched_in_linear_time():
    line = "7f0000000000-7f0000001000 r--p 00000000 00:00 1  {}\n"
    long, short = (line.format("/a" * count) * 20 for count in (2000, 20))
    for maps in long, short:
        assert processes.extension_in(maps) == (None, False)
    slow = seconds(lambda _: processes.extension_in(long), b"")
    assert slow < 100 * seconds(lambda _: processes.extension_in(short), b"")


@pytest.mark.parametrize("name", ["_cpython.so", "_cffi/_core.abi3.so"])
def test_the_extension_is_found_among_mapped_files(name: str):
    path = f"/a b/autobahn_fbs/{name}"
    others = (
        "7f00-7f01 rw-p 00000000 00:00 0 \n7f00-7f01 r--p 0 00:00 1  /x/autobahn_fbs/other.so\n"
    )
    assert processes.extension_in(f"{others}7f00-7f01 r--p 0 00:00 1  {path}\n") == (path, False)
    deleted = f"{others}7f00-7f01 r--p 0 00:00 1  {path} (deleted)\n"
    assert processes.extension_in(deleted) == (path, True)


def test_a_pipe_in_place_of_the_package_is_not_read(tmp_path: Path):
    package = tmp_path / "autobahn_fbs"
    package.mkdir()
    os.mkfifo(package / "__init__.py")
    process = tmp_path / "process"
    process.mkdir()
    (process / "root").symlink_to("/")
    assert processes._version(process, str(package / "_cpython.so")) is None


def test_a_long_command_line_is_shortened():
    with running("-c", WAITS, "x" * 100_000) as pid:
        done = info("--pid", str(pid))
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) < 1100


def test_an_unknown_process_is_an_error():
    done = info("--pid", str(2**22 + 1))  # above Linux's highest
    assert done.returncode == 1
    assert done.stderr.endswith(f"process {2**22 + 1}: there is no such process\n")


def test_a_child_that_has_the_drop_in_of_another_copy_has_it(tmp_path: Path):
    """If the package is installed and a checkout is the current folder, a program has one copy and
    its children have the other."""
    other = tmp_path / "autobahn_fbs" / "_bootstrap"
    command = [sys.executable, "-c", ""]
    assert why_without(None, command, {"PYTHONPATH": str(other)}) is None
    assert why_without(None, command, {"PYTHONPATH": str(tmp_path)})
    found = processes._started(f"PYTHONPATH={other}:{other}/prefer\0".encode())
    assert (found["launched"], found["switches"]) == (True, ["--prefer"])


def test_a_process_that_has_ended_does_not_exist():
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)
    for _ in range(3000):
        if processes._stat(processes.PROC / str(child.pid))[0] == "Z":
            break  # it has ended, and stays as a zombie until its parent waits for it
        time.sleep(0.01)
    done = info("--pid", str(child.pid))
    child.communicate()
    assert done.returncode == 1
    assert done.stderr.endswith(f"process {child.pid}: there is no such process\n")
