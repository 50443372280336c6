"""Nothing is leaked: memory, objects and references stay constant over many rounds of every
message, valid and invalid."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp import role
from autobahn.wamp.exception import InvalidPayload, ProtocolError
from autobahn.wamp.serializer import CBORSerializer

import support.framework  # noqa: F401
import support.typed_samples as typed_samples
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer
from autobahn_fbs._backend import native
from support.compare import MESSAGE_CLASSES, attribute_names, attributes_of, plain_copy
from support.impossible import impossible
from support.marks import cpython_only
from support.programs import run_python
from support.samples import every_sample, full
from support.typed_schemas import SCHEMAS
from support.wirebuild import build

OBJSERS = [
    FlatBuffersObjectSerializer(batched=batched, dialect=dialect)
    for dialect in ("autobahn", "schema")
    for batched in (False, True)
]
TRANSPORT = FlatBuffersSerializer()
SAMPLES = every_sample()
WIRE = [(objser, objser.serialize(plain_copy(msg))) for objser in OBJSERS for msg in SAMPLES]
RECEIVED = [type(objser.unserialize(data)[0]) for objser, data in WIRE]
SCHEMA = {
    name: native.TypedSchema((SCHEMAS / f"{name}.bfbs").read_bytes())
    for name, _, _ in typed_samples.ALL
}
BROKEN_PAYLOADS = [
    build("Event", {"subscription": 1, "publication": 2, "args": junk, "kwargs": junk})
    for junk in (b"\xff", b"\x81", b"\x9f\x01", b"\xa1\x01", b"\x7f\x41a", b"\x01\x02",
                 b"\x82\x61a\xc1\x61a", b"\x83\x01\x61a\xff", b"\xa1\x61a\x81")
]  # fmt: skip


def serialize_all() -> None:
    for objser in OBJSERS:
        for msg in SAMPLES:
            msg.uncache()
            objser.serialize(msg)
            msg.uncache()


def unserialize_all() -> None:
    for objser, data in WIRE:
        objser.unserialize(data)
        objser.unserialize(bytearray(data))
        objser.unserialize(memoryview(data))


def read_all() -> None:
    for objser, data in WIRE:
        (msg,) = objser.unserialize(data)
        attributes_of(msg)
        attributes_of(msg)
        for name in ("args_view", "kwargs_view", "payload_view"):
            getattr(msg, name, None)
        msg.marshal()


def set_and_send_all() -> None:
    for objser, data in WIRE[: len(SAMPLES)]:
        (msg,) = objser.unserialize(data)
        objser.serialize(msg)
        for name in attribute_names(type(msg)):
            try:
                setattr(msg, name, getattr(msg, name))
                setattr(msg, name, object())
            except (AssertionError, AttributeError, TypeError):
                pass
        objser.serialize(msg)


def copy_and_compare_all() -> None:
    for objser, data in WIRE[: len(SAMPLES)]:
        (msg,) = objser.unserialize(data)
        twins = [copy.copy(msg), copy.deepcopy(msg), pickle.loads(pickle.dumps(msg))]
        assert all(twin == msg for twin in twins)
        assert msg == plain_copy(msg)
        assert msg != twins
        str(msg)
        msg._router_internal = msg  # a cycle
    gc.collect()


def other_serializers_all() -> None:
    cbor = CBORSerializer()
    for objser, data in WIRE[: len(SAMPLES)]:
        (msg,) = objser.unserialize(data)
        with suppress(TypeError):
            cbor.serialize(msg)
        msg.uncache()


def transport_all() -> None:
    for msg in SAMPLES:
        data, _ = TRANSPORT.serialize(msg)
        TRANSPORT.unserialize(data, True)
        copy.copy(TRANSPORT)
        TRANSPORT.stats()
        msg.uncache()


def refuse_to_write_all() -> None:
    for klass in MESSAGE_CLASSES:
        for name in attribute_names(klass):
            for value in impossible(klass, name):
                msg = klass(**full(klass))
                setattr(msg, "_" + name, value)
                with suppress(TypeError, ValueError):
                    OBJSERS[0].serialize(msg)
    for thing in (None, [], [999], [17, -1, 2], object()):
        with pytest.raises((TypeError, ProtocolError)):
            OBJSERS[0].serialize(thing)


def refuse_to_read_all() -> None:
    for objser, data in WIRE[::5]:
        for place in range(0, len(data), 7):
            for broken in (data[:place], data[:place] + b"\xff" + data[place + 1 :]):
                try:
                    for msg in objser.unserialize(broken):
                        attributes_of(msg)
                except ProtocolError:
                    pass


def broken_payloads_all() -> None:
    for data in BROKEN_PAYLOADS:
        (msg,) = OBJSERS[0].unserialize(data)
        for name in ("args", "kwargs"):
            with suppress(ProtocolError):  # cbor2 before 6 accepts one of them
                getattr(msg, name)


def typed_all() -> None:
    for schema, name, value in typed_samples.ALL:
        codec = SCHEMA[schema].codec(name)
        data = codec.encode(value)
        instance = codec.decode(data)
        for form in range(4):
            codec.decode(data, form=form)
        lazy = codec.lazy(data)
        for field in codec.fields:
            getattr(lazy, field, None)
            codec.get(data, field)
        repr(instance), instance.to_dict(), lazy.to_dict(), copy.copy(instance) == instance
        pickle.loads(pickle.dumps(instance))
        codec.encode(instance)


def typed_refusals_all() -> None:
    for schema, name, value in typed_samples.ALL:
        codec = SCHEMA[schema].codec(name)
        data = codec.encode(value)
        for place in range(0, len(data), 5):
            for broken in (data[:place], data[:place] + b"\xff" + data[place + 1 :]):
                with suppress(InvalidPayload):
                    codec.decode(broken)
        with suppress(InvalidPayload):
            codec.encode({**value, "no such field": 1})
        with suppress(TypeError):
            codec.schema.type(name)(no_such_field=1)
        for field in codec.fields:
            for wrong in (object(), [object()], [None], {"a": 1}, 2**70, "nothing", "\ud800"):
                with suppress(InvalidPayload):
                    codec.encode({**value, field: wrong})


def typed_classes_all() -> None:
    """Schemas and classes that come and go: each is a cycle."""
    gc.collect()  # so that each round forgets those of the one before
    for path in sorted(SCHEMAS.glob("*.bfbs")):
        data = path.read_bytes()
        schema = native.TypedSchema(data, words="memory")
        for name in (*schema.tables, *schema.structs, *schema.enums):
            with suppress(InvalidPayload):
                schema.type(name)
        with suppress(InvalidPayload):
            native.TypedSchema(data[:-8])


WORK = [
    typed_all,
    typed_refusals_all,
    typed_classes_all,
    serialize_all,
    unserialize_all,
    read_all,
    set_and_send_all,
    copy_and_compare_all,
    other_serializers_all,
    transport_all,
    refuse_to_write_all,
    refuse_to_read_all,
    broken_payloads_all,
]


def watched() -> list[Any]:
    """Objects that C code keeps or returns often; a leaked reference shows here."""
    return [
        None, True, False, "", b"", (), *set(RECEIVED), *MESSAGE_CLASSES, ProtocolError,
        *OBJSERS, *(data for _, data in WIRE), *role.ROLE_NAME_TO_CLASS.values(),
        m.Message, native,
        *(sys.intern(name) for klass in MESSAGE_CLASSES for name in attribute_names(klass)),
    ]  # fmt: skip


def settle() -> None:
    """Frees everything that the interpreter itself keeps for later."""
    gc.collect()
    clear = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    clear()


def state(objects: list[Any]) -> tuple[int, list[int]]:
    settle()
    return len(gc.get_objects()), [sys.getrefcount(thing) for thing in objects]


@cpython_only
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_references_and_objects_stay_constant(work: Callable[[], None]):
    rounds = 5
    objects = watched()
    for _ in range(3):  # caches fill
        work()
    state(objects)
    before_count, before = state(objects)
    for _ in range(rounds):
        work()
    after_count, after = state(objects)
    assert after_count - before_count < rounds
    grown = {
        repr(thing)[:60]: new - old
        for thing, old, new in zip(objects, before, after, strict=True)
        if new - old >= rounds
    }
    assert not grown


def traced_memory() -> int:
    import tracemalloc

    return tracemalloc.get_traced_memory()[0]


def growth(work: Callable[[], None], measure: Callable[[], int] = traced_memory) -> list[int]:
    """The growth in each of some rounds; ends with the first round without growth."""
    grown: list[int] = []
    while len(grown) < 8 and not (grown and grown[-1] <= 0):
        settle()
        before = measure()
        work()
        settle()
        grown.append(measure() - before)
    return grown


@pytest.mark.skipif(not hasattr(sys, "gettotalrefcount"), reason="needs a debug build of CPython")
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_the_total_of_all_references_stays_constant(work: Callable[[], None]):
    """References to any object: finds an increase of one reference in every round."""
    idle = min(growth(lambda: None, sys.gettotalrefcount))  # memory of the measurement itself
    work()
    grown = [total - idle for total in growth(work, sys.gettotalrefcount)]
    assert min(grown) <= 0, f"references grow by {grown} in rounds of the same work"


@cache
def growths() -> dict[str, list[int]]:
    """The growth of all work, from an interpreter that counts memory since its start: memory that
    was allocated before counting began would look like growth when it is replaced."""
    done = run_python("-X", "tracemalloc", __file__)
    assert done.returncode == 0, done.stderr
    result: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
    return result


@cpython_only
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_memory_stays_constant(work: Callable[[], None]):
    """A leak grows in every round; the interpreter's own caches do so in some."""
    grown = growths()[work.__name__]
    assert min(grown) <= 0, f"memory grows by {grown} bytes in rounds of the same work"


if __name__ == "__main__":
    print(json.dumps({work.__name__: growth(work) for work in WORK}))
