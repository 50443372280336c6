"""``info --pid``: examines from outside whether running processes have the drop-in.

Linux shows the files that a process has mapped, including the extension, and the environment that
it was started with. The process itself isn't asked. From outside, it isn't visible whether
``install()`` was called, and which parts are accelerated. The process's log shows that.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._run import is_bootstrap

PROC = Path("/proc")

_EXTENSION = re.compile(r"(?:_cpython|_cffi/_core)\.[^/]*\Z")
_DELETED = " (deleted)"
_VERSION = re.compile(r'^__version__ = "([\w.+-]+)"$', re.MULTILINE)
#: Maximum number of bytes to read for the version. The process chooses the file.
_MODULE_SIZE = 64 * 1024


def family(pid: int) -> list[int]:
    """The process and its descendants that are still running."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(_stat(path.parent)[1])
        except (OSError, ValueError, IndexError):  # it has ended
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += sorted(set(children.get(each, ())) - set(found))
    return found


def _stat(process: Path) -> list[str]:
    """The fields of a process's ``stat`` after its name: the first is its state, then its parent.

    :raises OSError: there is no such process.
    """
    # "12 (a name) S 7 ...": the name may contain anything.
    return (process / "stat").read_text(errors="replace").rpartition(")")[2].split()


def look(pid: int) -> dict[str, Any]:
    """The visible facts about one process.

    :raises OSError: there is no such process, or it belongs to another user.
    """
    folder = PROC / str(pid)
    if _stat(folder)[0] in "XZ":  # it has ended; files of such a process may still be readable
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    words = (folder / "cmdline").read_text(errors="replace").strip("\0").split("\0")
    maps = (folder / "maps").read_text(errors="replace")
    extension, replaced = extension_in(maps)
    return {
        "pid": pid,
        "command": " ".join(filter(None, words)),
        "extension": extension,
        "replaced": replaced,
        "version": _version(folder, extension) if extension and not replaced else None,
        **_started((folder / "environ").read_bytes()),
    }


def extension_in(maps: str) -> tuple[str | None, bool]:
    """The path of the extension in a process's list of mapped files, and whether the file has been
    replaced. Takes linear time, because a process can have 65,000 mappings with paths of 4 kB."""
    for line in maps.split("\n"):
        at = line.find("/")
        path = line[at:].removesuffix(_DELETED) if at >= 0 else ""
        folder, _, name = path.rpartition("/autobahn_fbs/")
        if folder and _EXTENSION.match(name):
            return path, line.endswith(_DELETED)
    return None, False


def _version(process: Path, extension: str) -> str | None:
    """The version of the package that contains the extension, as the process sees it: it may be in
    a container."""
    path = Path(extension)
    package = next(each for each in path.parents if each.name == "autobahn_fbs")
    file = process / "root" / (package / "__init__.py").relative_to("/")
    try:
        found = _VERSION.search(_beginning(file))
    except OSError:
        return None
    return found[1] if found else None


def _beginning(path: Path) -> str:
    """The beginning of a file; "" if it isn't a regular file, such as a pipe, where reading could
    take for ever."""
    # The process chose the file: it may be a pipe or a terminal. Windows has no such flags.
    flags: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    with open(os.open(path, os.O_RDONLY | flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return ""
        return file.read(_MODULE_SIZE).decode("utf-8", "replace")


def _started(environ: bytes) -> dict[str, Any]:
    """How a process was started: all None if it has overwritten its environment, as Crossbar.io's
    processes do when they set their title."""
    if b"\0\0" in environ or environ.startswith(b"\0"):
        return {"launched": None, "switches": None, "variables": None}
    entries: dict[str, str] = {}
    for entry in filter(None, environ.split(b"\0")):
        name, _, value = os.fsdecode(entry).partition("=")
        entries[name] = value
    path = entries.get("PYTHONPATH", "").split(os.pathsep)
    names = [
        os.path.basename(folder) for folder in path if is_bootstrap(os.path.dirname(folder) or ".")
    ]
    known = {"allow-rawsocket", "prefer", "accelerate"}
    switches = [f"--{name.rstrip('=')}" for name in names if name.partition("=")[0] in known]
    return {
        "launched": any(map(is_bootstrap, path)),
        "switches": switches,
        "variables": {k: v for k, v in sorted(entries.items()) if k.startswith("AUTOBAHN_FBS_")},
    }


def describe(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The same for people, as names and texts."""
    if not found["extension"]:
        yield "extension", "not loaded: this process doesn't use autobahn_fbs"
    elif found["replaced"]:
        yield "extension", f"loaded: {found['extension']}, which has been replaced since: restart"
    else:
        version = found["version"] or "unknown"
        yield "extension", f"loaded: {found['extension']}, version {version}"
    if found["launched"] is None:
        yield "started", "unknown: the process has overwritten its environment"
        return
    by = "with run" if found["launched"] else "without run"
    yield "started", " ".join([by, *found["switches"]])
    for name, value in found["variables"].items():
        yield "variable", f"{name}={value}"


#: The conclusion from these facts.
NOTE = (
    "Loaded means that the process can use autobahn_fbs. What is installed and accelerated is in\n"
    "its log, in a line that begins with: autobahn_fbs: installed"
)
