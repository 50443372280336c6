"""Many threads share one message, serializer or registry.

On builds with the GIL, these can only find errors from switches between bytecodes. On free-threaded
builds (tools/free-threaded, also under ThreadSanitizer), everything runs at the same time.
"""

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp import role
from autobahn.wamp import serializer as upstream
from autobahn.wamp.exception import ProtocolError

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, flexbuffers, payloads
from autobahn_fbs._backend import native
from autobahn_fbs.typed import Catalog
from support.programs import run_python
from support.received import taken
from support.threads import (
    FREE_THREADED,
    THREADS,
    eager_switches,  # noqa: F401  # a fixture
    together,
)
from support.typed_schemas import SCHEMAS

OBJSER = FlatBuffersObjectSerializer()
BASICS = Catalog.load(SCHEMAS / "basics.bfbs")

#: On PyPy, dicts and lists can change, and counts be lost, at any step of Python code.
in_one_step = pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="not one step in PyPy's Python"
)


class Turn:
    """Counts from 0: __next__ may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0

    def __next__(self) -> int:
        with self._lock:
            self._next += 1
            return self._next - 1


def event() -> Any:
    return m.Event(1, 2, args=[1, ["x"] * 20], kwargs={"k": "v"}, topic="a.b", publisher=5)


# -- the build


@pytest.mark.skipif(not FREE_THREADED, reason="a build with the GIL")
def test_the_extension_leaves_the_gil_off():
    code = (
        "import sys, autobahn_fbs; autobahn_fbs.FlatBuffersSerializer();"
        "from autobahn_fbs._backend import native; print(sys._is_gil_enabled())"
    )
    done = run_python("-c", code)
    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr
    assert not sys._is_gil_enabled()


# -- one received message


def test_many_threads_read_one_message_and_get_the_same_objects():
    data = OBJSER.serialize(event())
    names = ["args", "kwargs", "topic", "publisher", "forward_for", "enc_algo", "subscription"]
    if autobahn_fbs.backend == "cffi":
        names.remove("topic")  # each reader gets a new text
    for _ in range(300 if FREE_THREADED else 50):
        msg = taken(data)
        start = threading.Barrier(THREADS)
        seen: list[list[object]] = []

        def read(msg=msg, start=start, seen=seen) -> None:
            start.wait()
            seen.append([getattr(msg, name) for name in names])

        threads = [threading.Thread(target=read) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == THREADS
        for values in seen:
            assert all(a is b for a, b in zip(values, seen[0], strict=True))


def test_setters_race_with_readers_and_with_what_is_sent():
    msg = taken(OBJSER.serialize(m.Event(1, 2, args=[0, "0"], topic="topic.0")))
    numbers = Turn()

    def write() -> None:
        number = next(numbers)
        msg.args = [number, str(number)]
        msg.topic = f"topic.{number}"

    def read() -> None:
        number, text = msg.args
        assert text == str(number)
        assert msg.topic.startswith("topic.")
        _ = (msg.args_view, msg.kwargs_view, msg.payload_view, msg.kwargs)

    def send() -> None:
        got = taken(OBJSER.serialize(msg))
        assert got.args[1] == str(got.args[0])
        assert got.topic.startswith("topic.")

    together(write, *[read] * 3, *[send] * (THREADS - 4 or 1))


def test_copies_pickles_and_comparisons_race_with_setters():
    msg = taken(OBJSER.serialize(event()))

    def write() -> None:
        msg.args = [1, ["x"] * 20]
        msg._router_internal = object()
        msg._serialized = {}
        msg.uncache()

    def read() -> None:
        twin, deep = copy.copy(msg), copy.deepcopy(msg)
        assert twin.args == deep.args == [1, ["x"] * 20]
        assert twin == deep
        assert str(twin)

    def pickled() -> None:
        msg.correlation_id = "id"
        got = taken(OBJSER.serialize(msg))
        assert got == msg
        assert native.ObjectSerializer().serialize(got)

    together(write, read, read, pickled)
    msg._router_internal = None
    assert pickle.loads(pickle.dumps(msg)) == msg


@in_one_step
def test_a_list_that_was_handed_out_grows_while_the_message_is_sent():
    msg = taken(OBJSER.serialize(m.Event(1, 2, args=[])))
    numbers = msg.args

    def grow() -> None:
        if len(numbers) > 200:
            numbers.clear()
        numbers.append(len(numbers))

    def send() -> None:
        sent = taken(OBJSER.serialize(msg)).args
        assert sent == list(range(len(sent)))

    together(grow, *[send] * (THREADS - 1))


@in_one_step
# Only our own codecs: without a GIL, CPython 3.13's json crashes on such values.
@pytest.mark.parametrize("codec", ["cbor", "flexbuffers"])
def test_dicts_and_lists_change_while_they_are_sent(codec: str):
    objser = FlatBuffersObjectSerializer(payload_serializer=codec)
    inner: dict[str, Any] = {}
    items: list[Any] = [inner, "end"]
    msg = m.Event(1, 2, args=[items], kwargs={"inner": inner})
    turn = Turn()

    def change() -> None:
        number = next(turn) % 100
        inner[f"key{number}"] = f"key{number}"
        inner.pop(f"key{(number + 50) % 100}", None)
        items[1:1] = ["x"] * 3
        del items[1:4]

    def send() -> None:
        msg.uncache()
        got = taken(objser.serialize(msg))
        assert all(key == value for key, value in got.kwargs["inner"].items())
        assert set(got.args[0][1:]) <= {"x", "end"}

    together(change, *[send] * (THREADS - 1))


@pytest.mark.skipif(
    FREE_THREADED and sys.version_info < (3, 14), reason="bytearray has no lock before Python 3.14"
)
def test_a_bytearray_changes_its_size_while_it_is_sent():
    data = bytearray(b"a" * 10)

    def change() -> None:
        data.extend(b"a" * 1000)
        del data[10:]

    def send() -> None:
        assert set(flexbuffers.loads(flexbuffers.dumps([data]))[0]) == {97}

    together(change, send, send)


@pytest.mark.skipif(
    FREE_THREADED, reason="without a GIL, a buffer can't be resized while it is read"
)
@pytest.mark.parametrize(
    ("read", "original"),
    [
        pytest.param(native.cbor_loads, native.cbor_dumps(["a"]), id="cbor"),
        pytest.param(flexbuffers.loads, flexbuffers.dumps(["a"]), id="flexbuffers"),
        pytest.param(native.msgpack_check, b"\x91\xa1a", id="msgpack"),
        pytest.param(OBJSER.unserialize, OBJSER.serialize(m.Goodbye("a.b")), id="envelope"),
        pytest.param(
            partial(BASICS.decode, "basics.Node"),
            BASICS.encode("basics.Node", {"name": "a"}),
            id="typed",
        ),
    ],
)
def test_a_bytearray_changes_its_size_while_it_is_read(read, original):
    data = bytearray(original)

    def change() -> None:
        data.extend(b"a" * 1000)
        del data[len(original) :]

    def look() -> None:
        with suppress(Exception):  # about the bytes that were added
            read(data)

    together(change, look, look)


@in_one_step
def test_details_change_while_they_are_sent():
    def hop(number: int) -> dict[str, Any]:
        return {"session": number, "authid": str(number), "authrole": f"role{number}"}

    hops = [hop(0)]
    methods = ["ticket"]
    extra: dict[str, Any] = {}
    publish = m.Publish(1, "a.b", forward_for=hops, exclude_authid=methods)
    roles: dict[str, Any] = {"caller": role.RoleCallerFeatures()}
    hello = m.Hello("realm1", roles, authmethods=methods, authextra=extra)
    turn = Turn()

    def change() -> None:
        number = next(turn) % 1000
        hops[:] = [hop(number), hop(number + 1)]
        hops[0] = hop(number + 2)
        methods[:] = [f"method{i}" for i in range(number % 5 + 1)]
        extra[f"x{number}"] = number
        extra.pop(f"x{number - 1}", None)
        roles["publisher"] = role.RolePublisherFeatures()
        del roles["publisher"]

    def send() -> None:
        publish.uncache()
        hello.uncache()
        got = taken(OBJSER.serialize(publish))
        for each in got.forward_for:
            assert each == hop(each["session"])
        assert got.exclude_authid
        got = taken(OBJSER.serialize(hello))
        assert all(int(key[1:]) == value for key, value in got.authextra.items())
        assert "caller" in got.roles

    together(change, *[send] * (THREADS - 1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_can_use_what_threads_of_its_parent_were_using():
    data = OBJSER.serialize(event())
    code = """
        import os, signal, threading
        import support.framework
        from autobahn_fbs import FlatBuffersObjectSerializer
        objser = FlatBuffersObjectSerializer()
        data = bytes.fromhex(%r)
        def use():
            (msg,) = objser.unserialize(data)
            assert msg.args[0] == 1 and msg.kwargs == {"k": "v"} and msg.forward_for is None
            msg.args = [2]
            assert objser.unserialize(objser.serialize(msg))[0].args == [2]
        def work():
            while not stop.is_set():
                use()
        stop = threading.Event()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        failed = 0
        for _ in range(60):
            child = os.fork()
            if not child:
                signal.alarm(10)
                use()
                os._exit(0)
            failed += os.waitpid(child, 0)[1] != 0
        stop.set()
        print("failed", failed)
    """
    done = run_python("-W", "ignore", "-c", code % data.hex())
    assert (done.stdout, done.returncode) == ("failed 0\n", 0), done.stderr


# -- one serializer


def test_threads_share_a_serializer():
    serializer = FlatBuffersSerializer()
    turn = Turn()

    def work() -> None:
        number = next(turn)
        sent = [number, "x" * (number % 300)]
        data, _ = serializer.serialize(m.Event(number, 1, args=sent, kwargs={str(number): 1}))
        (msg,) = serializer.unserialize(data)
        assert (msg.subscription, msg.args, msg.kwargs) == (number, sent, {str(number): 1})

    together(*[work] * THREADS)


@in_one_step
def test_the_statistics_count_every_message():
    serializer = FlatBuffersSerializer()
    data = OBJSER.serialize(event())
    each = 3000 if FREE_THREADED else 300

    def work() -> None:
        for _ in range(each):
            serializer.serialize(event())
            serializer.unserialize(data)
            serializer.stats(reset=False)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = serializer.stats(reset=False, details=True)
    for way in ("serialized", "unserialized"):
        assert stats[way]["messages"] == each * THREADS
        assert stats[way]["bytes"] == each * THREADS * len(data)


def test_one_message_is_sent_by_many_threads_and_uncached_by_others():
    msg = event()
    expected = OBJSER.serialize(event())
    other = FlatBuffersObjectSerializer(payload_serializer="flexbuffers")
    received = taken(expected)

    def send() -> None:
        assert OBJSER.serialize(msg) == expected
        assert taken(other.serialize(msg)).args == msg.args
        assert OBJSER.serialize(received) == expected
        assert received.args[0] == 1

    def uncache() -> None:
        msg.uncache()
        msg._serialized = {}
        received.uncache()

    together(uncache, *[send] * (THREADS - 1))


def test_the_object_serializer_behind_a_transport_is_replaced():
    serializer = FlatBuffersSerializer()
    plain, batched = OBJSER.serialize(event()), b""
    batched = FlatBuffersObjectSerializer(batched=True).serialize(event())

    def replace() -> None:
        serializer._serializer = FlatBuffersObjectSerializer(batched=True)
        serializer._serializer = FlatBuffersObjectSerializer()

    def send() -> None:
        assert serializer.serialize(event())[0] in (plain, batched)
        try:
            (msg,) = serializer.unserialize(plain)
            assert msg.publisher == 5
        except ProtocolError as error:
            assert "batch" in str(error)

    together(replace, *[send] * (THREADS - 1))


# -- codecs and their caches


@pytest.mark.parametrize("codec", [native.cbor_dumps, flexbuffers.dumps])
def test_keys_are_kept_by_many_threads(codec: Any):
    loads = native.cbor_loads if codec is native.cbor_dumps else flexbuffers.loads
    turn = Turn()

    def work() -> None:
        number = next(turn)
        value = {f"key {(number * 7 + i) % 1500}": i for i in range(20)}
        assert loads(codec([value, value])) == [value, value]

    together(*[work] * THREADS)


def test_one_lazy_flexbuffer_is_read_by_many_threads():
    lazy = flexbuffers.loads(flexbuffers.dumps({"a": [1, {"b": "text ü"}], "c": "d"}), lazy=True)

    def read() -> None:
        assert lazy["a"][1]["b"] == "text ü"
        assert lazy.value()["c"] == "d"
        assert lazy.keys() == ["a", "c"]

    together(*[read] * THREADS)


def test_bytes_change_while_they_are_read():
    """Code that does so gets any value or error, but nothing worse."""
    original = flexbuffers.dumps({"a": [1, {"b": "text ü"}, "x"], "c": "d" * 50})
    data = bytearray(original)
    lazy = flexbuffers.loads(data, lazy=True)

    def change() -> None:
        for i in range(len(data)):
            data[i] = 255
        data[:] = original

    def read() -> None:
        wrong = (flexbuffers.FlexBuffersError, KeyError, TypeError, IndexError, AttributeError)
        for look in (lazy.value, lambda: lazy["a"][1]["b"], lambda: flexbuffers.loads(data)):
            with suppress(*wrong):
                look()

    together(change, *[read] * (THREADS - 1))


def test_codecs_come_and_go_while_they_are_used():
    name = "x_threads_test"

    def dumps(value: Any) -> bytes:
        return repr(value).encode()

    def loads(view: memoryview) -> list[Any]:
        return [bytes(view)]

    autobahn_fbs.register_payload_serializer(name, dumps, loads)
    objser = FlatBuffersObjectSerializer(payload_serializer=name)

    def come_and_go() -> None:
        payloads.unregister_payload_serializer(name)
        autobahn_fbs.register_payload_serializer(name, dumps, loads)

    def use() -> None:
        try:
            got = taken(objser.serialize(m.Event(1, 2, args=[1])))
            assert got.args == [b"[1]"]
        except (ProtocolError, ValueError) as error:
            assert "not registered" in str(error)
        payloads.known_ids()

    together(come_and_go, *[use] * (THREADS - 1))
    payloads.unregister_payload_serializer(name)


def test_installing_and_uninstalling_at_the_same_time_restores_autobahns_own():
    before = (dict(upstream.SERID_TO_SER), m.Message.serialize, upstream.FlatBuffersSerializer)

    def work() -> None:
        autobahn_fbs.install()
        time.sleep(0)
        autobahn_fbs.uninstall()

    together(*[work] * THREADS)
    autobahn_fbs.uninstall()
    after = (dict(upstream.SERID_TO_SER), m.Message.serialize, upstream.FlatBuffersSerializer)
    assert after == before
