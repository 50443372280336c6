"""Compares the two bindings of the core in one process: they write the same bytes, and have the
same attributes, verdicts and error texts for valid and broken messages."""

from __future__ import annotations

import copy
import datetime
import decimal
import pickle
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autobahn.wamp.message import Event, Hello, Message, Publish
from hypothesis import given
from hypothesis import strategies as st

import autobahn_fbs
from support.compare import MESSAGE_CLASSES, attribute_names, canonical, plain_copy
from support.mutations import mutated
from support.samples import every_sample, every_value
from support.strategies import messages, values
from support.wirebuild import build

#: Looked up as files: looking up a module in _cffi would import _cffi, which needs _core.
PACKAGE = Path(autobahn_fbs.__file__).parent
BUILT = all(
    any(path.suffix in (".so", ".pyd") for path in PACKAGE.glob(pattern))
    for pattern in ("_cpython.*", "_cffi/_core.*")
)
pytestmark = pytest.mark.skipif(
    not BUILT, reason="NOT TESTED: the backends against each other, because one of them is missing"
)

if BUILT:
    from autobahn_fbs import _cffi, _cpython

    SETTINGS = [
        (batched, schema, codec)
        for batched in (False, True)
        for schema in (False, True)
        for codec in (0, 1, 2)
    ]
    PAIRS = [(_cpython.ObjectSerializer(*s), _cffi.ObjectSerializer(*s)) for s in SETTINGS]
else:
    PAIRS = []

pairs = st.sampled_from(PAIRS or [None])
CBOR_PAIRS = [pair for pair, setting in zip(PAIRS, SETTINGS if BUILT else [], strict=True)
              if setting[2] == 0]  # fmt: skip


def outcome(do: Callable[[], Any]) -> tuple[str, Any]:
    """The result of a call: its value, or its exception's type and text."""
    try:
        return "gives", do()
    except Exception as error:
        return type(error).__name__, str(error)


def told(messages: list[Any]) -> list[Any]:
    """The whole content of received messages, including private names and views."""
    found: list[Any] = []
    for msg in messages:
        for name in (*attribute_names(type(msg)), "ppt_cipher"):
            if hasattr(type(msg), name):
                for each in (name, "_" + name):
                    found.append((each, outcome(lambda m=msg, n=each: canonical(getattr(m, n)))))
        for name in ("args_view", "kwargs_view", "payload_view"):
            view = getattr(msg, name, None)
            found.append((name, view and bytes(view)))
    return found


def both(pair: Any, do: Callable[[Any], Any]) -> Any:
    """The outcome with either backend, after making sure that they are the same."""
    left, right = (outcome(lambda s=serializer: do(s)) for serializer in pair)
    assert left == right
    return left


@pytest.mark.parametrize("msg", every_sample() if BUILT else [], ids=lambda m: type(m).__name__)
def test_every_sample_becomes_the_same_bytes_and_comes_back_the_same(msg):
    for pair in PAIRS:
        how, data = both(pair, lambda serializer: serializer.serialize(plain_copy(msg)))
        assert how == "gives"
        both(pair, lambda serializer, d=data: told(serializer.unserialize(d)))


def test_every_value_of_every_attribute_becomes_the_same_bytes():
    for klass, name, value in every_value():
        for pair in CBOR_PAIRS:
            both(pair, lambda s, k=klass, n=name, v=value: s.serialize(changed(k, n, v)))


def changed(klass: type[Message], name: str, value: Any) -> Message:
    """A sample of a class in which an attribute is set without any checks."""
    sample = next(msg for msg in every_sample() if type(msg) is klass)
    msg = plain_copy(sample)
    setattr(msg, "_" + name, value)
    return msg


@given(msg=messages(), pair=pairs)
def test_any_message_becomes_the_same_bytes_and_comes_back_the_same(msg, pair):
    how, data = both(pair, lambda serializer: serializer.serialize(plain_copy(msg)))
    if how == "gives":
        both(pair, lambda serializer: told(serializer.unserialize(data)))
        both(pair, lambda serializer: serializer.serialize(serializer.unserialize(data)[0]))


@given(msg=messages(), pair=pairs, seed=st.integers(0, 2**32))
def test_broken_messages_get_the_same_verdict_and_read_alike(msg, pair, seed):
    how, data = outcome(lambda: pair[0].serialize(msg))
    if how != "gives":
        return
    source = random.Random(seed)
    for _ in range(8):
        broken = mutated(data, source)
        how, _found = both(pair, lambda s, b=broken: told(s.unserialize(b)))
        if how == "gives":
            both(pair, lambda s, b=broken: [s.serialize(msg) for msg in s.unserialize(b)])


_ODD = [b"", bytearray(b"x"), memoryview(b"view"), {1}]
WILD = values | st.builds(object) | st.sampled_from(_ODD)


@given(
    klass=st.sampled_from(MESSAGE_CLASSES), data=st.data(), value=WILD, pair=pairs,
    received=st.booleans(),
)  # fmt: skip
def test_any_value_in_any_attribute_is_sent_alike_or_refused_alike(
    klass, data, value, pair, received
):
    name = data.draw(st.sampled_from(attribute_names(klass)))

    def send(serializer: Any) -> bytes:
        msg = changed(klass, name, None if received else value)
        if received:
            msg = changed(klass, name, getattr(plain_copy(sample_of(klass)), name))
            (msg,) = serializer.unserialize(serializer.serialize(msg))
            setattr(msg, "_" + name, value)
        found: bytes = serializer.serialize(msg)
        return found

    both(pair, send)


def test_types_that_are_made_in_c_have_the_same_names_in_errors():
    """A simple value's type is cbor2.CBORSimpleValue if C code asks for its name."""
    odd = [deque(), datetime.timedelta(), decimal.Decimal(1)]
    data = build("Event", {"subscription": 1, "publication": 2, "args": b"\xf0", "kwargs": b"\x80"})
    for pair in CBOR_PAIRS:
        assert both(pair, lambda s: told(s.unserialize(data)))
        for value in odd:
            for name in ("topic", "args", "kwargs", "forward_for"):
                how, text = both(pair, lambda s, n=name, v=value: s.serialize(changed(Event, n, v)))
                assert how == "TypeError"
                assert f"got {type(value).__name__}" in text
            both(pair, lambda s, v=value: s.serialize(v))
    _, text = both(CBOR_PAIRS[0], lambda s: s.unserialize(data)[0].args)
    assert "payload is CBORSimpleValue, at offset" in text


class OddList(list[Any]):
    def __iter__(self) -> Any:
        raise LookupError("not asked")


def test_lists_are_read_without_calling_the_iterator_of_a_subclass():
    for klass, name, value in (
        (Hello, "authmethods", ["ticket"]),
        (Publish, "exclude", [1, 2]),
        (Publish, "exclude_authid", ["a", "b"]),
    ):
        for pair in CBOR_PAIRS[:1]:
            how, data = both(
                pair, lambda s, k=klass, n=name, v=value: s.serialize(changed(k, n, OddList(v)))
            )
            assert how == "gives"
            assert getattr(pair[0].unserialize(data)[0], name) == value


def sample_of(klass: type[Message]) -> Message:
    return next(msg for msg in every_sample() if type(msg) is klass)


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=lambda klass: klass.__name__)
def test_messages_of_one_backend_equal_those_of_the_other_and_can_be_sent_by_it(klass):
    for pair in CBOR_PAIRS:
        data = pair[0].serialize(plain_copy(sample_of(klass)))
        left, right = (serializer.unserialize(data)[0] for serializer in pair)
        assert left == plain_copy(right)
        assert plain_copy(left) == right
        assert pair[0].serialize(right) == pair[1].serialize(left) == data
        assert copy.deepcopy(right) == right
        assert pickle.loads(pickle.dumps(right)) == plain_copy(left)


@given(value=values)
def test_cbor_is_the_same(value):
    left, right = (
        outcome(lambda: _cpython.cbor_dumps(value)),
        outcome(lambda: _cffi.cbor_dumps(value)),
    )
    assert left == right
    if left[0] == "gives":
        assert canonical(_cffi.cbor_loads(left[1])) == canonical(_cpython.cbor_loads(left[1]))


@given(data=st.binary(max_size=60))
def test_any_bytes_as_cbor_get_the_same_verdict(data):
    left = outcome(lambda: canonical(_cpython.cbor_loads(data)))
    assert outcome(lambda: canonical(_cffi.cbor_loads(data))) == left
