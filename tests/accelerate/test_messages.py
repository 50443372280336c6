"""The part ``messages``: Autobahn's classes, made in C."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from autobahn.wamp import message

import autobahn_fbs
from autobahn_fbs import _accelerate
from support.marks import extension_only

HERE = Path(__file__).parent
M: Any = message


@pytest.fixture
def part() -> Iterator[None]:
    with autobahn_fbs.accelerate(["messages"]):
        yield


def python_calls(function: Any) -> int:
    """How many functions of autobahn.wamp.message a call runs."""
    seen = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal seen
        seen += event == "call" and frame.f_code.co_filename == M.__file__

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return seen


USUAL = [
    lambda: M.Publish(1, "a.b", args=[1], kwargs={"a": 2}, acknowledge=True, exclude=[1]),
    lambda: M.Publish(1, "a.b", payload=b"", eligible_authrole=["a"]),
    lambda: M.Event(1, 2, args=(1,), publisher=3, topic=None, retained=False),
    lambda: M.Call(1, "a.b", [1], {}, timeout=10, receive_progress=None),
    lambda: M.Result(1, kwargs={"a": 1}, args=[], progress=True),
    lambda: M.Invocation(1, 2, args=None, kwargs=None, caller=7, procedure="a"),
    lambda: M.Yield(1),
    lambda: M.Error(48, 1, "a.b", args=["text"]),
    lambda: M.Subscribe(1, "a.b", match="prefix"),
    lambda: M.Subscribe(1, "a.b"),
    lambda: M.Subscribed(1, 2),
    lambda: M.Unsubscribe(1, 2),
    lambda: M.Unsubscribed(1),
    lambda: M.Published(1, 2),
    lambda: M.EventReceived(2),
    lambda: M.Register(1, "a.b", invoke="roundrobin"),
    lambda: M.Registered(1, 2),
    lambda: M.Unregister(1, 2),
    lambda: M.Unregistered(1),
    lambda: M.Cancel(1, mode="kill"),
    lambda: M.Interrupt(1, mode="killnowait", reason="a.b"),
    lambda: M.Goodbye(),
    lambda: M.Abort("a.b", message="text"),
    lambda: M.Challenge("ticket"),
    lambda: M.Authenticate("signature", {"a": 1}),
]


@extension_only
@pytest.mark.parametrize("make", USUAL)
def test_usual_messages_are_made_without_a_python_call(part, make):
    assert python_calls(make) == 0


@extension_only
def test_good_and_bad_arguments_have_the_same_outcome_as_in_autobahn(part):
    import constructor_oracle

    constructor_oracle.check_many()


@extension_only
def test_they_have_the_same_outcome_without_assertions():
    """With ``python -O``, Autobahn's assertions are not checked, neither here nor there."""
    command = [sys.executable, "-O", str(HERE / "constructor_oracle.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_constructor_is_still_autobahns(part):
    signature = inspect.signature(M.Publish)
    assert list(signature.parameters)[:3] == ["request", "topic", "args"]
    assert inspect.getsourcefile(M.Publish.__init__) == M.__file__
    assert ":param topic:" in (M.Publish.__init__.__doc__ or "")


class Louder(M.Publish):
    """A subclass with a constructor."""

    __slots__ = ("volume",)

    def __init__(self, volume: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.volume = volume


def test_subclasses_work_as_before(part):
    made = Louder(11, 1, "a.b", args=[1])
    assert (made.volume, made.request, made.topic, made.args) == (11, 1, "a.b", [1])
    with pytest.raises(AssertionError):
        Louder(11, "no int", "a.b")


def test_messages_made_before_are_equal_to_those_made_after():
    before = M.Publish(1, "a.b", args=[1])
    old = pickle.dumps(before)
    with autobahn_fbs.accelerate(["messages"]):
        after = M.Publish(1, "a.b", args=[1])
        assert before == after == pickle.loads(old) == copy.deepcopy(after)
        assert pickle.dumps(after) == old
    assert pickle.loads(old) == after


def test_a_message_can_be_initialized_again(part):
    made = M.Subscribed(1, 2)
    made.__init__(3, 4)
    assert (made.request, made.subscription) == (3, 4)


def test_a_constructor_that_is_replaced_is_called(part):
    with mock.patch.object(M.Published, "__init__", return_value=None) as replaced:
        made = M.Published(1, 2)
        replaced.assert_called_once_with(1, 2)
        assert not hasattr(made, "_request")
    assert M.Published(1, 2).publication == 2


def test_a_constructor_with_other_code_is_called(part, monkeypatch):
    def other(self: Any, request: Any = None, publication: Any = None, from_fbs: Any = None):
        self._request = "other"

    with monkeypatch.context() as patch:
        patch.setattr(M.Published.__init__, "__code__", other.__code__)
        assert M.Published(1, 2)._request == "other"
    assert M.Published(1, 2).publication == 2
    with monkeypatch.context() as patch:
        patch.setattr(M.Published.__init__, "__defaults__", (7, 8, None))
        assert M.Published().publication == 8
    assert M.Published(1, 2).publication == 2


def test_a_base_class_that_is_changed_is_used(part):
    original = M.Message.__init__

    def changed(self: Any, from_fbs: Any = None) -> None:
        original(self, from_fbs)
        self._correlation_id = "changed"

    with mock.patch.object(M.Message, "__init__", changed):
        assert M.Published(1, 2).correlation_id == "changed"
    assert M.Published(1, 2).correlation_id is None


@extension_only
def test_a_debugger_steps_into_autobahns_constructor(part):
    names = []

    def trace(frame: Any, event: str, argument: Any) -> None:
        names.append(frame.f_code.co_qualname if sys.version_info > (3, 11) else "")

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        M.Published(1, 2)
    finally:
        sys.settrace(before)
    assert "Published.__init__" in names


def test_each_message_has_a_cache_and_dicts_of_its_own(part):
    one, other = M.Challenge("ticket"), M.Challenge("ticket")
    assert one._serialized == {} and one._serialized is not other._serialized
    assert one.extra == {} and one.extra is not other.extra


@extension_only
def test_it_is_undone_and_applied_again():
    make = USUAL[0]
    for _ in range(3):
        assert python_calls(make) > 0
        with autobahn_fbs.accelerate(["messages"]):
            assert python_calls(make) == 0


@extension_only
def test_a_changed_class_stays_off():
    def other(
        self: Any, request: Any = None, publication: Any = None, from_fbs: Any = None
    ) -> None:
        self._request = request

    with (
        mock.patch.object(M.Published, "__init__", other),
        autobahn_fbs.accelerate(["messages"]),
    ):
        state, reason = _accelerate.status()["messages"]["autobahn.wamp.message"]
        assert state == "refused"
        assert "Published.__init__" in reason
        assert python_calls(lambda: M.Publish(1, "a.b")) > 0


@extension_only
@pytest.mark.parametrize("cls", [int, M.Message, M.MessageWithAppPayload, Louder, None])
def test_other_classes_are_refused(cls):
    with pytest.raises(TypeError, match="not one of Autobahn's message classes"):
        autobahn_fbs._backend.native.construct_in_c(cls)


@extension_only
def test_nothing_leaks(part):
    bad = [lambda: M.Publish("x", 1), lambda: M.Event(1, 2, nothing=3), lambda: M.Call(1)]

    def run() -> None:
        for _ in range(50):
            for make in USUAL:
                make()
            for make in bad:
                with pytest.raises((AssertionError, TypeError)):
                    make()

    run()
    gc.collect()
    before = sys.getrefcount(None), len(gc.get_objects())
    run()
    gc.collect()
    assert abs(sys.getrefcount(None) - before[0]) < 100
    assert abs(len(gc.get_objects()) - before[1]) < 100
