"""A part: its name, its description, and its groups of changes.

A group is made completely or not at all. The groups of a part are independent. If one group can't
be made, because a function is unknown, the part is off there, and on elsewhere.
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
    """The state of a group."""

    OFF = "off"  # nobody requested it, or it was undone
    WAITING = "waiting"  # for its modules to be imported
    ON = "on"
    REFUSED = "refused"  # the reason is stored


@dataclass(eq=False)
class Group:
    """Changes that are made together."""

    #: The subject of the group, for example "crossbar.router.broker".
    name: str
    changes: tuple[Change, ...]
    #: Further functions, ``module:qualified.name``, that must be known for the changes to be
    #: correct.
    relies: tuple[str, ...] = ()
    #: Returns why the group can't be used here at all ("needs the C backend"), or None if it can.
    unusable: Callable[[], str | None] = lambda: None
    #: Called after the changes have been undone.
    undone: Callable[[], None] = lambda: None
    state: State = State.OFF
    reason: str | None = None

    def modules(self) -> set[str]:
        """The modules that must have been imported before the changes can be made."""
        return {change.module for change in self.changes}

    def late_names(self) -> list[Late]:
        """Attributes that the changes use, of modules that may be imported later or never."""
        return [
            value
            for change in self.changes
            if isinstance(change, (Edit, Rewrite))
            for value in change.names.values()
            if isinstance(value, Late)
        ]

    def targets(self) -> list[str]:
        """Every function that must be known, the changed ones first."""
        return list(dict.fromkeys([*(change.target for change in self.changes), *self.relies]))

    def check_edits(self) -> None:
        """Checks that the edits fit the installed sources. Imports nothing.

        :raises Unknown: an edit doesn't fit.
        """
        edits = [change for change in self.changes if isinstance(change, (Edit, Rewrite))]
        for target in dict.fromkeys(edit.target for edit in edits):
            own = [edit for edit in edits if edit.target == target]
            edited_code(source_of(own[0].module), own, target)
        for late in self.late_names():
            if isinstance(late, Derived) and is_installed(late.module):
                edited_code(source_of(late.module), [late.edit()], late.attribute)

    def is_absent(self) -> bool:
        """Whether a distribution that the group changes is missing."""
        return not all(is_installed(module) for module in self.modules())

    def check_known(self) -> None:
        """Checks that all targets have a known fingerprint. Imports nothing.

        :raises Unknown: names the first target without one.
        """
        reason = self.unusable()
        if reason is not None:
            raise Unknown(reason)
        for target in self.targets():
            module, _, name = target.partition(":")
            if target in self.relies and not is_installed(module):
                continue  # in that case, no call goes through it
            if source_of(module).fingerprint(name) not in KNOWN.get(target, {}):
                raise Unknown(f"{target} is not a known version")
        self.check_edits()

    def apply(self) -> None:
        """Makes the changes if all checks pass; otherwise, the state gives the reason."""
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
        """Undoes the changes if they were made."""
        if self.state is State.ON:
            _changes.take_back(self.changes)
            self.undone()
        self.state, self.reason = State.OFF, None


@dataclass(frozen=True)
class Part:
    """A set of changes that can be switched on by name."""

    name: str
    #: One line for ``info`` and the documentation.
    about: str
    groups: tuple[Group, ...] = field(hash=False)
