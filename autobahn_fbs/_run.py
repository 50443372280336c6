"""The launcher: starts a Python program with the drop-in installed in it and in its children.

The folder ``_bootstrap`` comes first on PYTHONPATH, and the program replaces this process. The
environment is inherited, so the Python processes that the program starts get the drop-in as well.
``_bootstrap/sitecustomize.py`` explains what happens there.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import NoReturn

BOOTSTRAP = str(Path(__file__).absolute().with_name("_bootstrap"))

#: An extra entry of PYTHONPATH that isn't a folder: allows ``flatbuffers`` in the router's
#: configuration check on RawSocket. A switch in PYTHONPATH reaches exactly the processes that the
#: drop-in reaches. A router's workers may be configured to get no other environment variable.
ALLOW_RAWSOCKET = os.path.join(BOOTSTRAP, "allow-rawsocket")

#: Another such entry: puts FlatBuffers first if a program names no serializer.
PREFER = os.path.join(BOOTSTRAP, "prefer")

#: Another such entry, with the parts to switch on after a "=": accelerates the program.
ACCELERATE = os.path.join(BOOTSTRAP, "accelerate")


def is_bootstrap(folder: str) -> bool:
    """Whether an entry of PYTHONPATH installs the drop-in: this copy's or another's, for example if
    one is installed and a checkout is the current folder."""
    return os.path.normpath(folder).split(os.sep)[-2:] == BOOTSTRAP.split(os.sep)[-2:]


# Options of CPython and PyPy that take the next word as their value.
_LONG_WITH_VALUE = ("--check-hash-based-pycs", "--jit")

# The same for env, GNU's and FreeBSD's. Here the value may also follow in the same word.
_ENV_WITH_VALUE = "uCSaPLU"
_ENV_LONG_WITH_VALUE = ("--unset", "--chdir", "--split-string", "--argv0")

# Exit statuses: the shell's for "can't be executed" and "not found", and sitecustomize.py's.
CANNOT_EXECUTE = 126
NOT_FOUND = 127
NO_DROP_IN = 70


class CannotRun(Exception):
    """The program can't be started with the drop-in; `status` is the exit status."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


def command_line(program: Sequence[str]) -> list[str]:
    """The command to execute for the words after ``run``.

    This interpreter runs ``-m MODULE``, ``-c CODE``, a Python file, a folder, and any path that is
    not executable. Anything else is a command. A bare name is looked up next to this interpreter
    first, so that commands of a virtual environment are found without activating it, and then on
    PATH.

    :raises CannotRun: no such program.
    """
    name = program[0]
    by_python = [sys.executable, *program]
    if name in ("-m", "-c"):
        if len(program) < 2:
            raise CannotRun(f"{name} needs an argument", 2)
        return by_python
    path = Path(name)
    if path.is_file() and path.suffix in (".py", ".pyw", ".pyc", ".pyz"):
        return by_python
    found = shutil.which(name)
    if os.path.dirname(name) == "":
        beside = (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))
        found = shutil.which(name, path=os.pathsep.join(beside)) or found
    if found is not None:
        return [found, *program[1:]]
    if path.exists():
        return by_python
    raise CannotRun(f"no such program: {name}", NOT_FOUND)


def environment(
    base: Mapping[str, str],
    rawsocket: bool = False,
    parts: Sequence[str] | None = None,
    prefer: bool = False,
) -> dict[str, str]:
    """`base` with the entries that install the drop-in in a Python process.

    :param parts: the parts of acceleration to switch on; None for no acceleration.
    :param prefer: FlatBuffers comes first if a program names no serializer; this includes children
        that get another PYTHONPATH and call ``install()`` themselves.
    """
    own = [BOOTSTRAP]
    if rawsocket:
        own.append(ALLOW_RAWSOCKET)
    if prefer:
        own.append(PREFER)
        base = {**base, "AUTOBAHN_FBS_PREFER": "1"}
    if parts is not None:
        own.append(f"{ACCELERATE}={','.join(parts)}")
    others = [path for path in base.get("PYTHONPATH", "").split(os.pathsep) if path not in own]
    # An empty PYTHONPATH means none, while an empty entry in it means the current folder.
    return {**base, "PYTHONPATH": os.pathsep.join([*own, *(others if any(others) else [])])}


def shebang(path: str) -> list[str]:
    """The words of a script's ``#!`` line; none if there is no such line."""
    try:
        with open(path, "rb") as file:
            line = file.readline(1024)
    except OSError:
        return []
    return line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []


def interpreter_flags(words: Sequence[str]) -> Iterator[str]:
    """The single-letter options for a Python interpreter in a command line."""
    rest = iter(words)
    for word in rest:
        if Path(word).name.lower().startswith(("python", "pypy")):
            break
    for word in rest:
        if not word.startswith("-") or word in ("-", "--"):
            return
        if word.startswith("--"):
            if word in _LONG_WITH_VALUE:
                next(rest, None)
            continue
        for position, letter in enumerate(word[1:], 2):
            if letter in "mc":
                return
            if letter in "WX":  # takes the rest of the word, or the next word
                if position == len(word):
                    next(rest, None)
                break
            yield letter


def _is_env(word: str) -> bool:
    return Path(word).name.lower() in ("env", "env.exe")


def behind_env(words: Sequence[str]) -> list[str]:
    """The command that ``env`` starts; skips nested uses of ``env``.

    :param words: the command line of ``env``, its own name first.
    :raises CannotRun: env removes PYTHONPATH, or gives it another value.
    """
    rest = list(words[1:])
    options = True
    while rest:
        word = rest.pop(0)
        name, value = word, ""
        if options and word.startswith("--"):
            name, equals, value = word.partition("=")
            if len(name) > 2:  # names may be abbreviated
                name = next((each for each in _ENV_LONG_WITH_VALUE if each.startswith(name)), name)
            if name in _ENV_LONG_WITH_VALUE and not equals and rest:
                value = rest.pop(0)
        elif options and word.startswith("-"):
            for position, letter in enumerate(word[1:], 2):
                name = f"-{letter}"
                if letter == "i":
                    break
                if letter in _ENV_WITH_VALUE:
                    value = word[position:] or (rest.pop(0) if rest else "")
                    break
        elif "=" not in word and word != "-":
            if not _is_env(word):
                return [word, *rest]
            options = True
            continue
        unset = name in ("-u", "--unset") and value == "PYTHONPATH"
        empty = name in ("-", "-i") or (
            len(name) > len("--ignore-") and "--ignore-environment".startswith(name)
        )
        if unset or empty or word.startswith("PYTHONPATH="):
            raise CannotRun(
                f"{words[0]} removes PYTHONPATH ({word}), so the drop-in can't be loaded",
                NO_DROP_IN,
            )
        if name in ("-S", "--split-string"):
            rest[:0] = shlex.split(value)
        options = options and word.startswith("-") and word != "--"
    return rest


def check_flags(command: Sequence[str]) -> None:
    """Refuses a command whose interpreter would ignore PYTHONPATH or ``sitecustomize``.

    :raises CannotRun: the command, or the ``#!`` line of its file, has ``-I``, ``-E`` or ``-S``, or
        is an ``env`` that removes PYTHONPATH.
    """
    is_python = Path(command[0]).name.lower().startswith(("python", "pypy"))
    for words in (command if is_python or _is_env(command[0]) else [], shebang(command[0])):
        if words and _is_env(words[0]):
            words = behind_env(words)
        for flag in interpreter_flags(words):
            if flag in "IES":
                raise CannotRun(
                    f"{command[0]} runs Python with -{flag}, so the drop-in can't be loaded",
                    NO_DROP_IN,
                )


def check_drop_in() -> None:
    """Installs the drop-in in this process, to check before any program runs that this works, and
    that PYTHONPATH can contain its folder.

    :raises CannotRun: it doesn't work, with the reason.
    """
    if os.pathsep in BOOTSTRAP:
        raise CannotRun(
            f"PYTHONPATH can't contain a folder with {os.pathsep!r} in its name: {BOOTSTRAP}",
            NO_DROP_IN,
        )
    noise = StringIO()  # optional modules print when Autobahn tries them; PROGRAM prints it, too
    try:
        with redirect_stderr(noise):
            import autobahn_fbs

            autobahn_fbs.install()
    except Exception as error:
        sys.stderr.write(noise.getvalue())
        reason = f"the drop-in can't be installed: {type(error).__name__}: {error}"
        raise CannotRun(reason, NO_DROP_IN) from error


def _execute(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    if sys.platform == "win32":  # Windows has no exec that keeps the console and the exit status
        sys.exit(subprocess.call(command, env=dict(environ)))
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores these signals, and exec would pass this on
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], list(command), environ)


def parse_parts(words: str | None) -> tuple[str, ...] | None:
    """The names after ``--accelerate=``. None means no acceleration, "" all parts.

    :raises CannotRun: a part is unknown.
    """
    if words is None:
        return None
    from ._accelerate import check_names

    try:
        return check_names(words.split(",") if words else None)
    except ValueError as error:
        raise CannotRun(f"--accelerate: {error}", 2) from error


def run(
    program: Sequence[str],
    rawsocket: bool = False,
    accelerate: str | None = None,
    prefer: bool = False,
) -> NoReturn:
    """Replaces this process with `program`, with the drop-in installed.

    :param program: a script and its arguments, ``-m`` and a module, or a command.
    :param rawsocket: let Crossbar.io offer ``flatbuffers`` on RawSocket transports.
    :param accelerate: the parts of acceleration to switch on, separated by commas; "" for all, None
        for none.
    :param prefer: FlatBuffers comes first if a program names no serializer.
    :raises CannotRun: there is no such program or part, or the drop-in can't be installed in it.
    """
    parts = parse_parts(accelerate)
    command = command_line(program)
    check_flags(command)
    check_drop_in()
    try:
        _execute(command, environment(os.environ, rawsocket, parts, prefer))
    except OSError as error:
        raise CannotRun(f"can't execute {command[0]}: {error.strerror}", CANNOT_EXECUTE) from error
