"""Compares creating messages in C and with Autobahn's own constructor, for valid and invalid
arguments.

Run by test_messages.py, and as a program under ``python -O``, where Autobahn's assertions are gone.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import autobahn.asyncio.wamp  # noqa: F401 - Autobahn wants asyncio or Twisted chosen first
from autobahn.wamp import message, role
from hypothesis import given, settings
from hypothesis import strategies as st

from autobahn_fbs import _cpython

#: Autobahn's 25 classes.
CLASSES: list[Any] = [received.__mro__[1] for received in _cpython.RECEIVED.values()]


class Text(str):
    """A class derived from str."""


class Number(int):
    """A class derived from int."""


class Items(list[Any]):
    """A class derived from list."""


class Mapping(dict[Any, Any]):
    """A class derived from dict."""


class Loud:
    """Raises when it is compared or asked whether it is true."""

    def __eq__(self, other: object) -> bool:
        raise LookupError("compared")

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise LookupError("asked")


_HOP = {"session": 1, "authid": None, "authrole": "a"}
_CLIENT = {"publisher": role.RolePublisherFeatures(), "caller": role.RoleCallerFeatures()}
_ROUTER = {"broker": role.RoleBrokerFeatures(), "dealer": role.RoleDealerFeatures()}

#: Values of all kinds, so that each is good for some parameter and bad for others.
VALUES: tuple[Any, ...] = (
    *(None, None, None, True, False, 0, 1, 7, -1, 2**53, 2**70, 1.0, Number(3)),
    *("", "com.example", "exact", "prefix", "wildcard", "skip", "kill", "killnowait", "abort"),
    *("single", "roundrobin", "random", "ticket", "cryptobox", "json", "x_custom", "\ud800"),
    *(Text("exact"), Text("a"), b"", b"payload", bytearray(b"a"), memoryview(b"a")),
    *([], [1], [True], ["a"], [Text("a")], ["a", 1], [None], Items([1]), (), (1, "a"), {1}),
    *({}, {"a": 1}, {Text("a"): 1}, {1: 2}, {b"a": 1}, {"x_a": 1}, {"x_": 1, "y": 2}, Mapping(a=1)),
    *([_HOP], [_HOP, {}], [{**_HOP, "session": "1"}], [{**_HOP, "authrole": None}], (_HOP,)),
    *(_CLIENT, _ROUTER, {"publisher": 1}, {"broker": role.RoleDealerFeatures()}),
    *(Loud(), [Loud()], object()),
)

#: Common arguments: valid values, by the kind of parameter.
_GOOD: dict[str, list[Any]] = {
    "request": [0, 1, 2**53],
    "args": [[], [1], (1, 2)],
    "kwargs": [{}, {"a": 1}],
    "payload": [b"", b"payload"],
    "topic": ["com.example"],
    "procedure": ["com.example"],
    "error": ["wamp.error"],
    "reason": ["wamp.close.normal"],
    "match": ["exact", "prefix"],
    "mode": ["kill", "killnowait", "skip"],
    "invoke": ["single", "random"],
    "exclude": [[], [1, 2]],
    "eligible": [[3]],
    "exclude_authid": [["a"]],
    "forward_for": [[], [_HOP]],
    "extra": [{}, {"a": 1}],
    "custom": [{}, {"x_a": 1}],
    "method": ["ticket", "something"],
    "authmethods": [["ticket"], []],
    "retain": [True, False],
    "progress": [True, False],
}

_values = st.sampled_from(range(len(VALUES))).map(lambda index: VALUES[index])


def _for_parameter(name: str) -> st.SearchStrategy[Any]:
    good = _GOOD.get(name) or (["a"] if "auth" in name else [1, True, "a"])
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.none(), _values)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """A class, and arguments for it: some by position, some by name in any order."""
    cls = draw(st.sampled_from(CLASSES))
    names = list(inspect.signature(cls).parameters)
    count = draw(st.integers(0, min(3, len(names))))
    args = [draw(_for_parameter(name)) for name in names[:count]]
    if draw(st.integers(0, 30)) == 0:
        args += [1] * 30
    named = draw(st.lists(st.sampled_from(names), unique=True, max_size=6))
    if draw(st.integers(0, 5)):  # rarely, one that was given by position already
        named = [name for name in named if name not in names[:count]]
    if draw(st.integers(0, 5)):
        named = [name for name in named if name != "from_fbs"]
    if draw(st.integers(0, 30)) == 0:
        named.append("unknown")
    return cls, tuple(args), {name: draw(_for_parameter(name)) for name in named}


def slots_of(made: Any) -> dict[str, Any]:
    """Everything in an instance."""
    names = [name for cls in type(made).__mro__ for name in getattr(cls, "__slots__", ())]
    return {name: getattr(made, name, AttributeError) for name in names}


def _outcome(make: Any) -> Any:
    try:
        return slots_of(make())
    except Exception as error:
        return type(error), str(error), error.args


def by_autobahn(cls: Any, args: Any, kwargs: Any) -> Any:
    """An instance as Python makes it."""
    made = cls.__new__(cls)
    cls.__init__(made, *args, **kwargs)
    return made


def _same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict) and "_serialized" in left:
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    # The caches, and the dicts that replace absent ones, are new each time.
    return left is right or left == right == {} or (isinstance(left, tuple) and left == right)


def check(call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    """Checks that both ways agree.

    :raises ValueError: they do not.
    """
    cls, args, kwargs = call
    ours = _outcome(lambda: cls(*args, **kwargs))
    theirs = _outcome(lambda: by_autobahn(cls, args, kwargs))
    if not _same(ours, theirs):
        raise ValueError(f"{cls.__name__}(*{args}, **{kwargs}): {ours}, Autobahn: {theirs}")


@settings(max_examples=1500, deadline=None, database=None)
@given(calls())
def check_many(call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    check(call)


def main() -> int:
    for cls in CLASSES:
        _cpython.construct_in_c(cls)
    check_many()
    bad = message.Publish("no int", 1)  # Autobahn's assertions are off, and nothing else checks
    return 0 if not __debug__ and bad.topic == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
