"""``python -m autobahn_fbs run``: which program starts, and that it has the drop-in, or ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import autobahn_fbs
from autobahn_fbs import __main__ as command
from autobahn_fbs import _run

PACKAGES = str(Path(autobahn_fbs.__file__).parent.parent)
NO_DROP_IN = 70

# Prints the package of Autobahn's FlatBuffers serializer.
PROBE = (
    "import autobahn.asyncio.wamp\n"
    "from autobahn.wamp.serializer import FlatBuffersSerializer as cls\n"
    "print(cls.__module__.split('.')[0])\n"
)

on_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="exec, signals, #! lines and a shell: not on Windows"
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environ(*paths: object, **variables: str) -> dict[str, str]:
    """This process's environment, with its own PYTHONPATH entries and the tested package's."""
    own = [str(path) for path in paths]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*own, PACKAGES]), **variables}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the launcher with the given words, in a folder of its own."""

    def start(*words: object, env: dict[str, str] | None = None, stdin: str = "") -> object:
        return subprocess.run(
            [sys.executable, "-m", "autobahn_fbs", "run", *map(str, words)],
            cwd=tmp_path,
            env=env or environ(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return start  # type: ignore[return-value]


def script(folder: Path, code: str, name: str = "program.py") -> Path:
    path = folder / name
    path.write_text(code)
    return path


# What starts


def test_a_script_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    assert run(script(tmp_path, PROBE)).stdout == "autobahn_fbs\n"


def test_without_the_launcher_the_same_script_has_autobahns_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, script(tmp_path, PROBE)], env=environ(), capture_output=True, text=True
    )
    assert done.stdout == "autobahn\n"


def test_a_module_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    script(tmp_path, PROBE, "some_module.py")
    assert run("-m", "some_module").stdout == "autobahn_fbs\n"


@on_posix
def test_a_console_command_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    path = script(tmp_path, f"#!{sys.executable}\n{PROBE}", "some-command")
    path.chmod(0o755)
    env = environ(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert run("some-command", env=env).stdout == "autobahn_fbs\n"


def test_a_command_is_found_although_a_folder_has_its_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    assert run("python", "-c", PROBE).stdout == "autobahn_fbs\n"


def test_a_folder_with_a_main_module_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    (tmp_path / "application").mkdir()
    script(tmp_path / "application", PROBE, "__main__.py")
    assert run("application").stdout == "autobahn_fbs\n"


def test_an_interpreter_as_a_command_has_the_drop_in(run: Run) -> None:
    assert run(sys.executable, "-c", PROBE).stdout == "autobahn_fbs\n"


def test_a_python_process_started_by_the_program_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PROBE!r}])"
    assert run(script(tmp_path, code)).stdout == "autobahn_fbs\n"


@on_posix
def test_a_python_process_behind_another_program_has_the_drop_in(run: Run, tmp_path: Path) -> None:
    path = script(tmp_path, PROBE)
    assert run("/bin/sh", "-c", f"{sys.executable} {path}").stdout == "autobahn_fbs\n"


def test_arguments_arrive_as_they_were_given(run: Run, tmp_path: Path) -> None:
    path = script(tmp_path, "import json, sys; print(json.dumps(sys.argv[1:]))")
    words = ["--allow-rawsocket", "-m", "a b", "", "--", "-x"]
    assert json.loads(run("--", path, *words).stdout) == words


def test_standard_input_reaches_the_program(run: Run) -> None:
    assert run("-c", "print(input()[::-1])", stdin="straight\n").stdout == "thgiarts\n"


def test_the_exit_status_is_the_programs(run: Run) -> None:
    assert run("-c", "raise SystemExit(41)").returncode == 41


@on_posix
def test_a_signal_reaches_the_program_itself() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    words = [sys.executable, "-m", "autobahn_fbs", "run", "-c", code]
    with subprocess.Popen(words, env=environ(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == -signal.SIGTERM
    assert pid == process.pid


@on_posix
def test_a_program_that_is_not_python_gets_the_default_for_broken_pipes(run: Run) -> None:
    ignored = run("/bin/sh", "-c", "grep SigIgn /proc/self/status")
    if ignored.returncode != 0:
        pytest.skip("needs Linux's /proc")
    assert int(ignored.stdout.split()[1], 16) & (1 << (signal.SIGPIPE - 1)) == 0


# Its cost, and what it leaves unchanged


def test_a_program_that_does_not_use_autobahn_does_not_load_it(run: Run) -> None:
    code = "import sys; print([name for name in sys.modules if name.startswith('autobahn')])"
    assert run("-c", code).stdout == "[]\n"


def test_the_module_looks_as_if_it_had_been_imported_without_a_hook(run: Run) -> None:
    code = (
        "import inspect, autobahn.wamp.serializer as module\n"
        "print(type(module.__loader__).__name__, module.__spec__.loader is module.__loader__,\n"
        "      'class Serializer' in inspect.getsource(module))"
    )
    assert run("-c", code).stdout == "SourceFileLoader True True\n"


def test_another_sitecustomize_still_runs_under_its_name(run: Run, tmp_path: Path) -> None:
    script(tmp_path, "print('other'); mark = 7", "sitecustomize.py")
    done = run("-c", f"import sitecustomize; print(sitecustomize.mark)\n{PROBE}", env=environ("."))
    # Once in the launcher's own interpreter, and once in the program's.
    assert done.stdout == "other\nother\n7\nautobahn_fbs\n"


def test_a_sitecustomize_that_fails_does_not_keep_the_drop_in_out(run: Run, tmp_path: Path) -> None:
    script(tmp_path, "raise ValueError('broken on purpose')", "sitecustomize.py")
    done = run("-c", PROBE, env=environ("."))
    assert "broken on purpose" in done.stderr
    assert done.stdout == "autobahn_fbs\n"


def test_the_program_keeps_its_own_pythonpath(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    script(folder, "print('found')", "mine.py")
    assert run("-c", "import mine", env=environ(folder)).stdout == "found\n"


def test_a_launched_program_can_launch_another(run: Run) -> None:
    done = run(sys.executable, "-m", "autobahn_fbs", "run", "-c", PROBE)
    assert done.stdout == "autobahn_fbs\n"


@pytest.mark.parametrize(
    "first",
    [
        "autobahn_fbs.install()",
        "autobahn_fbs.FlatBuffersSerializer",
        "from autobahn_fbs import FlatBuffersObjectSerializer",
        "import autobahn_fbs._helpers",
    ],
)
def test_a_program_may_use_the_package_itself_before_autobahn(run: Run, first: str) -> None:
    code = f"import autobahn_fbs\n{first}\nimport warnings; warnings.simplefilter('error')\n{PROBE}"
    done = run("-c", code)
    assert done.stdout == "autobahn_fbs\n", done.stderr


def test_a_program_may_uninstall_the_drop_in(run: Run) -> None:
    code = f"import autobahn_fbs\nautobahn_fbs.install(); autobahn_fbs.uninstall()\n{PROBE}"
    assert run("-c", code).stdout == "autobahn\n"


def test_the_packages_own_copy_is_used_where_it_is_not_on_the_path(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": _run.BOOTSTRAP}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "autobahn_fbs\n"


# Never without the drop-in


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a drop-in that can't be installed."""
    folder = tmp_path / "broken" / "autobahn_fbs"
    folder.mkdir(parents=True)
    script(folder, "def install(): raise OSError('wrong architecture')", "__init__.py")
    script(folder, "INSTALL = None\ndef say_in_crossbar(*_): pass", "_startup_log.py")
    return folder.parent


def test_a_drop_in_that_fails_prevents_the_program_from_starting(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "without"
    (folder / "autobahn").mkdir(parents=True)
    script(folder / "autobahn", "raise ImportError('no such library')", "__init__.py")
    done = run("-c", "print('started')", env=environ(folder))
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")
    assert "no such library" in done.stderr


def test_a_process_that_cannot_install_it_ends_past_any_except_clause(
    tmp_path: Path, broken: Path
) -> None:
    code = f"try:\n import autobahn.wamp.serializer\nexcept BaseException: pass\n{PROBE}"
    env = environ(_run.BOOTSTRAP, broken)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")
    assert "autobahn_fbs: can't be installed: OSError: wrong architecture" in done.stderr


@pytest.mark.parametrize("switches", [(), ("--accelerate",)])
def test_a_file_of_the_packages_name_beside_the_program_is_named(
    tmp_path: Path, switches: tuple[str, ...]
) -> None:
    file = script(tmp_path, "", "autobahn_fbs.py")
    program = script(tmp_path, PROBE)
    words = [sys.executable, "-m", "autobahn_fbs", "run", *switches, str(program)]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(words, env=environ(), cwd=elsewhere, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")
    assert f"({file} was imported); stopping" in done.stderr


def test_a_process_that_needs_no_drop_in_runs_where_it_is_broken(
    tmp_path: Path, broken: Path
) -> None:
    env = environ(_run.BOOTSTRAP, broken)
    done = subprocess.run(
        [sys.executable, "-c", "print(1)"], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "1\n")


@pytest.mark.parametrize("flag", ["-I", "-E", "-S", "-sE", "-uS"])
def test_an_interpreter_that_ignores_the_path_is_refused(run: Run, flag: str) -> None:
    done = run(sys.executable, flag, "-c", "print('started')")
    assert (done.returncode, done.stdout) == (_run.NO_DROP_IN, "")
    assert "so the drop-in can't be loaded" in done.stderr


@pytest.mark.parametrize("flags", [["-W", "Ignore"], ["-XEager"], ["-sP"], ["-u", "--"]])
def test_other_interpreter_options_are_fine(flags: list[str]) -> None:
    _run.check_flags([sys.executable, *flags, "script.py", "-I"])


def test_a_command_whose_first_line_ignores_the_path_is_refused(run: Run, tmp_path: Path) -> None:
    path = script(tmp_path, f"#!{sys.executable} -I\nprint('started')", "isolated")
    path.chmod(0o755)
    done = run("./isolated")
    assert (done.returncode, done.stdout) == (_run.NO_DROP_IN, "")


def test_an_unknown_program_is_reported_as_a_shell_does(run: Run) -> None:
    done = run("no-such-program-anywhere")
    assert (done.returncode, done.stderr) == (
        _run.NOT_FOUND,
        "autobahn_fbs run: no such program: no-such-program-anywhere\n",
    )


# Children that it can't reach

WARNING = "autobahn_fbs: warning: "


def child(words: str, more: str = "") -> str:
    return f"import os, subprocess, sys\nsubprocess.run({words}{more})"


def test_a_child_with_another_pythonpath_is_warned_of(run: Run) -> None:
    env = "{**os.environ, 'PYTHONPATH': '/nowhere'}"
    done = run("-c", child("[sys.executable, '-c', '']", f", env={env}"))
    assert done.stderr.startswith(WARNING)
    assert "runs without the drop-in: its PYTHONPATH differs" in done.stderr


def test_a_child_with_another_sitecustomize_first_is_warned_of(run: Run, tmp_path: Path) -> None:
    other = script(tmp_path, "", "sitecustomize.py")
    env = (
        f"{{**os.environ, 'PYTHONPATH': {str(tmp_path)!r} + os.pathsep + os.environ['PYTHONPATH']}}"
    )
    done = run("-c", child("[sys.executable, '-c', '']", f", env={env}"))
    assert f"runs without the drop-in: {other} comes before it" in done.stderr


@pytest.mark.parametrize("flag", ["-I", "-E", "-S", "-sE"])
def test_a_child_that_ignores_the_path_is_warned_of(run: Run, flag: str) -> None:
    done = run("-c", child(f"[sys.executable, {flag!r}, '-c', '']"))
    assert "prevents it" in done.stderr


@on_posix
@pytest.mark.parametrize(
    "call",
    [
        "execve(sys.executable, words, {})",
        "execvpe(sys.executable, words, {})",
        "execle(sys.executable, *words, {})",
        "posix_spawn(sys.executable, words, {})",
        "posix_spawnp(sys.executable, words, {})",
        "spawnve(os.P_WAIT, sys.executable, words, {})",
    ],
)
def test_every_function_that_starts_a_child_warns(run: Run, call: str) -> None:
    name = call.partition("(")[0]
    if not hasattr(os, name):
        pytest.skip(f"this Python has no os.{name}")
    code = f"import os, sys\nwords = [sys.executable, '-c', '']\nos.{call}"
    assert run("-c", code).stderr.startswith(WARNING)


@on_posix
def test_a_program_sees_the_functions_that_start_children_as_they_were(run: Run) -> None:
    code = """
import inspect, os, pydoc, subprocess
assert os.execve in os.supports_fd
print(inspect.signature(os.execve), os.execve.__name__, os.execve.__module__)
print(inspect.signature(subprocess.Popen._execute_child))
"""
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run("-c", code).stdout == plain.stdout != ""


@on_posix
def test_a_shell_is_not_mistaken_for_the_python_that_it_runs(run: Run) -> None:
    done = run("-c", child("'python -I; true'", ", shell=True, stderr=subprocess.DEVNULL"))
    assert done.stderr == ""


def test_arguments_from_an_iterator_arrive(run: Run) -> None:
    done = run("-c", child("iter([sys.executable, '-c', 'print(7)'])"))
    assert done.stdout == "7\n"


# Status


@on_posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_the_launcher_ends_by_the_signal_that_ended_the_program(run: Run, number: int) -> None:
    done = run("-c", f"import os; os.kill(os.getpid(), {int(number)})")
    assert done.returncode == -number


def test_a_program_that_raises_ends_with_status_1(run: Run) -> None:
    assert run("-c", "raise ValueError").returncode == 1


def test_bytes_pass_the_standard_streams_unchanged() -> None:
    every = bytes(range(256)) * 100
    code = (
        "import sys; data = sys.stdin.buffer.read()\n"
        "sys.stdout.buffer.write(data); sys.stderr.buffer.write(data)"
    )
    done = subprocess.run(
        [sys.executable, "-m", "autobahn_fbs", "run", "-c", code],
        input=every,
        capture_output=True,
        env=environ(),
    )
    assert (done.stdout, done.stderr) == (every, every)


# The switch for RawSocket

CHECKCONFIG = """
def check_listening_transport_rawsocket(personality, transport, with_endpoint=True):
    for name in transport["serializers"]:
        if name not in ["json", "cbor"]:
            raise SystemExit(f"invalid value {name}")
"""


@pytest.fixture
def crossbar(tmp_path: Path) -> Path:
    """A folder with as much of Crossbar.io as the hook needs: its configuration check."""
    folder = tmp_path / "router" / "crossbar" / "common"
    folder.mkdir(parents=True)
    script(folder.parent, "", "__init__.py")
    script(folder, "", "__init__.py")
    script(folder, CHECKCONFIG, "checkconfig.py")
    return folder.parent.parent


def check(*serializers: str) -> str:
    return (
        "from crossbar.common.checkconfig import check_listening_transport_rawsocket as check\n"
        f"item = {{'serializers': {list(serializers)}}}\n"
        "check(None, item); print(item['serializers'])"
    )


def test_with_the_switch_flatbuffers_passes_the_check(run: Run, crossbar: Path) -> None:
    code = check("flatbuffers", "cbor")
    done = run("--allow-rawsocket", "-c", code, env=environ(crossbar))
    assert done.stdout == "['flatbuffers', 'cbor']\n"


def test_the_switch_reaches_a_child_that_inherits_nothing_but_the_path(
    run: Run, crossbar: Path
) -> None:
    words = [sys.executable, "-c", check("flatbuffers")]
    code = (
        "import os, subprocess; path = {'PYTHONPATH': os.environ['PYTHONPATH']}\n"
        f"subprocess.run({words!r}, env=path)"
    )
    done = run("--allow-rawsocket", "-c", code, env=environ(crossbar))
    assert done.stdout == "['flatbuffers']\n"


def test_with_the_switch_other_names_are_still_checked(run: Run, crossbar: Path) -> None:
    done = run("--allow-rawsocket", "-c", check("flatbuffers", "xml"), env=environ(crossbar))
    assert done.stderr == "invalid value xml\n"


def test_without_the_switch_the_check_is_left_alone(run: Run, crossbar: Path) -> None:
    done = run("-c", check("flatbuffers"), env=environ(crossbar))
    assert done.stderr == "invalid value flatbuffers\n"


def test_a_router_with_an_unknown_check_ends_with_a_message(run: Run, crossbar: Path) -> None:
    script(crossbar / "crossbar" / "common", "", "checkconfig.py")
    done = run("--allow-rawsocket", "-c", check("cbor"), env=environ(crossbar))
    assert done.returncode == NO_DROP_IN
    assert "can't allow flatbuffers on RawSocket" in done.stderr


# The command line


def test_help_says_what_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["run", "--help"])
    assert end.value.code == 0
    assert (
        "[--allow-rawsocket] [--accelerate[=PARTS]] [--] PROGRAM [ARG ...]"
        in capsys.readouterr().out
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--version"])
    assert capsys.readouterr().out == f"autobahn_fbs {autobahn_fbs.__version__}\n"


@pytest.mark.parametrize("words", [["run"], ["run", "--"], ["run", "--no-such", "x"], ["fly"]])
def test_an_invalid_command_line_is_a_usage_error(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(words)
    assert end.value.code == 2
    assert "usage: python -m autobahn_fbs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags", [["--check-hash-based-pycs", "always", "-I"], ["-X", "dev", "-W", "error", "-bE"]]
)
def test_an_option_with_a_value_hides_no_other(run: Run, flags: list[str]) -> None:
    done = run(sys.executable, *flags, "-c", "print('started')")
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")
    assert "so the drop-in can't be loaded" in done.stderr


def test_an_interpreter_behind_env_is_looked_at(run: Run) -> None:
    done = run("env", sys.executable, "-I", "-c", "print('started')")
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")


@pytest.mark.parametrize(
    "words",
    [
        "-",
        "-i",
        "--ignore-environment",
        "--ignore-e",
        "-iu X",
        "-u PYTHONPATH",
        "-uPYTHONPATH",
        "-vu PYTHONPATH",
        "-u X -i",
        "--unset=PYTHONPATH",
        "--unset PYTHONPATH",
        "--un=PYTHONPATH",
        "-S-i",
        "-- -",
        "X=1 PYTHONPATH=/nowhere",
        "-C / env -i",
        "X=1 env -u PYTHONPATH",
    ],
)
def test_an_env_that_removes_the_path_is_refused(run: Run, words: str) -> None:
    done = run("env", *words.split(), sys.executable, "-c", "print('started')")
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")
    assert "removes PYTHONPATH" in done.stderr


def test_an_env_that_splits_a_word_is_looked_at(run: Run) -> None:
    done = run("env", "-S", f"{sys.executable} -I", "-c", "print('started')")
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")


def test_a_script_whose_env_removes_the_path_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tool"
    file.write_text(f"#!/usr/bin/env -S -i {sys.executable}\nprint('started')\n")
    file.chmod(0o755)
    done = run(str(file))
    assert (done.returncode, done.stdout) == (NO_DROP_IN, "")


@pytest.mark.parametrize("words", ["", "-u X", "-uX --unset=Y", "--", "X=-i", "-C / -u X Y=1 env"])
def test_an_env_that_keeps_the_path_is_run(run: Run, words: str) -> None:
    done = run("env", *words.split(), sys.executable, "-c", PROBE, "-i", "-u", "PYTHONPATH")
    assert (done.returncode, done.stdout) == (0, "autobahn_fbs\n")


def test_a_folder_that_the_path_cannot_contain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run, "BOOTSTRAP", os.pathsep.join(("/opt/a", "b/_bootstrap")))
    with pytest.raises(_run.CannotRun, match="PYTHONPATH can't contain") as caught:
        _run.check_drop_in()
    assert caught.value.status == NO_DROP_IN
