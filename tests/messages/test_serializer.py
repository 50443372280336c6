"""The serializers fulfil Autobahn's contracts: ISerializer, IObjectSerializer, statistics, the
cache of serialized bytes, and their use by routers and transports."""

from __future__ import annotations

import ast
import copy
import gc
import inspect
import multiprocessing
import operator
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
from autobahn.asyncio.wamp import ApplicationRunner
from autobahn.wamp import message as m
from autobahn.wamp import serializer as upstream
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.interfaces import IObjectSerializer, ISerializer
from autobahn.wamp.message import Message
from autobahn.wamp.serializer import CBORSerializer, Serializer

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, payloads
from support.compare import MESSAGE_CLASSES, assert_same, plain_copy
from support.samples import every_sample, full, minimal

EVENT = m.Event(1, 2, args=[1, "two"], kwargs={"k": 3})


def receive(msg: Any, serializer: Any) -> Message:
    (received,) = serializer.unserialize(serializer.serialize(msg)[0])
    return received


# ---- constants and registration


def test_they_are_autobahns_interfaces():
    assert isinstance(FlatBuffersSerializer(), ISerializer)
    assert isinstance(FlatBuffersObjectSerializer(), IObjectSerializer)
    assert isinstance(FlatBuffersSerializer(), Serializer)


def test_the_constants_are_upstreams():
    ours, theirs = FlatBuffersSerializer(), upstream.FlatBuffersSerializer()
    for name in (
        "SERIALIZER_ID",
        "RAWSOCKET_SERIALIZER_ID",
        "MIME_TYPE",
        "MESSAGE_TYPE_MAP",
        "RATED_MESSAGE_SIZE",
        "PAYLOAD_SERIALIZER_ID",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("NAME", "BINARY"):
        assert getattr(ours._serializer, name) == getattr(theirs._serializer, name), name
    assert set(ours._serializer.MESSAGE_TYPE_MAP) == set(theirs._serializer.MESSAGE_TYPE_MAP)
    assert FlatBuffersSerializer(batched=True).SERIALIZER_ID == "flatbuffers.batched"
    assert FlatBuffersSerializer(batched=True).RAWSOCKET_SERIALIZER_ID == 5
    assert FlatBuffersObjectSerializer.FLATBUFFERS_MODULE.__version__


def test_they_have_all_public_names_of_upstreams():
    for ours, theirs in (
        (FlatBuffersSerializer(), upstream.FlatBuffersSerializer()),
        (FlatBuffersObjectSerializer(), upstream.FlatBuffersObjectSerializer()),
    ):
        wanted = {name for name in dir(theirs) if not name.startswith("_")}
        assert wanted <= set(dir(ours))


def test_the_constructors_accept_the_same_as_upstreams():
    for ours, theirs in (
        (FlatBuffersSerializer, upstream.FlatBuffersSerializer),
        (FlatBuffersObjectSerializer, upstream.FlatBuffersObjectSerializer),
    ):
        wanted = inspect.signature(theirs.__init__).parameters
        have = inspect.signature(ours.__init__).parameters
        assert list(have)[: len(wanted)] == list(wanted)
        for name in wanted:
            assert have[name].default == wanted[name].default


@pytest.mark.parametrize("kind", [FlatBuffersSerializer, FlatBuffersObjectSerializer])
def test_an_unknown_codec_or_dialect_is_refused(kind):
    for options in (
        {"payload_serializer": "nonsense"},
        {"payload_serializer": "x_unregistered"},
        {"payload_serializer": ""},
        {"dialect": "other"},
        {"dialect": ""},
    ):
        with pytest.raises(ValueError):
            kind(**options)


def test_the_backend_is_named():
    default = "cpython" if sys.implementation.name == "cpython" else "cffi"
    assert autobahn_fbs.backend == os.environ.get("AUTOBAHN_FBS_BACKEND", default)
    assert autobahn_fbs.__version__


# ---- serialize and unserialize


@pytest.mark.parametrize("batched", [False, True])
def test_serialize_gives_bytes_and_the_binary_flag(batched):
    serializer = FlatBuffersSerializer(batched=batched)
    for msg in every_sample():
        data, is_binary = serializer.serialize(msg)
        assert type(data) is bytes
        assert is_binary is True
        (received,) = serializer.unserialize(data, True)
        assert_same(received, msg)
        assert_same(serializer.unserialize(data)[0], msg)
        assert_same(serializer.unserialize(data, isBinary=None)[0], msg)


def test_text_frames_are_refused():
    serializer = FlatBuffersSerializer()
    data, _ = serializer.serialize(EVENT)
    with pytest.raises(ProtocolError, match="binary"):
        serializer.unserialize(data, False)
    assert serializer.stats()["messages"] == 1


def test_invalid_bytes_are_a_protocol_error():
    for batched in (False, True):
        for data in (b"x", b"\0" * 40, b"\0\0\0\1x"):
            with pytest.raises(ProtocolError):
                FlatBuffersSerializer(batched).unserialize(data)


def test_an_empty_batch_has_no_messages():
    assert FlatBuffersSerializer(batched=True).unserialize(b"") == []


def test_the_object_serializer_takes_raw_wamp_lists(any_serializer):
    for msg in every_sample():
        try:
            expected = type(msg).parse(plain_copy(msg).marshal())
        except (ProtocolError, AssertionError):
            continue  # facts that Autobahn's own list form can't express
        (received,) = any_serializer.unserialize(any_serializer.serialize(expected.marshal()))
        assert_same(received, expected)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        [None],
        ["1"],
        [True, 2, 3],
        [999],
        [17],
        [17, 1],
        [17, 1, 2, 3],
        [17, -1, 2],
        [17, "1", 2],
        [36, 1, 2, {}, "args"],
        [1, "realm", {}],
        [[17, 1, 2]],
    ],
    ids=str,
)
def test_a_raw_list_that_is_not_a_message_is_refused(raw, any_serializer):
    with pytest.raises(ProtocolError):
        any_serializer.serialize(raw)


@pytest.mark.parametrize("codec", ["cbor", "json", "msgpack", "ubjson"])
def test_payloads_go_through_the_chosen_codec(codec):
    try:
        serializer = FlatBuffersSerializer(payload_serializer=codec)
    except ValueError:
        pytest.skip(f"{codec} is not installed")
    assert codec == serializer.PAYLOAD_SERIALIZER_ID
    msg = m.Call(1, "a.b", args=[1, "x", None], kwargs={"k": [True]})
    data, _ = serializer.serialize(msg)
    (received,) = FlatBuffersSerializer().unserialize(data)
    assert bytes(received.args_view) == serializer.serialize_payload([1, "x", None])
    assert bytes(received.kwargs_view) == serializer.serialize_payload({"k": [True]})
    assert_same(received, msg)


def test_json_payloads_carry_bytes_by_wamps_convention():
    serializer = FlatBuffersSerializer(payload_serializer="json")
    assert receive(m.Call(1, "a.b", args=[b"\0raw"]), serializer).args == [b"\0raw"]


def test_serialize_payload_is_the_codecs_encoding():
    import cbor2

    for value in ([1, "x"], {"k": b"v"}, None, 1.5):
        assert FlatBuffersSerializer().serialize_payload(value) == cbor2.dumps(value)


# ---- the cache: a fan-out encodes once


def test_a_fan_out_encodes_once():
    factory = FlatBuffersSerializer()
    connections = [copy.copy(factory) for _ in range(50)]
    msg = m.Event(1, 2, args=["fan", "out"])
    results = {id(connection.serialize(msg)[0]) for connection in connections}
    assert len(results) == 1
    assert list(msg._serialized) == [factory._serializer]


def test_the_cache_is_honoured_and_emptied_by_uncache():
    serializer = FlatBuffersSerializer()
    msg = m.Event(1, 2)
    first, _ = serializer.serialize(msg)
    assert msg._serialized == {serializer._serializer: first}
    msg._serialized[serializer._serializer] = b"from the cache"
    assert serializer.serialize(msg) == (b"from the cache", True)
    msg.uncache()
    assert serializer.serialize(msg) == (first, True)


def test_anything_but_bytes_in_the_cache_is_replaced():
    serializer = FlatBuffersSerializer()
    msg = m.Event(1, 2)
    msg._serialized = {serializer._serializer: object()}
    data, _ = serializer.serialize(msg)
    assert msg._serialized[serializer._serializer] is data
    assert data == FlatBuffersObjectSerializer().serialize(m.Event(1, 2))


def test_serializers_with_other_settings_do_not_share_cached_bytes():
    msg = m.Event(1, 2, args=[1])
    settings = [
        FlatBuffersSerializer(),
        FlatBuffersSerializer(batched=True),
        FlatBuffersSerializer(dialect="schema"),
        FlatBuffersSerializer(payload_serializer="json"),
    ]
    assert len({serializer.serialize(msg)[0] for serializer in settings}) == 4
    assert len(msg._serialized) == 4


def test_the_object_serializer_hashes_by_identity():
    one, other = FlatBuffersObjectSerializer(), FlatBuffersObjectSerializer()
    assert {one: 1}[one] == 1
    assert one != other
    assert len({one, other}) == 2


# ---- copies, as transports make for each connection


def test_a_copy_shares_the_object_serializer_and_counts_for_itself():
    factory = FlatBuffersSerializer(batched=True, payload_serializer="cbor", dialect="schema")
    factory.serialize(EVENT)
    twin = copy.copy(factory)
    assert type(twin) is type(factory)
    assert twin._serializer is factory._serializer
    assert twin.SERIALIZER_ID == "flatbuffers.batched"
    assert twin.PAYLOAD_SERIALIZER_ID == "cbor"
    assert twin.stats(reset=True)["messages"] == 1
    twin.serialize(EVENT)
    twin.serialize(EVENT)
    assert twin.stats()["messages"] == 2
    assert factory.stats()["messages"] == 1
    assert_same(receive(EVENT, twin), EVENT)


def test_the_parent_serializer_may_be_set_and_is_not_needed():
    serializer = FlatBuffersSerializer()
    data, _ = serializer.serialize(EVENT)
    for parent in (None, object(), CBORSerializer()):
        serializer._serializer._parent_serializer = parent
        assert serializer._serializer._parent_serializer is parent
        EVENT.uncache()
        assert serializer.serialize(EVENT)[0] == data


def test_other_attributes_can_be_set():
    serializer = FlatBuffersSerializer()
    serializer.note = "mine"
    assert copy.copy(serializer).note == "mine"


# ---- statistics, compared with Autobahn's own


def test_statistics_count_bytes_messages_and_rated_messages():
    serializer = FlatBuffersSerializer()
    big = m.Event(1, 2, payload=b"x" * 2000)
    sizes = [len(serializer.serialize(msg)[0]) for msg in (EVENT, big, EVENT)]
    rated = [-(-size // serializer.RATED_MESSAGE_SIZE) for size in sizes]
    assert serializer.stats_bytes() == sum(sizes)
    assert serializer.stats_messages() == 3
    assert serializer.stats_rated_messages() == sum(rated)
    assert serializer._serialized_bytes == sum(sizes)
    data = serializer.serialize(big)[0]
    serializer.unserialize(data)
    details = serializer.stats(reset=False, details=True)
    assert details["serialized"]["messages"] == 4
    assert details["unserialized"] == {
        "bytes": len(data),
        "messages": 1,
        "rated_messages": rated[1],
    }
    assert details["serializer"] == "flatbuffers"
    assert details["cycle"] == 1
    plain = serializer.stats(reset=True)
    assert plain["messages"] == 5
    assert plain["bytes"] == sum(sizes) + 2 * len(data)
    assert plain["cycle"] == 2
    assert plain["duration"] >= 0
    assert serializer.stats()["messages"] == 0
    assert serializer.stats_reset() >= plain["timestamp"]


def test_statistics_have_the_keys_of_autobahns():
    ours, theirs = FlatBuffersSerializer(), CBORSerializer()
    for details in (False, True):
        assert ours.stats(details=details).keys() == theirs.stats(details=details).keys()


def test_a_batch_counts_each_message():
    serializer = FlatBuffersSerializer(batched=True)
    data = serializer.serialize(EVENT)[0] * 3
    serializer.stats()
    serializer.unserialize(data)
    stats = serializer.stats(details=True)["unserialized"]
    assert stats["messages"] == 3
    assert stats["bytes"] == len(data)


def test_a_refused_message_is_not_counted():
    serializer = FlatBuffersSerializer()
    with pytest.raises(ProtocolError):
        serializer.unserialize(b"\0" * 40)
    with pytest.raises((TypeError, ValueError)):
        serializer.serialize(m.Event(-1, 2))
    assert serializer.stats()["messages"] == 0


def test_autoreset_by_rated_messages_hands_over_the_statistics():
    serializer = FlatBuffersSerializer()
    seen: list[dict[str, Any]] = []
    serializer.set_stats_autoreset(5, None, seen.append)
    data = [serializer.serialize(EVENT)[0] for _ in range(4)]
    assert seen == []
    serializer.unserialize(data[0])
    assert [stats["messages"] for stats in seen] == [5]
    assert serializer.stats()["messages"] == 0
    for _ in range(10):
        serializer.serialize(EVENT)
    assert len(seen) == 3


def test_autoreset_by_time_and_at_once():
    serializer = FlatBuffersSerializer()
    seen: list[dict[str, Any]] = []
    first = serializer.set_stats_autoreset(None, 1, seen.append, reset_now=True)
    assert seen == [first]
    serializer.serialize(EVENT)
    assert len(seen) == 2
    assert seen[1]["messages"] == 1


def test_an_error_in_the_autoreset_callback_reaches_the_caller():
    def fail(stats: dict[str, Any]) -> None:
        raise RuntimeError("from the callback")

    serializer = FlatBuffersSerializer()
    serializer.set_stats_autoreset(1, None, fail)
    with pytest.raises(RuntimeError, match="from the callback"):
        serializer.serialize(EVENT)
    with pytest.raises(AssertionError):
        serializer.set_stats_autoreset(None, None, fail)


# ---- unusual messages


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=lambda klass: klass.__name__)
def test_subclasses_of_message_classes_are_serialized_as_their_base(klass, objser):
    class Mine(klass):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.extra_attribute = object()

    class Deeper(Mine):
        pass

    expected = objser.serialize(klass(**full(klass)))
    for kind in (Mine, Deeper):
        msg = kind(**full(klass))
        assert objser.serialize(msg) == expected
        assert msg._serialized == {objser: expected}


def test_the_value_of_a_subclass_property_is_sent(objser):
    class Shouting(m.Publish):
        @property
        def topic(self) -> str:
            return "shout." + self._topic

    (received,) = objser.unserialize(objser.serialize(Shouting(1, "a.b")))
    assert received.topic == "shout.a.b"


#: Messages that upstream's reader reads correctly (test_upstream.py has the others).
READ_BY_UPSTREAM = [
    m.Abort("a.b", "why"),
    m.Challenge("wampcra"),
    m.Authenticate("signature"),
    m.Goodbye(message="bye", resumable=True),
    m.Publish(1, "a.b", args=[1], kwargs={"k": 2}, acknowledge=True, exclude_me=False,
              exclude=[1, 2], eligible_authid=["a"], retain=True,
              forward_for=[{"session": 1, "authid": "a", "authrole": "r"}]),
    m.Publish(1, "a.b", payload=b"raw", enc_algo="cryptobox", enc_serializer="cbor"),
    m.Published(1, 2),
    m.Subscribe(1, "a.b", get_retained=True),
    m.Event(1, 2, args=[1], publisher=3, topic="a.b", retained=True),
    m.Event(1, 2, payload=b"raw", enc_algo="mqtt"),
    m.Call(1, "a.b", args=[1], kwargs={"k": 2}, timeout=5),
    m.Register(1, "a.b", concurrency=2, force_reregister=True),
    m.Result(1, args=[1], progress=True),
    m.Invocation(1, 2, args=[1], caller=3),
    m.Yield(1, payload=b"raw", enc_algo="xbr"),
]  # fmt: skip


@pytest.mark.parametrize("msg", READ_BY_UPSTREAM, ids=lambda msg: type(msg).__name__)
def test_messages_from_upstreams_reader_are_serialized_as_they_read(msg, any_serializer, objser):
    (lazy,) = upstream.FlatBuffersSerializer().unserialize(objser.serialize(msg))
    assert lazy._from_fbs is not None
    (received,) = any_serializer.unserialize(any_serializer.serialize(lazy))
    assert_same(received, msg)


def test_a_message_that_cannot_be_serialized_leaves_no_cache(objser):
    msg = m.Event(-1, 2)
    with pytest.raises(ValueError, match=r"EVENT\.subscription"):
        objser.serialize(msg)
    assert msg._serialized == {}


def test_minimal_messages_are_small(objser):
    for klass in MESSAGE_CLASSES:
        assert len(objser.serialize(klass(**minimal(klass)))) <= 250, klass.__name__


# -- what a codec, or other code with a reference to a value, does meanwhile


def test_a_payload_view_that_was_released_is_refused(objser):
    view = memoryview(b"payload")
    msg = m.Event(1, 2, payload=b"", enc_algo="cryptobox")
    msg._payload = view
    view.release()
    with pytest.raises(ValueError, match=r"^EVENT\.payload: .*released"):
        objser.serialize(msg)


@pytest.fixture
def meddling():
    """Registers a codec that first calls the functions in the list."""
    calls = []

    def dumps(value):
        for call in calls:
            call()
        return b"x"

    autobahn_fbs.register_payload_serializer("x_meddling", dumps, lambda view: ["y"])
    yield calls
    payloads.unregister_payload_serializer("x_meddling")


def test_a_codec_may_replace_the_object_serializer_that_called_it(meddling):
    serializer = FlatBuffersSerializer(payload_serializer="x_meddling")

    def replace():
        serializer._serializer = FlatBuffersObjectSerializer(batched=True)
        gc.collect()

    meddling.append(replace)
    data, _ = serializer.serialize(m.Event(1, 2, args=[1]))
    (msg,) = FlatBuffersObjectSerializer().unserialize(data)
    assert msg.args == ["y"]


def test_an_object_serializer_cannot_be_changed(meddling):
    objser = FlatBuffersObjectSerializer(payload_serializer="x_meddling")

    def change():
        with pytest.raises(TypeError, match="again"):
            objser.__init__(batched=True)

    meddling.append(change)
    (msg,) = FlatBuffersObjectSerializer().unserialize(objser.serialize(m.Event(1, 2, args=[1])))
    assert msg.args == ["y"]


@pytest.mark.parametrize(
    "name", ["flexbuffers", "forwarding", "limits", "payloads", "ppt", "views"]
)
def test_submodules_are_available_after_importing_the_package(name):
    code = f"import autobahn_fbs; print(autobahn_fbs.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [f"autobahn_fbs.{name}"], done.stderr


# -- copies and pickles


def pickled(thing: Any) -> Any:
    for protocol in range(pickle.HIGHEST_PROTOCOL):
        pickle.loads(pickle.dumps(thing, protocol))
    return pickle.loads(pickle.dumps(thing))


@pytest.fixture
def custom_codec():
    autobahn_fbs.register_payload_serializer("x_text", repr_dumps, repr_loads)
    yield "x_text"
    payloads.unregister_payload_serializer("x_text")


def repr_dumps(value: Any) -> bytes:
    return repr(value).encode()


def repr_loads(view: memoryview) -> Any:
    return ast.literal_eval(bytes(view).decode())


def called_back(stats: dict[str, Any]) -> None:
    """A callback that can be pickled."""


SETTINGS = [
    {},
    {"batched": True},
    {"dialect": "schema", "payload_serializer": "flexbuffers"},
    {"payload_serializer": "x_text", "batched": True},
    {"limits": autobahn_fbs.Limits(max_size=200)},
]
TRIPS = [copy.copy, copy.deepcopy, pickled]


@pytest.mark.parametrize("trip", TRIPS)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("cls", [FlatBuffersObjectSerializer, FlatBuffersSerializer])
def test_a_copy_has_the_same_settings(cls, settings, trip, custom_codec):
    original = cls(**settings)
    twin = trip(original)
    assert type(twin) is cls and twin is not original

    def written(serializer: Any, msg: Message) -> bytes:
        data = serializer.serialize(msg)
        msg.uncache()
        return data[0] if isinstance(data, tuple) else data

    data = written(original, EVENT)
    assert written(twin, EVENT) == data
    assert_same(twin.unserialize(data)[0], EVENT)
    assert twin._payload_serializer_id == original._payload_serializer_id
    long = m.Event(1, 2, args=["x" * 300])
    if "limits" in settings:
        with pytest.raises(ProtocolError, match=r"EVENT|Message"):
            twin.unserialize(written(cls(), long))
    else:
        assert_same(twin.unserialize(written(original, long))[0], long)


@pytest.mark.parametrize("trip", TRIPS)
def test_a_copy_has_the_statistics_that_autobahns_has(trip):
    stats = []
    for serializer in (FlatBuffersSerializer(batched=True), CBORSerializer(batched=True)):
        serializer.set_stats_autoreset(1000, None, called_back)
        serializer.unserialize(serializer.serialize(EVENT)[0])
        twin = trip(serializer)
        have, want = (each.stats(reset=False, details=True) for each in (twin, serializer))
        assert have | {"duration": 0} == want | {"duration": 0}
        assert twin._autoreset_callback is called_back
        assert (twin._autoreset_rated_messages, twin._autoreset_duration) == (1000, None)
        assert twin.SERIALIZER_ID.endswith(".batched")
        assert (twin._serializer is serializer._serializer) == (trip is copy.copy)
        assert (twin._serializer._parent_serializer is twin) == (trip is not copy.copy)
        twin.serialize(EVENT)
        stats.append((serializer.stats_messages(), twin.stats_messages()))
    assert stats == [(2, 3), (2, 3)]


class Own(FlatBuffersSerializer):
    """A subclass with attributes and a constructor of its own."""

    def __init__(self, note: str) -> None:
        super().__init__(payload_serializer="json")
        self.note = note


@pytest.mark.parametrize("trip", TRIPS)
def test_a_copy_of_a_subclass_has_its_attributes(trip):
    twin = trip(Own("kept"))
    assert type(twin) is Own and twin.note == "kept" and twin.PAYLOAD_SERIALIZER_ID == "json"


def test_an_unpickled_serializer_needs_its_codec(custom_codec):
    data = pickle.dumps(FlatBuffersSerializer(payload_serializer=custom_codec))
    payloads.unregister_payload_serializer(custom_codec)
    try:
        with pytest.raises(ValueError, match="unknown payload serializer 'x_text'"):
            pickle.loads(data)
    finally:
        autobahn_fbs.register_payload_serializer(custom_codec, repr_dumps, repr_loads)


def test_a_serializer_can_be_sent_to_a_spawned_process():
    serializers = [FlatBuffersSerializer(payload_serializer="json"), FlatBuffersSerializer(True)]
    runner = ApplicationRunner("ws://localhost/ws", "realm1", serializers=serializers)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(operator.attrgetter("serializers"), (runner,))
    assert [each.SERIALIZER_ID for each in there] == ["flatbuffers", "flatbuffers.batched"]
    assert [each.PAYLOAD_SERIALIZER_ID for each in there] == ["json", "cbor"]
