"""Reduces the time that Autobahn, txaio, Twisted and Crossbar.io spend around the serializer.

Parts (``parts/``) change functions of these packages (``changes.py``) so that they do the same in
less time. A part recognizes functions by fingerprints of their sources (``known.py``). If a
function is different, the part stays off. Modules may be imported before or after
:func:`autobahn_fbs.accelerate`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

from .._bootstrap.sitecustomize import AfterImport
from .._startup_log import ACCELERATE as LOG
from . import parts as _parts
from .changes import look_up_late_names
from .part import Group, Part, State
from .source import Unknown, forget_sources

# Held while parts are switched. Imports may happen meanwhile, and call back into this module.
_lock = threading.RLock()
_on: dict[str, Part] = {}
_hooks: AfterImport | None = None


class Acceleration:
    """Parts that a call of :func:`autobahn_fbs.accelerate` switched on. As a context manager, it
    switches them off at the end."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        #: Their names.
        self.parts = parts

    def undo(self) -> None:
        """Switches them off. A second call does nothing."""
        decelerate(self.parts)
        self.parts = ()

    def __enter__(self) -> Acceleration:
        return self

    def __exit__(self, *error: object) -> None:
        self.undo()

    def __repr__(self) -> str:
        return f"<Acceleration {' '.join(self.parts) or 'of nothing'}>"


def part_names() -> tuple[str, ...]:
    """The names of all parts."""
    return _parts.NAMES


def check_names(parts: Iterable[str] | None) -> tuple[str, ...]:
    """These parts in their fixed order; all parts if None.

    :raises ValueError: a part is unknown; the text lists the known ones.
    """
    if parts is None:
        return _parts.NAMES
    wanted = [parts] if isinstance(parts, str) else list(parts)
    for name in wanted:
        if name not in _parts.NAMES:
            raise ValueError(f"unknown part {name!r} (known: {', '.join(_parts.NAMES)})")
    return tuple(name for name in _parts.NAMES if name in wanted)


def accelerate(parts: Iterable[str] | None = None) -> Acceleration:
    """Makes Autobahn and Crossbar.io do the same in less time, in this process.

    Works with and without :func:`autobahn_fbs.install`, with all serializers, on asyncio and on
    Twisted. You can call it at any time. Bytes, log texts and exceptions stay the same. If a
    function isn't one from a tested version, the part stays off there, and the logger
    "autobahn_fbs.accelerate" of `logging` reports this once.

    :param parts: the names of the parts to switch on; None for all. ``python -m autobahn_fbs info``
        lists them.
    :return: the parts that this call switched on; its ``undo()`` switches them off again.
    :raises ValueError: a part is unknown.
    """
    names = check_names(parts)
    with _lock:
        fresh = tuple(name for name in names if name not in _on)
        for name in fresh:
            part = _on[name] = _parts.load(name)
            for group in part.groups:
                group.state = State.WAITING
        if fresh:
            _watch()
            LOG.info("accelerating: %s", " ".join(fresh))
            _apply_waiting()
    return Acceleration(fresh)


def decelerate(parts: Iterable[str] | None = None) -> None:
    """Switches off parts that :func:`autobahn_fbs.accelerate` switched on, and restores the
    original functions.

    :param parts: their names; None for all.
    :raises ValueError: a part is unknown.
    """
    global _hooks
    with _lock:
        for name in reversed(check_names(parts)):
            part = _on.pop(name, None)
            for group in reversed(part.groups) if part is not None else ():
                group.undo()
        if not _on and _hooks is not None:
            sys.meta_path.remove(_hooks)
            _hooks = None


def accelerated() -> tuple[str, ...]:
    """The names of the parts that are on, in their fixed order."""
    with _lock:
        return tuple(name for name in _parts.NAMES if name in _on)


def status() -> dict[str, dict[str, tuple[str, str | None]]]:
    """The state of each group of each part in this process, with the reason if it was refused.
    Imports none of the modules that would be changed."""
    with _lock:
        return {
            name: {group.name: (group.state.value, group.reason) for group in part.groups}
            for name, part in ((name, _parts.load(name)) for name in _parts.NAMES)
        }


def prospects() -> dict[str, dict[str, tuple[str, str | None]]]:
    """What :func:`autobahn_fbs.accelerate` would do here: like :func:`status`, with "on", "refused"
    or, if a package is not installed, "absent". Imports none of the modules that would be
    changed."""
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for name in _parts.NAMES:
        part = found[name] = {}
        for group in _parts.load(name).groups:
            if group.is_absent():
                part[group.name] = ("absent", None)
                continue
            try:
                group.check_known()
                part[group.name] = (State.ON.value, None)
            except Unknown as error:
                part[group.name] = (State.REFUSED.value, str(error))
    forget_sources()
    return found


def _watch() -> None:
    """Arranges for groups to be applied when their modules have been imported."""
    global _hooks
    if _hooks is None:
        _hooks = AfterImport()
        sys.meta_path.insert(0, _hooks)
    groups = [group for part in _on.values() for group in part.groups]
    modules = {module for group in groups for module in group.modules()}
    modules.update(late.module for group in groups for late in group.late_names())
    for module in sorted(modules):
        if not _is_complete(module):
            _hooks.after(module, _apply_waiting)


def _is_complete(module: str) -> bool:
    """Whether a module has been imported completely."""
    found: Any = sys.modules.get(module)
    if found is None:
        return False
    return not getattr(found.__spec__, "_initializing", False) or (
        _hooks is not None and module in _hooks.finished
    )


def _apply_waiting() -> None:
    with _lock:
        look_up_late_names()
        ready: list[tuple[str, Group]] = [
            (part.name, group)
            for part in _on.values()
            for group in part.groups
            if group.state is State.WAITING and all(map(_is_complete, group.modules()))
        ]
        for part_name, group in ready:
            group.apply()
            if group.state is State.REFUSED:
                LOG.warning("%s is off in %s: %s", part_name, group.name, group.reason)
        forget_sources()
