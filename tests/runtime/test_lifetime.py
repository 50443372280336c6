"""The order of deletion doesn't matter: messages, views, serializers, interpreters, processes."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import textwrap
import warnings
import weakref
from collections.abc import Callable

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, payloads
from support.compare import assert_same
from support.programs import run_python
from support.samples import every_sample

OBJSER = FlatBuffersObjectSerializer()


# ---- messages, views, serializers


@pytest.mark.parametrize("msg", every_sample()[::3], ids=lambda msg: type(msg).__name__)
def test_messages_outlive_their_serializer(msg):
    serializer = FlatBuffersSerializer(batched=True)
    data, _ = serializer.serialize(msg)
    (received,) = serializer.unserialize(data)
    msg.uncache()  # Autobahn's cache of a message's serialized bytes is keyed by serializers
    gone = weakref.ref(serializer)
    del serializer, data
    gc.collect()
    assert gone() is None
    assert_same(received, msg)
    assert_same(copy.deepcopy(received), msg)
    assert_same(OBJSER.unserialize(OBJSER.serialize(received))[0], msg)


def test_views_outlive_messages_and_serializers():
    serializer = FlatBuffersObjectSerializer()
    (received,) = serializer.unserialize(
        bytearray(OBJSER.serialize(m.Event(1, 2, payload=b"p" * 99)))
    )
    view = received.payload_view
    part = view[10:20]
    del serializer, received, view
    gc.collect()
    assert bytes(part) == b"p" * 10


def test_a_catalog_is_freed_with_all_that_was_made_from_it():
    # In a process of its own, because catalogs share equal schemas and classes.
    done = run_python(
        "-c",
        """
        import gc, weakref
        from autobahn_fbs.typed import Catalog
        from support.typed_samples import ALL
        from support.typed_schemas import SCHEMAS

        kept = []
        for schema in sorted({schema for schema, _, _ in ALL}):
            catalog = Catalog.load(SCHEMAS / f"{schema}.bfbs")
            gone = weakref.ref(catalog)
            classes = []
            for other, name, value in ALL:
                if other == schema:
                    read = catalog.decode(name, catalog.encode(name, value))
                    lazy = catalog.lazy(name, catalog.encode(name, value))
                    classes.append((name, weakref.ref(type(read))))
            del catalog, read, lazy
            for _ in range(3):
                gc.collect()
            kept += [name for name, cls in classes if cls() is not None]
            kept += [schema] if gone() is not None else []
        print(kept)
        """,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stdout + done.stderr


def test_decoded_values_outlive_their_message():
    (received,) = OBJSER.unserialize(OBJSER.serialize(m.Event(1, 2, args=[["x"], {"a": "b"}])))
    args, topic = received.args, received.topic
    del received
    gc.collect()
    assert (args, topic) == ([["x"], {"a": "b"}], None)


# ---- decoding within decoding


@pytest.fixture
def nesting():
    """A codec that calls the serializer again, and reads the message being decoded."""
    looks: list[Callable[[], object]] = []

    def dumps(value: object) -> bytes:
        return OBJSER.serialize(m.Event(9, 9, args=[value]))

    def loads(view: memoryview) -> object:
        (inner,) = OBJSER.unserialize(view)
        for look in looks:
            look()
        return inner.args[0]

    autobahn_fbs.register_payload_serializer("x_nesting", dumps, loads)
    serializer = FlatBuffersObjectSerializer(payload_serializer="x_nesting")
    yield serializer, looks
    payloads.unregister_payload_serializer("x_nesting")


def test_a_codec_may_serialize_and_unserialize(nesting):
    serializer, _ = nesting
    sent = m.Publish(1, "a.b", args=[1, "two"], kwargs={"three": 3})
    (received,) = serializer.unserialize(serializer.serialize(sent))
    assert (received.args, received.kwargs) == ([1, "two"], {"three": 3})


def test_a_codec_may_read_the_very_message_that_it_decodes(nesting):
    """The innermost one that succeeds fills the slot; then all see the same object."""
    serializer, looks = nesting
    (received,) = serializer.unserialize(serializer.serialize(m.Event(1, 2, args=[1])))
    depth = [0]

    def look() -> None:
        depth[0] += 1
        if depth[0] < 5:
            assert received.args == [1]
            assert received.topic is None

    looks.append(look)
    assert received.args == [1]
    assert depth[0] == 5
    assert received.args is received.args


def test_a_codec_that_reads_itself_for_ever_ends_in_an_error(nesting):
    serializer, looks = nesting
    (received,) = serializer.unserialize(serializer.serialize(m.Event(1, 2, args=[1])))
    looks.append(lambda: received.args)
    with pytest.raises((ProtocolError, RecursionError)):
        _ = received.args
    looks.clear()
    assert received.args == [1]


def test_a_codec_may_change_the_message_that_it_decodes(nesting):
    serializer, looks = nesting
    (received,) = serializer.unserialize(serializer.serialize(m.Event(1, 2, args=[1])))
    looks.append(lambda: setattr(received, "args", ["other"]))
    assert received.args in ([1], ["other"])
    assert serializer.unserialize(serializer.serialize(received))[0].args == received.args


def test_a_codec_may_change_the_message_that_it_encodes():
    changed = m.Event(1, 2, args=["first"], kwargs={"a": 1}, topic="a.b")

    def dumps(value: object) -> bytes:
        changed._topic, changed._kwargs, changed._args = "c" * 5000, None, None
        gc.collect()
        return b"[5]"

    autobahn_fbs.register_payload_serializer("x_changing", dumps, lambda view: [5])
    try:
        data = FlatBuffersObjectSerializer(payload_serializer="x_changing").serialize(changed)
        (received,) = OBJSER.unserialize(data)
        assert (received.args, received.topic) in (([5], "a.b"), ([5], "c" * 5000))
    finally:
        payloads.unregister_payload_serializer("x_changing")


# ---- the end of the interpreter

BEGINNING = """
    import warnings; warnings.simplefilter("ignore")
    import txaio; txaio.use_asyncio()
    import atexit, gc, sys, threading, time
    from autobahn.wamp import message as m
    from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, flexbuffers
    objser = FlatBuffersObjectSerializer()
    sent = m.Event(1, 2, args=[1, "x", {"a": None}], kwargs={"a": {"b": 1}}, topic="a.b")
    data = objser.serialize(sent)
    (got,) = objser.unserialize(data)
"""

ENDINGS = {
    "messages in globals, read and unread": """
        (unread,) = objser.unserialize(data)
        read, view = got.args, got.args_view
        lazy = flexbuffers.loads(flexbuffers.dumps({"a": [1]}), lazy=True)
        print("bye")
    """,
    "an atexit function that still works with messages": """
        @atexit.register
        def last():
            assert got.args == [1, "x", {"a": None}]
            assert objser.unserialize(objser.serialize(sent))[0].kwargs == {"a": {"b": 1}}
            print("bye")
    """,
    "a finalizer that reads and serializes at the very end": """
        class Last:
            def __init__(self, *held): self.held = held
            def __del__(self):
                msg, serializer, event = self.held
                try:
                    msg.args, msg.kwargs, msg.topic, repr(msg)
                    serializer.unserialize(serializer.serialize(event))
                except Exception:
                    pass  # modules are half gone then; but it must not crash
        last = Last(got, objser, sent)
        last.me = last
        sys.last = last
        builtins = sys.modules["builtins"]; builtins.kept = Last(got, objser, sent)
        print("bye")
    """,
    "cycles through messages and through the module": """
        class Cycle: pass
        cycle = Cycle(); cycle.me = cycle
        got._router_internal = cycle; cycle.message = got
        from autobahn_fbs._backend import native
        cycle.module = native; native.cycle = cycle
        print("bye")
    """,
    "daemon threads that are in the middle of it": """
        def work():
            serializer = FlatBuffersSerializer()
            while True:
                payload, _ = serializer.serialize(m.Event(1, 2, args=[1, "x"] * 50))
                (msg,) = serializer.unserialize(payload)
                msg.args, msg.kwargs, msg.topic
                flexbuffers.loads(flexbuffers.dumps({"a": [1, "x"] * 50}))
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        print("bye", flush=True)
    """,
    "the module imported again": """
        for name in [name for name in sys.modules if name.startswith("autobahn_fbs")]:
            del sys.modules[name]
        from autobahn_fbs import FlatBuffersObjectSerializer as Again
        gc.collect()
        (other,) = Again().unserialize(data)
        assert other.args == got.args
        assert Again().serialize(got) == data
        assert objser.serialize(other) == data
        print("bye")
    """,
}


def run(code: str, ending: str) -> None:
    source = textwrap.dedent(code) + textwrap.dedent(ending)
    done = run_python("-X", "faulthandler", "-c", source)
    assert (done.returncode, done.stdout) == (0, "bye\n"), done.stderr
    assert "Fatal Python error" not in done.stderr


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_the_interpreter_ends_without_errors_with(ending):
    run(BEGINNING, ending)


def test_a_long_chain_of_messages_is_freed_without_a_deep_stack():
    """Like a chain of Autobahn's messages; one call for each would exhaust the stack."""
    run(
        BEGINNING,
        """
        def drop():
            last = None
            for _ in range(200_000):
                (received,) = objser.unserialize(data)
                received._router_internal = last
                last = received
            del received, last
            print("bye")
        threading.stack_size(2 * 1024 * 1024)
        thread = threading.Thread(target=drop)
        thread.start()
        thread.join()
        """,
    )


# ---- fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="NOT TESTED: fork, which this system lacks")
def test_child_and_parent_continue_after_a_fork():
    sent = m.Event(1, 2, args=[1, "x"], kwargs={"a": 1}, topic="a.b")
    data = OBJSER.serialize(sent)
    (unread,) = OBJSER.unserialize(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of other tests may exist
        child = os.fork()
    if child == 0:
        try:
            assert_same(unread, sent)
            for i in range(200):
                (msg,) = OBJSER.unserialize(OBJSER.serialize(m.Event(1, i, args=[i, {"k": "v"}])))
                assert msg.args == [i, {"k": "v"}]
            os._exit(0)
        finally:
            os._exit(1)
    for i in range(200):
        (msg,) = OBJSER.unserialize(OBJSER.serialize(m.Event(1, i, args=[i, {"k": "v"}])))
        assert msg.args == [i, {"k": "v"}]
    assert_same(unread, sent)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def answer(msg: m.Message) -> m.Message:
    """The work of a pool's process: reads a message and returns another received one."""
    (received,) = OBJSER.unserialize(OBJSER.serialize(m.Result(1, args=[msg.args, msg.topic])))
    return received


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_messages_travel_between_processes(method):
    (received,) = OBJSER.unserialize(OBJSER.serialize(m.Event(1, 2, args=[1], topic="a.b")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context(method).Pool(1) as pool:
            back = pool.apply_async(answer, (received,)).get(timeout=60)
    assert_same(back, m.Result(1, args=[[1], "a.b"]))
    assert type(back) is type(pickle.loads(pickle.dumps(back)))
