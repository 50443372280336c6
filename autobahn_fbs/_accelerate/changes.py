"""The kinds of changes that a part can make, and how a change is made and undone.

An :class:`Edit` or a :class:`Rewrite` gives a function a new code object, compiled from the
function's own source with a few words changed. The function remains the same object, so everyone
with a reference to it gets the change. Line numbers in tracebacks are those of the file, and a
debugger can step through it. Several parts can edit one function: its code is compiled from the
source with all their edits.

A :class:`Replace` replaces a function with another object, for example one in C. A :class:`Switch`
makes changes outside the function itself.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .source import Function, Source, Unknown, compiled, extent, source_of


@dataclass(frozen=True)
class Late:
    """A value for a name that a change uses: an attribute of a module that may never be imported.
    Until it is imported, the value is a unique placeholder."""

    module: str
    attribute: str

    def value(self) -> Any:
        """The attribute, or the placeholder for it."""
        return getattr(sys.modules.get(self.module), self.attribute, self)


@dataclass(frozen=True)
class Lazy:
    """A value for a name that a change uses. It is created when the change is made."""

    value: Callable[[], Any]


@dataclass(frozen=True)
class Derived(Late):
    """A function of a module, with `old` in its source replaced by `new`. The number of lines is
    the same, so tracebacks through it are unchanged."""

    old: str | tuple[str, ...]
    new: str

    def edit(self) -> Edit:
        """A change to the function's source."""
        return Edit(f"{self.module}:{self.attribute}", self.old, self.new)

    def value(self) -> Any:
        if not hasattr(sys.modules.get(self.module), self.attribute.partition(".")[0]):
            return self
        edit = self.edit()
        original = _function_of(edit)
        entry = _Edited(original, original.__code__, source_of(self.module), [])
        return FunctionType(
            _code(entry, [edit]), original.__globals__, original.__name__, original.__defaults__
        )


@dataclass(frozen=True)
class Change:
    """A change to a function, ``module:qualified.name``."""

    target: str

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    @property
    def name(self) -> str:
        return self.target.partition(":")[2]


@dataclass(frozen=True)
class Edit(Change):
    """Replaces `old`, which must occur exactly once in a function's source, with `new`.

    `old` may be several alternatives, one of which must occur, because versions differ. `new` must
    not have more lines than `old`, so that the following lines keep their numbers.
    """

    old: str | tuple[str, ...]
    new: str
    #: Names that `new` uses. They are in the module's globals while the edit is active; see `Late`.
    names: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def edited(self, text: str) -> str:
        """`text` with the edit applied.

        :raises Unknown: `old` doesn't occur, or occurs more than once.
        """
        olds = [self.old] if isinstance(self.old, str) else self.old
        found = [old for old in olds if text.count(old) == 1]
        if len(found) != 1:
            raise Unknown(
                f"{self.target} doesn't have exactly once: {olds[0].strip().splitlines()[0]}"
            )
        missing = found[0].count("\n") - self.new.count("\n")
        assert missing >= 0, f"{self.target}: an edit may not add lines"
        before, after = text.split(found[0])
        line, _, rest = after.partition("\n")
        return "".join((before, self.new, line, "\n" * (1 + missing), rest))


@dataclass(frozen=True)
class Rewrite(Change):
    """`transform` changes a function's syntax tree in place, after all edits of its source."""

    transform: Callable[[Function], None]
    #: Like those of an :class:`Edit`.
    names: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Replace(Change):
    """Replaces the object with this name in a class or a module with ``make(original)``."""

    make: Callable[[Any], Any] = field(hash=False)


@dataclass(frozen=True)
class Switch(Change):
    """``on(owner)`` changes the behaviour of the target's class; ``off(owner)`` undoes it. `on`
    raises TypeError if it can't."""

    on: Callable[[Any], object] = field(hash=False)
    off: Callable[[Any], object] = field(hash=False)


@dataclass
class _Edited:
    """A function with edits: its original code object, and the edits with their owners."""

    function: FunctionType
    original: Any
    source: Source
    changes: list[Edit | Rewrite]


# By target. Used only under the lock of the package (__init__.py).
_edited: dict[str, _Edited] = {}
_replaced: dict[str, tuple[Any, str, Any]] = {}


def owner_of(change: Change) -> tuple[Any, str]:
    """The class or module that contains the target, and its name there.

    :raises Unknown: the target doesn't exist.
    """
    module: ModuleType = sys.modules[change.module]
    *path, name = change.name.split(".")
    owner: Any = module
    try:
        for each in path:
            owner = vars(owner)[each]
        vars(owner)[name]
    except (KeyError, TypeError):
        raise Unknown(f"{change.module} has no {change.name}") from None
    return owner, name


def _function_of(change: Change) -> FunctionType:
    """The plain function of the target, inside classmethod, property and wrappers."""
    owner, name = owner_of(change)
    found: Any = vars(owner)[name]
    if isinstance(found, (classmethod, staticmethod)):
        found = found.__func__
    elif isinstance(found, property):
        found = found.fget
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    if not isinstance(found, FunctionType):
        raise Unknown(f"{change.target} is not a function")
    return found


def check_running(change: Change) -> None:
    """Checks that the function in memory is the one in the source file.

    :raises Unknown: other code has changed it.
    """
    if change.target in _edited:  # it was checked before its first edit
        return
    function = _function_of(change)
    code = compiled(source_of(change.module), change.name, function.__code__.co_filename)
    if code != function.__code__:
        raise Unknown(f"{change.target} was changed by someone else")


def make(changes: tuple[Change, ...]) -> None:
    """Makes all changes of a group, or none.

    :raises Unknown: a change can't be made.
    """
    edits = [change for change in changes if isinstance(change, (Edit, Rewrite))]
    ready: list[tuple[_Edited, list[Edit | Rewrite], Any]] = []
    for target in dict.fromkeys(change.target for change in edits):
        own = [change for change in edits if change.target == target]
        entry = _edited.get(target)
        if entry is None:
            function = _function_of(own[0])
            entry = _Edited(function, function.__code__, source_of(own[0].module), [])
        wanted = [*entry.changes, *own]
        ready.append((entry, wanted, _code(entry, wanted)))
    replacements = []
    for change in changes:
        if isinstance(change, Replace):
            if change.target in _replaced:
                raise Unknown(f"{change.target} is already replaced")
            owner, name = owner_of(change)
            original = vars(owner)[name]
            replacements.append((change.target, owner, name, original, change.make(original)))
    _switch_on([change for change in changes if isinstance(change, Switch)])
    for entry, wanted, code in ready:
        _put(entry, wanted, code)
    for target, owner, name, original, replacement in replacements:
        _replaced[target] = (owner, name, original)
        setattr(owner, name, replacement)


def _switch_on(switches: list[Switch]) -> None:
    done: list[Switch] = []
    try:
        for switch in switches:
            switch.on(owner_of(switch)[0])
            done.append(switch)
    except TypeError as error:
        for switch in reversed(done):
            switch.off(owner_of(switch)[0])
        raise Unknown(str(error)) from error


def take_back(changes: tuple[Change, ...]) -> None:
    """Undoes :func:`make` for the same changes."""
    for change in reversed(changes):
        if isinstance(change, Replace):
            owner, name, original = _replaced.pop(change.target)
            setattr(owner, name, original)
        elif isinstance(change, Switch):
            change.off(owner_of(change)[0])
    edits = [change for change in changes if isinstance(change, (Edit, Rewrite))]
    for target in dict.fromkeys(change.target for change in edits):
        entry = _edited[target]
        left = [each for each in entry.changes if not any(each is own for own in edits)]
        _put(entry, left, _code(entry, left))
        for change in edits:
            for name in change.names:
                if not _is_used(change.module, name):
                    vars(sys.modules[change.module]).pop(name, None)


def _names(change: Edit | Rewrite) -> dict[str, Any]:
    return {
        name: value.value() if isinstance(value, (Late, Lazy)) else value
        for name, value in change.names.items()
    }


def look_up_late_names() -> None:
    """Sets the names whose modules have been imported meanwhile to their values."""
    for entry in _edited.values():
        for change in entry.changes:
            space = vars(sys.modules[change.module])
            for name, value in change.names.items():
                if isinstance(value, Late) and space[name] is value:
                    space[name] = value.value()


def _put(entry: _Edited, changes: list[Edit | Rewrite], code: Any) -> None:
    """Sets a function's code, and the names that the code uses in its module."""
    for change in changes:
        vars(sys.modules[change.module]).update(_names(change))
        _edited[change.target] = entry
    if not changes:
        for change in entry.changes:
            _edited.pop(change.target, None)
    entry.changes = changes
    function: Any = entry.function
    function.__code__ = code


def _is_used(module: str, name: str) -> bool:
    return any(
        change.module == module and name in change.names
        for entry in _edited.values()
        for change in entry.changes
    )


def _code(entry: _Edited, changes: list[Edit | Rewrite]) -> Any:
    """The code object of a function with these edits, or its original code if there are none."""
    if not changes:
        return entry.original
    code = edited_code(entry.source, changes, entry.original.co_filename)
    if code.co_freevars != entry.original.co_freevars:
        raise Unknown(f"{changes[0].target} closes over other variables")
    return code


def edited_code(source: Source, changes: list[Edit | Rewrite], filename: str) -> CodeType:
    """The code object of a function of `source` with edits.

    :raises Unknown: an edit can't be made.
    """
    name = changes[0].name
    *_, original = source.path_of(name)
    first, last = extent(original)
    text = "\n".join(source.lines[first - 1 : last]) + "\n"
    for each in changes:
        if isinstance(each, Edit):
            text = each.edited(text)
    # In a block, with the original indentation and line numbers, so positions match the file.
    indent = len(text) - len(text.lstrip())
    wrapped = f"if 1:\n{text}" if indent else f"\n{text}"
    [statement] = ast.parse(wrapped).body
    node: Any = statement.body[0] if isinstance(statement, ast.If) else statement
    ast.increment_lineno(node, first - 2)
    for each in changes:
        if isinstance(each, Rewrite):
            each.transform(node)
            ast.fix_missing_locations(node)
    return compiled(source, name, filename, node)
