"""Every allocation fails in turn, and then all from one on: the only result is MemoryError.

For each kind of work, allocation number n fails for n = 0, 1, 2 … until the work succeeds without a
failure. Each time, the work must raise MemoryError (or manage without the memory), its objects must
work again immediately, and in the end, no block of memory may be lost.

The interpreter's own test module injects the failures. All tests run in other processes, because an
error here may well be a crash.
"""

from __future__ import annotations

import _imp
import contextlib
import copy
import gc
import importlib.util
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from autobahn.wamp.exception import InvalidPayload, ProtocolError
from autobahn.wamp.message import Message, Published

import support.framework  # noqa: F401
import support.typed_samples as typed_samples
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer
from autobahn_fbs._backend import native
from support.compare import MESSAGE_CLASSES, attribute_names, canonical, plain_copy
from support.marks import extension_only
from support.programs import run_python
from support.samples import every_sample
from support.typed_schemas import SCHEMAS
from support.wirebuild import build

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except (ImportError, OSError):  # PyPy compiles its own, from a source that Debian omits
    set_nomemory = None

OBJSERS = {
    "autobahn": FlatBuffersObjectSerializer(),
    "schema": FlatBuffersObjectSerializer(batched=True, dialect="schema"),
}
BATCHED = FlatBuffersObjectSerializer(batched=True)
NAMES = {klass.__name__: attribute_names(klass) for klass in MESSAGE_CLASSES}
#: A change of at least one block in every round is a leak; less is the interpreter's own affair.
ROUNDS = 6
#: No work here allocates more often; this catches work that never succeeds.
MANY = 20_000
#: Work done by our code alone. Where the interpreter's own code takes part, its leaks would show:
# copy.copy() and sorted() of CPython 3.11 lose blocks when they run out of memory.
IN_C = ("serialize", "unserialize", "read", "change", "pass_on", "codec", "typed")

#: CPython 3.12 and 3.13 may crash in any Python code that runs out of memory, because a loop over a
#: dict frees its iterator twice. There, only work that is entirely in C is tested; the Python code
#: that our C calls is the same everywhere, and is tested on 3.11.
PYTHON_CRASHES = sys.version_info >= (3, 12)

#: The work is repeated with new results of `prepare`, and returns a value to compare.
Work = tuple[Callable[[], Any], Callable[[Any], Any]]


def serialize() -> Iterator[Work]:
    for msg in every_sample():

        def fresh(msg: Any = msg) -> Any:
            msg.uncache()
            return msg

        yield fresh, OBJSERS["autobahn"].serialize
        yield lambda msg=msg: plain_copy(msg), OBJSERS["autobahn"].serialize


def serialize_with_details() -> Iterator[Work]:
    for msg in every_sample():  # Autobahn's marshal() takes part
        yield lambda msg=msg: plain_copy(msg), OBJSERS["schema"].serialize


def unserialize() -> Iterator[Work]:
    for objser in OBJSERS.values():
        for msg in every_sample():
            data = objser.serialize(msg)

            yield lambda data=data: data, objser.unserialize
        yield lambda data=data: bytearray(data), objser.unserialize
        yield lambda data=data: memoryview(data), objser.unserialize


def received(objser: FlatBuffersObjectSerializer = OBJSERS["autobahn"]) -> Iterator[Any]:
    """For each class, a function that makes a received message with all attributes."""
    for msg in every_sample():
        data = objser.serialize(msg)
        yield lambda data=data: objser.unserialize(data)[0]


def read() -> Iterator[Work]:
    for objser in OBJSERS.values():
        for fresh in received(objser):
            names = [*attribute_names(type(fresh())), "args_view", "kwargs_view", "payload_view"]
            for name in names:
                if hasattr(fresh(), name):
                    yield fresh, lambda msg, name=name: getattr(msg, name)


def change() -> Iterator[Work]:
    for fresh in received():
        name = attribute_names(type(fresh()))[-1]

        def work(msg: Any, name: str = name) -> Any:
            with suppress(AttributeError):
                setattr(msg, name, getattr(msg, name))
            return getattr(msg, name)

        yield fresh, work


def pass_on() -> Iterator[Work]:
    for fresh in received():
        yield fresh, OBJSERS["autobahn"].serialize
        yield fresh, BATCHED.serialize

        def changed(fresh: Any = fresh) -> Any:
            msg = fresh()
            for name in attribute_names(type(msg)):
                with suppress(AttributeError, AssertionError):  # as Autobahn's own setters
                    setattr(msg, name, getattr(msg, name))
            return msg

        yield changed, OBJSERS["autobahn"].serialize


def copies() -> Iterator[Work]:
    for fresh in received():
        yield fresh, copy.copy
        yield fresh, copy.deepcopy


def pickles() -> Iterator[Work]:
    for fresh in received():
        yield fresh, pickled
        yield lambda fresh=fresh: pickled(fresh()), pickle.loads


def pickled(msg: Any) -> bytes:
    try:
        return pickle.dumps(msg)
    except pickle.PicklingError as error:  # pickle's error if an import ran out of memory
        raise MemoryError from error


def compare() -> Iterator[Work]:
    for fresh in received():
        other = fresh()
        yield fresh, lambda msg, other=other: msg == other
        yield fresh, lambda msg: msg.marshal()


def codec() -> Iterator[Work]:
    values = [
        [None, True, 1, -1, 2**64 - 1, 1.5, "text", "ß" * 50, b"bytes", [], {}],
        {"key": [{"deeper": [[[["down"]]]]}], 1: 2, b"k": {"x" * 100: "y" * 1000}},
        [[i, str(i), {str(i): i}] for i in range(20)],
    ]
    for value in values:
        data = native.cbor_dumps(value)
        yield lambda value=value: value, native.cbor_dumps
        yield lambda data=data: data, native.cbor_loads
    large = {"so large that keys are remembered elsewhere": b"b" * 20_000}
    for value in values[0], [[i, str(i), {str(i): i}] for i in range(20)], large:
        data = native.flex_dumps(value)
        yield lambda value=value: value, native.flex_dumps
        yield lambda data=data: data, native.flex_loads


def transport() -> Iterator[Work]:
    serializer = FlatBuffersSerializer()
    for msg in every_sample()[::5]:
        data, _ = serializer.serialize(msg)
        yield lambda msg=msg: plain_copy(msg), serializer.serialize
        yield lambda data=data: data, serializer.unserialize
    yield lambda: None, lambda _: len(serializer.stats())
    yield lambda: None, lambda _: copy.copy(serializer).SERIALIZER_ID
    yield lambda: None, lambda _: FlatBuffersSerializer().RAWSOCKET_SERIALIZER_ID


def refuse() -> Iterator[Work]:
    def work(data: bytes) -> str:
        try:
            return repr(OBJSERS["autobahn"].unserialize(data))
        except ProtocolError as error:
            return str(error)

    yield lambda: b"\0" * 100, work
    yield lambda: build("Publish", {"request": 2**60, "topic": "a.b"}), work
    yield lambda: build("Event", {"subscription": 1, "publication": 2, "topic": b"\xff"}), work

    def impossible(msg: Any) -> str:
        try:
            OBJSERS["autobahn"].serialize(msg)
        except (TypeError, ValueError) as error:
            return str(error)
        return "sent"

    for value in ("no number", -1):
        msg = Published(1, 2)
        msg._request = value
        yield lambda msg=msg: msg, impossible


def typed() -> Iterator[Work]:
    codec = native.TypedSchema((SCHEMAS / "unions.bfbs").read_bytes()).codec("unions.Drawing")
    data = codec.encode(typed_samples.DRAWING)
    instance = codec.decode(data)
    yield lambda: instance, codec.encode
    yield lambda: typed_samples.DRAWING, codec.encode
    for form in range(4):
        yield lambda: data, lambda data, form=form: codec.encode(codec.decode(data, form=form))
    yield lambda: data, codec.verify
    yield lambda: data, lambda data: codec.encode(codec.lazy(data).decode())
    yield lambda: instance, lambda value: codec.encode(value.to_dict())


def typed_with_enums() -> Iterator[Work]:  # whose flags are put together by Python code
    codec = native.TypedSchema((SCHEMAS / "basics.bfbs").read_bytes()).codec("basics.Everything")
    data = codec.encode(typed_samples.EVERYTHING)
    instance = codec.decode(data)
    yield lambda: instance, codec.encode
    yield lambda: typed_samples.EVERYTHING, codec.encode
    for form in range(4):
        yield lambda: data, lambda data, form=form: codec.encode(codec.decode(data, form=form))
    yield lambda: instance, repr


def typed_refusals() -> Iterator[Work]:
    codec = native.TypedSchema((SCHEMAS / "basics.bfbs").read_bytes()).codec("basics.Leaf")

    def work(function: Any) -> Callable[[Any], str]:
        def refused(value: Any) -> str:
            try:
                return repr(function(value))
            except InvalidPayload as error:
                return str(error)

        return refused

    yield lambda: {"number": "no number"}, work(codec.encode)
    yield lambda: {"nothing": 1}, work(codec.encode)
    yield lambda: b"\0" * 100, work(codec.decode)


def typed_schemas() -> Iterator[Work]:
    data = (SCHEMAS / "version1.bfbs").read_bytes()

    def classes(data: bytes) -> str:
        schema = native.TypedSchema(data)
        return repr([schema.type(name).__name__ for name in schema.tables])

    yield lambda: data, lambda data: repr(native.TypedSchema(data))
    yield lambda: data, lambda data: native.TypedSchema(data).describe()
    yield lambda: data, classes


def import_again() -> Iterator[Work]:
    if sys.version_info >= (3, 13):  # 3.13.0 has a broken dict afterwards; the cause is unknown
        return
    spec = importlib.util.find_spec("autobahn_fbs._cpython")

    # Functions that importlib's loader calls. Its own Python code, like starved() before it was
    # short, can retry for ever when memory is exhausted.
    def work(_: None) -> int:
        module = _imp.create_dynamic(spec)
        _imp.exec_dynamic(module)
        return len(module.RECEIVED)

    yield lambda: None, work


WORK = {
    function.__name__: function
    for function in (
        serialize, serialize_with_details, unserialize, read, change, pass_on, copies, pickles,
        compare, codec, transport, refuse, typed, typed_with_enums, typed_refusals, typed_schemas,
        import_again,
    )
}  # fmt: skip


def seen(result: Any) -> Any:
    """A result as something that can be compared."""
    if isinstance(result, Message):
        return {name: canonical(getattr(result, name)) for name in NAMES[type(result).__name__]}
    if isinstance(result, list):
        return [seen(item) for item in result]
    return canonical(result)


def starved(work: Callable[[Any], Any], thing: Any, first: int, last: int) -> Any:
    """The result of the work while allocations `first` to `last` (0: all from there on) fail.

    This function is short: CPython 3.12 stores where in the code an exception occurred as an int.
    Above 256, this needs an allocation, and without memory it retries for ever."""
    set_nomemory(first, last)
    try:
        return work(thing)
    finally:
        remove_mem_hooks()


def attempt(prepare: Callable[[], Any], work: Callable[[Any], Any], first: int, last: int) -> bool:
    """Does the work while allocations `first` to `last` (0: all from there on) fail; returns
    whether it succeeded anyway. Raises anything but MemoryError."""
    thing = prepare()
    failed = False
    result = None
    try:
        result = starved(work, thing, first, last)
    except MemoryError:
        failed = True
    expected = seen(work(prepare()))
    assert failed or seen(result) == expected, f"without allocation {first}: wrong result"
    assert seen(work(thing)) == expected, f"after allocation {first} failed: unusable"
    return not failed


def after(number: int) -> int:
    """The allocation to fail next: each of the first two hundred, then at growing distances."""
    return number + 1 + number // 200


def sweep(works: list[Work]) -> int:
    """Makes every allocation of all the work fail; returns the number of failures."""
    failures = 0
    for prepare, work in works:
        count = 0
        while not attempt(prepare, work, count, 0):
            count = after(count)
            assert count < MANY, "it never gets by"
            failures += 1
        number = 0
        while number < count:
            attempt(prepare, work, number, number + 1)
            number = after(number)
    return failures


def calls_python(prepare: Callable[[], Any], work: Callable[[Any], Any]) -> bool:
    """Whether the work calls Python functions other than those in this file."""
    thing = prepare()
    files = set()

    def note(frame: Any, event: str, arg: Any) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        work(thing)
    finally:
        sys.setprofile(None)
    return bool(files - {__file__, contextlib.__file__})


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def report(name: str) -> dict[str, Any]:
    """The results of all work of one kind."""
    works = list(WORK[name]())
    if PYTHON_CRASHES:
        works = [pair for pair in works if not calls_python(*pair)]
    failures = sweep(works)  # caches fill
    before = blocks()
    for _ in range(ROUNDS if name in IN_C else 0):
        failures = sweep(works)
    growth = blocks() - before if name in IN_C else 0
    return {"works": len(works), "failures": failures, "growth": growth}


@extension_only
@pytest.mark.parametrize("name", WORK)
def test_without_memory_there_is_a_memory_error_and_nothing_is_lost(name):
    if set_nomemory is None:
        pytest.skip("NOT TESTED: failing allocations, which need the interpreter's _testcapi")
    done = run_python("-X", "faulthandler", "-W", "ignore", __file__, name)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    if PYTHON_CRASHES and not found["works"]:
        pytest.skip("NOT TESTED: without memory, this CPython may crash in code that isn't ours")
    # At least a third: reading small values takes no memory, and CPython 3.15 reuses more objects.
    assert found["failures"] >= found["works"] // 3, found
    assert found["growth"] < ROUNDS, found


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1])))
