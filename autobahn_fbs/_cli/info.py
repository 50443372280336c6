"""``info``: the installed versions and the configuration; with ``--pid``, those of processes."""

from __future__ import annotations

import argparse
import platform
import sys
import sysconfig
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib import metadata
from io import StringIO
from typing import Any

from .. import __version__, backend
from .fields import FINGERPRINT
from .terminal import Painter, safe, to_json, wants_color

_OTHERS = ("autobahn", "crossbar", "cbor2", "msgpack", "py-ubjson", "bjdata", "twisted", "txaio")
# Maximum length of a text that a process chooses, such as its command line.
_LENGTH = 1000


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _OTHERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _extension() -> str | None:
    from .._backend import native

    return getattr(native, "__file__", None)


def _codecs() -> list[str]:
    from .. import payloads

    return payloads.known_ids()


def _limits() -> dict[str, int]:
    from ..limits import Limits

    return Limits()._asdict()


def _acceleration() -> dict[str, dict[str, str]]:
    from .._accelerate import prospects

    return {
        name: {group: reason or state for group, (state, reason) in groups.items()}
        for name, groups in prospects().items()
    }


def gather() -> dict[str, Any]:
    """The content of ``info --json``. Values that can't be determined are None; ``problems`` has
    the reasons, by the names of the values."""
    problems: dict[str, str] = {}

    def tried(name: str, determine: Callable[[], Any]) -> Any:
        try:
            with redirect_stderr(StringIO()):  # hides what optional modules print
                return determine()
        except Exception as error:  # bug reports need all that is known
            problems[name] = f"{type(error).__name__}: {error}"
            return None

    gil = getattr(sys, "_is_gil_enabled", None)
    return {
        "autobahn_fbs": __version__,
        "backend": backend,
        "extension": tried("extension", _extension),
        "schema_sha256": FINGERPRINT,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil_enabled": True if gil is None else bool(gil()),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": _versions(),
        "payload_codecs": tried("payload_codecs", _codecs),
        "limits": tried("limits", _limits),
        "acceleration": tried("acceleration", _acceleration),
        "problems": problems,
    }


def info(options: argparse.Namespace) -> int:
    """Prints the information; returns 0, or 1 if something is wrong or a process can't be
    examined."""
    if options.pid is not None:
        return _processes(options)
    found = gather()
    status = 1 if found["problems"] else 0
    if options.json:
        print(to_json(found))
        return status
    paint = Painter(wants_color(options.color))
    for name, value in found.items():
        if name == "problems" and not value:
            continue
        if isinstance(value, dict):
            print(paint("name", name))
            for inner, each in value.items():
                if isinstance(each, dict):
                    each = _in_short(each)
                print(f"  {inner:<20} {_text(each)}")
        else:
            print(f"{paint('name', f'{name:<22}')} {_text(value)}")
    return status


def _processes(options: argparse.Namespace) -> int:
    """The same for ``--pid``."""
    from . import processes

    paint = Painter(wants_color(options.color))
    status = 0
    pids = dict.fromkeys(each for pid in options.pid for each in processes.family(pid))
    for pid in pids:
        try:
            found = processes.look(pid)
        except OSError as error:
            if pid not in options.pid:  # it has just ended, or belongs to another user
                continue
            reason = (
                "this needs Linux's /proc"
                if not processes.PROC.is_dir()
                else "there is no such process"
                if isinstance(error, (FileNotFoundError, ProcessLookupError))
                else f"{error.strerror}; try again as its user, or as root"
            )
            print(f"autobahn_fbs info: process {pid}: {reason}", file=sys.stderr)
            status = 1
            continue
        if options.json:
            print(to_json(found))
            continue
        print(paint("title", f"{pid} {_short(found['command'])}"))
        for name, text in processes.describe(found):
            print(f"  {paint('name', f'{name:<12}')} {_short(text)}")
    if not options.json and status == 0:
        print(processes.NOTE)
    return status


def _short(text: str) -> str:
    """What a process says about itself, on one line: it may be megabytes."""
    return safe(text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…")


def _in_short(groups: dict[str, str]) -> str:
    """A summary of a part: whether it can be switched on, and where it can't, with the reasons."""
    found = {name: reason for name, reason in groups.items() if reason != "absent"}
    off = {name: reason for name, reason in found.items() if reason != "on"}
    if not off:
        return "available" if found else "not installed"
    reasons = "; ".join(dict.fromkeys(off.values()))
    if len(off) == len(found):
        return f"not available: {reasons}"
    return f"partly available, but not in {', '.join(off)}: {reasons}"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(safe(str(each)) for each in value)
    return f"{value:,}" if isinstance(value, int) else safe(str(value))
