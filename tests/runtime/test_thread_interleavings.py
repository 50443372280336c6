"""Two threads use one object in every order: one acts while the other stops at each bytecode of the
package. C code has no such stops."""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from autobahn.wamp import message as m

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, flexbuffers
from support.received import receive, taken

OBJSER = FlatBuffersObjectSerializer()
PACKAGE = str(Path(autobahn_fbs.__file__).parent)
HOPS = [{"session": 7, "authid": "a", "authrole": "b"}]
DATA = OBJSER.serialize(
    m.Publish(1, "a.b", args=[1], kwargs={"k": 1}, exclude=[5], forward_for=HOPS, retain=True)
)

Act = Callable[[Any], Any]


class Interrupted:
    """Calls `act`, and `other` in another thread when `act` has reached step `place`: a bytecode or
    a line."""

    def __init__(
        self, act: Callable[[], Any], other: Callable[[], Any], place: int, step: str
    ) -> None:
        self.left = place
        self.step = step
        self.thread = threading.Thread(target=self._other, args=(other,))
        self.came = False
        self.result: Any = None
        self.error: Exception | None = None
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            self.result = act()
        finally:
            sys.settrace(before)
        if self.came:
            self.thread.join()
        if self.error is not None:
            raise self.error

    def _other(self, other: Callable[[], Any]) -> None:
        try:
            self.given = other()
        except Exception as error:
            self.error = error

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith((PACKAGE, "<fast")):
            return None
        frame.f_trace_opcodes = self.step == "opcode"
        if event == self.step:
            self.left -= 1
            if self.left < 0 and not self.came:
                self.came = True
                self.thread.start()
                self.thread.join(0.005)  # not to its end if it waits for the stopped thread
        return self._trace


def in_every_order(
    one: Act, other: Act, check: Callable[[Any, Any, Any], None], step: str = "opcode"
) -> None:
    """Does both with a message, and then checks it and their results."""
    for place in count():
        msg = taken(DATA)
        done = Interrupted(lambda: one(msg), lambda: other(msg), place, step)  # noqa: B023
        if not done.came:
            return
        check(msg, done.result, done.given)


def reading(name: str) -> Act:
    return lambda msg: getattr(msg, name)


def assigning(name: str, value: Any) -> Act:
    return lambda msg: setattr(msg, name, copy.copy(value))


NAMES = ["args", "kwargs", "exclude", "forward_for"]
PAIRS = [("args", "args"), ("args", "kwargs"), ("exclude", "args"), ("forward_for", "exclude")]


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_a_value_that_was_read_stays_the_same_object_and_its_changes_are_sent(name, other):
    def check(msg: Any, mine: Any, theirs: Any) -> None:
        assert getattr(msg, name) is mine
        assert getattr(msg, other) is theirs
        for each in (mine, theirs):
            each.clear()
        sent = OBJSER.unserialize(OBJSER.serialize(msg))[0]
        assert not getattr(sent, name)
        assert not getattr(sent, other)

    in_every_order(reading(name), reading(other), check)


@pytest.mark.parametrize("other", [*NAMES, "retain", "topic"])
def test_an_assigned_value_stays_whatever_is_read(other):
    values = {"args": [2], "kwargs": {"k": 2}, "exclude": [6], "forward_for": HOPS * 2,
              "retain": False, "topic": "c.d"}  # fmt: skip
    value = values[other]

    def check(msg: Any, *results: Any) -> None:
        assert getattr(msg, other) == value
        assert getattr(OBJSER.unserialize(OBJSER.serialize(msg))[0], other) == value

    for name in {"args", other}:
        in_every_order(reading(name), assigning(other, value), check)
        in_every_order(assigning(other, value), reading(name), check)


def test_a_value_that_two_threads_assign_is_sent():
    def check(msg: Any, *results: Any) -> None:
        sent = OBJSER.unserialize(OBJSER.serialize(msg))[0]
        assert (msg.args, msg.kwargs) == (sent.args, sent.kwargs) == ([2], {"k": 2})

    in_every_order(assigning("args", [2]), assigning("kwargs", {"k": 2}), check)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_equals_what_it_was_made_from(name):
    def check(msg: Any, mine: Any, theirs: Any) -> None:
        assert getattr(msg, name) == getattr(taken(DATA), name)
        for twin in (mine, theirs):
            if isinstance(twin, m.Publish):
                assert twin == taken(DATA)
                assert OBJSER.serialize(twin) == DATA

    in_every_order(copy.copy, reading(name), check)
    in_every_order(reading(name), copy.copy, check)


@pytest.mark.parametrize("name", ["args", "forward_for"])
def test_the_sent_value_is_the_one_that_is_read_meanwhile(name):
    other = FlatBuffersObjectSerializer(dialect="schema")

    def sending(msg: Any) -> Any:
        return receive(msg, other)

    def changed(msg: Any) -> Any:
        msg.topic = "a.b"  # so that the rest is re-encoded
        return receive(msg)

    def check(msg: Any, sent: Any, seen: Any) -> None:
        assert sent == taken(DATA)
        assert seen == getattr(taken(DATA), name)

    in_every_order(sending, reading(name), check, step="line")
    in_every_order(changed, reading(name), check, step="line")


@pytest.mark.parametrize("value", [["text"], {"key": "text"}, [2.5, b"blob"]])
@pytest.mark.parametrize("junk", [b"\0", b"\xff"])
def test_bytes_that_change_while_they_are_read_give_a_value_or_an_error_of_ours(value, junk):
    original = flexbuffers.dumps(value)

    def change() -> None:
        data[:] = junk * len(data)

    def read() -> Any:
        for look in (lazy.value, lazy.keys if lazy.is_map else lazy.value, lambda: list(lazy)):
            with suppress(flexbuffers.FlexBuffersError):
                look()

    for place in range(0, 400, 5):
        data = bytearray(original)
        lazy = flexbuffers.loads(data, lazy=True)
        if not Interrupted(read, change, place, "opcode").came:  # only ours: no other is caught
            break
