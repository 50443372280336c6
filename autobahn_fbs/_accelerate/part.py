"""A part: what it is called, what it brings, and the groups of changes that it makes.

A group is made as a whole or not at all. Groups of a part don't need each other: where one can't be
made, because a function is not one that is known, the part stays off there and is on elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from . import changes as _changes
from .changes import Change, Derived, Edit, Late, Rewrite, edited_code
from .known import KNOWN
from .source import Unknown, is_installed, source_of


class State(Enum):
    """Where a group stands."""

    OFF = "off"  # nobody asked for it, or it was taken back
    WAITING = "waiting"  # for its modules to be imported
    ON = "on"
    REFUSED = "refused"  # the reason says why


@dataclass(eq=False)
class Group:
    """Changes that are made together."""

    #: What the group is about, in a few words: "crossbar.router.broker".
    name: str
    changes: tuple[Change, ...]
    #: Further functions, ``module:qualified.name``, that must be known for the changes to be right.
    relies: tuple[str, ...] = ()
    #: Says why it can't be used here at all: "needs the C backend"; None where it can.
    unusable: Callable[[], str | None] = lambda: None
    #: Called when the changes have been taken back.
    undone: Callable[[], None] = lambda: None
    state: State = State.OFF
    reason: str | None = None

    def modules(self) -> set[str]:
        """The modules that must have been imported before the changes can be made."""
        return {change.module for change in self.changes}

    def late_names(self) -> list[Late]:
        """What the changes use of modules that may come later or never."""
        return [
            value
            for change in self.changes
            if isinstance(change, (Edit, Rewrite))
            for value in change.names.values()
            if isinstance(value, Late)
        ]

    def targets(self) -> list[str]:
        """Every function that has to be known, the changed ones first."""
        return list(dict.fromkeys([*(change.target for change in self.changes), *self.relies]))

    def check_edits(self) -> None:
        """That the edits can be made of the sources that are installed. Imports nothing.

        :raises Unknown: one can't.
        """
        edits = [change for change in self.changes if isinstance(change, (Edit, Rewrite))]
        for target in dict.fromkeys(edit.target for edit in edits):
            own = [edit for edit in edits if edit.target == target]
            edited_code(source_of(own[0].module), own, target)
        for late in self.late_names():
            if isinstance(late, Derived) and is_installed(late.module):
                edited_code(source_of(late.module), [late.edit()], late.attribute)

    def is_absent(self) -> bool:
        """Whether a distribution that it is about is not installed."""
        return not all(is_installed(module) for module in self.modules())

    def check_known(self) -> None:
        """That all targets have a fingerprint that is known. Imports nothing.

        :raises Unknown: naming the first that has not.
        """
        reason = self.unusable()
        if reason is not None:
            raise Unknown(reason)
        for target in self.targets():
            module, _, name = target.partition(":")
            if target in self.relies and not is_installed(module):
                continue  # then nothing goes through it
            if source_of(module).fingerprint(name) not in KNOWN.get(target, {}):
                raise Unknown(f"{target} is not one that is known")
        self.check_edits()

    def apply(self) -> None:
        """Makes the changes, if everything is as it should be; else the state says why not."""
        try:
            self.check_known()
            for change in self.changes:
                _changes.check_running(change)
            _changes.make(self.changes)
        except Unknown as error:
            self.state, self.reason = State.REFUSED, str(error)
        else:
            self.state, self.reason = State.ON, None

    def undo(self) -> None:
        """Takes the changes back, if they were made."""
        if self.state is State.ON:
            _changes.take_back(self.changes)
            self.undone()
        self.state, self.reason = State.OFF, None


@dataclass(frozen=True)
class Part:
    """What can be switched on by name."""

    name: str
    #: One line for ``info`` and the documentation.
    about: str
    groups: tuple[Group, ...] = field(hash=False)
