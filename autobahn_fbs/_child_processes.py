"""Determines whether a process that a launched program is about to start will have the drop-in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ._run import interpreter_flags, is_bootstrap, shebang

_PREFIXES = ("python", "pypy")


def _is_python(path: str) -> bool:
    return Path(path).name.lower().startswith(_PREFIXES)


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else str(value)


def _path_of(name: str, environ: Mapping[str, str]) -> str:
    """The path of the command's file; the name itself if there is none."""
    if os.path.dirname(name):
        return name
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return name


def _shadowing(entries: Sequence[str]) -> str | None:
    """The first sitecustomize in these folders, or None."""
    for entry in entries:
        for name in ("sitecustomize.py", os.path.join("sitecustomize", "__init__.py")):
            path = os.path.join(entry, name)
            if os.path.isfile(path):
                return path
    return None


def why_without(executable: Any, words: Any, env: Any) -> str | None:
    """The reason why a command starts a Python without the drop-in. None if it will have the
    drop-in, or doesn't start a Python.

    :param executable: the program, None for the first of `words`.
    :param words: its arguments, itself included: a sequence, or one string.
    :param env: its environment, None for that of this process; may contain bytes.
    """
    is_one = isinstance(words, (str, bytes, os.PathLike))
    command = [_text(word) for word in ([words] if is_one else words)]
    if executable is not None:
        command[:1] = [_text(executable)]
    given = os.environ if env is None else env
    environ = {_text(key): _text(value) for key, value in given.items()}
    path = _path_of(command[0], environ)
    interpreter = command if _is_python(path) else shebang(path)
    if not any(_is_python(word) for word in interpreter):
        return None
    flags = [flag for flag in interpreter_flags(interpreter) if flag in "IES"]
    if flags:
        return f"-{flags[0]} prevents it"
    entries = environ.get("PYTHONPATH", "").split(os.pathsep)
    ours = next((at for at, entry in enumerate(entries) if is_bootstrap(entry)), None)
    if ours is None:
        return "its PYTHONPATH differs from this program's"
    other = _shadowing([entry for entry in entries[:ours] if entry])
    return None if other is None else f"{other} comes before it"
