"""install() reaches every way to a serializer and uninstall() puts everything back.

Each test runs in a fresh interpreter, because the order of imports matters, and no state may leak.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.programs import run_python


def run(script: str, *options: str) -> str:
    """Runs a script in a fresh interpreter with warnings as errors; its output."""
    done = run_python("-W", "error:autobahn_fbs", *options, "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ASYNCIO = "import txaio; txaio.use_asyncio()\n"


def test_importing_the_package_imports_nothing_heavy():
    run("""
        import sys
        import autobahn_fbs
        assert autobahn_fbs.backend in ("cpython", "cffi")
        for name in ("numpy", "autobahn.flatbuffers", "autobahn.wamp.serializer", "flatbuffers"):
            assert name not in sys.modules, name
    """)


@pytest.mark.parametrize("framework", ["asyncio", "twisted", "late"])
def test_install_may_come_before_or_after_the_framework_is_chosen(framework):
    choose = "" if framework == "late" else f"import txaio; txaio.use_{framework}()"
    run(f"""
        {choose}
        import autobahn_fbs
        autobahn_fbs.install()
        import txaio
        if not txaio._explicit_framework:
            txaio.use_asyncio()
        from autobahn.wamp.serializer import CBORSerializer, FlatBuffersSerializer
        for kind in (CBORSerializer, FlatBuffersSerializer):
            assert kind().stats()["messages"] == 0
    """)


def test_every_entry_and_attribute_is_replaced_and_restored():
    run(
        ASYNCIO
        + """
import autobahn_fbs
from autobahn.wamp import message, serializer as s
before = (dict(s.SERID_TO_SER), dict(s.SERID_TO_OBJSER), dict(vars(s)),
          {c: dict(vars(c)) for c in vars(message).values() if isinstance(c, type)})
registries = s.SERID_TO_SER, s.SERID_TO_OBJSER
for _ in range(2):
    for _ in range(3):
        autobahn_fbs.install()
    assert s.SERID_TO_SER is registries[0] and s.SERID_TO_OBJSER is registries[1]
    assert s.SERID_TO_SER["flatbuffers"] is autobahn_fbs.FlatBuffersSerializer
    assert s.SERID_TO_OBJSER["flatbuffers"] is autobahn_fbs.FlatBuffersObjectSerializer
    assert s.FlatBuffersSerializer is autobahn_fbs.FlatBuffersSerializer
    assert s.FlatBuffersObjectSerializer is autobahn_fbs.FlatBuffersObjectSerializer
    assert "flatbuffers.batched" in s.SERID_TO_SER
    assert s.SERID_TO_SER["flatbuffers.batched"]().SERIALIZER_ID == "flatbuffers.batched"
    assert s.SERID_TO_SER["flatbuffers.batched"](batched=True)._serializer is not None
    for _ in range(3):
        autobahn_fbs.uninstall()
    after = (dict(s.SERID_TO_SER), dict(s.SERID_TO_OBJSER), dict(vars(s)),
             {c: dict(vars(c)) for c in vars(message).values() if isinstance(c, type)})
    assert after == before
"""
    )


def test_uninstall_without_install_does_nothing():
    run(
        ASYNCIO
        + """
import autobahn_fbs
from autobahn.wamp import serializer as s
before = dict(s.SERID_TO_SER), dict(vars(s))
autobahn_fbs.uninstall()
assert (dict(s.SERID_TO_SER), dict(vars(s))) == before
"""
    )


def test_messages_and_serializers_made_before_uninstall_keep_working():
    run(
        ASYNCIO
        + """
import autobahn_fbs, pickle, copy
autobahn_fbs.install()
from autobahn.wamp import message, serializer as s
ours = s.FlatBuffersSerializer()
msg, = ours.unserialize(ours.serialize(message.Event(1, 2, args=[1]))[0])
autobahn_fbs.uninstall()
assert msg.args == [1]
assert msg == message.Event(1, 2, args=[1])
again, = ours.unserialize(ours.serialize(msg)[0])
assert again == msg and copy.copy(msg) == pickle.loads(pickle.dumps(msg)) == msg
assert s.CBORSerializer().serialize(msg) == s.CBORSerializer().serialize(again)
msg.args = [2]
assert ours.unserialize(ours.serialize(msg)[0])[0].args == [2]
"""
    )


def test_create_transport_serializer_and_serializers():
    run(
        ASYNCIO
        + """
import types
import autobahn_fbs
from autobahn.wamp.serializer import create_transport_serializer, create_transport_serializers
autobahn_fbs.install()
plain, batched = create_transport_serializers(
    types.SimpleNamespace(serializers=["flatbuffers", "flatbuffers.batched"]))
assert type(plain) is type(batched) is autobahn_fbs.FlatBuffersSerializer
assert (plain.SERIALIZER_ID, batched.SERIALIZER_ID) == ("flatbuffers", "flatbuffers.batched")
assert create_transport_serializer("cbor").SERIALIZER_ID == "cbor"
try:
    create_transport_serializer("nonsense")
except RuntimeError:
    pass
else:
    raise SystemExit("nonsense was taken")
"""
    )


@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
def test_component_takes_every_id_for_websocket_and_rawsocket(framework):
    run(f"""
        import txaio; txaio.use_{framework}()
        import autobahn_fbs
        autobahn_fbs.install()
        from autobahn_fbs import payloads
        from autobahn.{framework}.component import Component
        from autobahn.wamp.serializer import create_transport_serializers
        names = ["flatbuffers", *(f"flatbuffers-{{codec}}" for codec in payloads.known_ids())]
        ids = names + [f"{{name}}.batched" for name in names]
        component = Component(realm="realm1", transports=[
            dict(type="websocket", url="ws://127.0.0.1:1/ws", serializers=[*ids, "cbor"]),
            *(dict(type="rawsocket", url="rs://127.0.0.1:1", serializer=each) for each in ids),
        ])
        websocket, *rawsocket = component._transports
        assert websocket.serializers[:-1] == ids
        for each, id in zip(create_transport_serializers(websocket), ids):
            batched = "." in id
            assert each.SERIALIZER_ID == ("flatbuffers.batched" if batched else "flatbuffers")
            codec = id.partition(".")[0].partition("-")[2] or "cbor"
            assert each.PAYLOAD_SERIALIZER_ID == codec
    """)


CODEC = """
import autobahn_fbs
def add():
    autobahn_fbs.register_payload_serializer("x_repr", lambda v: repr(v).encode(),
                                             lambda view: eval(bytes(view)))
def listed():
    return [id for id in SERID_TO_SER if "x_repr" in id]
"""


def test_a_codec_that_is_registered_after_install_is_selectable_until_it_is_removed():
    run(
        ASYNCIO
        + "from autobahn.wamp.serializer import SERID_TO_SER, create_transport_serializer\n"
        + CODEC
        + """
autobahn_fbs.install()
before = dict(SERID_TO_SER)
add()
assert listed() == ["flatbuffers-x_repr", "flatbuffers-x_repr.batched"]
for id in listed():
    ours = create_transport_serializer(id)
    assert ours.PAYLOAD_SERIALIZER_ID == "x_repr"
    assert ours.SERIALIZER_ID == ("flatbuffers.batched" if "." in id else "flatbuffers")
from autobahn.asyncio.component import Component
Component(realm="realm1", transports=[
    dict(type="websocket", url="ws://127.0.0.1:1/ws", serializers=listed())])
add()
autobahn_fbs.payloads.unregister_payload_serializer("x_repr")
assert SERID_TO_SER == before
add()
autobahn_fbs.uninstall()
assert not listed()
autobahn_fbs.install()
assert len(listed()) == 2
autobahn_fbs.payloads.unregister_payload_serializer("x_repr")
assert not listed()
"""
    )


def test_a_codec_without_install_adds_nothing():
    run(
        ASYNCIO
        + "from autobahn.wamp.serializer import SERID_TO_SER\n"
        + CODEC
        + """
autobahn_fbs.FlatBuffersSerializer
before = dict(SERID_TO_SER)
add()
assert SERID_TO_SER == before
autobahn_fbs.install()
autobahn_fbs.uninstall()
assert SERID_TO_SER == before
"""
    )


def test_a_late_import_by_name_gets_ours_as_crossbar_does_it():
    run(
        ASYNCIO
        + """
import autobahn_fbs
autobahn_fbs.install()
def late():
    from autobahn.wamp.serializer import FlatBuffersObjectSerializer, FlatBuffersSerializer
    return FlatBuffersSerializer(batched=True), FlatBuffersSerializer(), FlatBuffersObjectSerializer
batched, plain, kind = late()
assert batched._batched if hasattr(batched, "_batched") else True
assert batched.SERIALIZER_ID == "flatbuffers.batched" and plain.SERIALIZER_ID == "flatbuffers"
assert kind.FLATBUFFERS_MODULE.__version__
"""
    )


def test_message_serialize_uses_the_c_code_and_upstreams_when_uninstalled():
    run(
        ASYNCIO
        + """
import autobahn_fbs
from autobahn.wamp import message, serializer as s
upstream = s.FlatBuffersObjectSerializer()
autobahn_fbs.install()
ours = autobahn_fbs.FlatBuffersObjectSerializer()
message.Publish.build = None  # upstream's Python builder must not be called
msg = message.Publish(1, "a.b", retain=False)
data = msg.serialize(ours)
assert msg._serialized == {ours: data} and msg.serialize(ours) is data
assert ours.unserialize(data)[0].retain is False
cbor = s.CBORSerializer()._serializer
assert msg.serialize(cbor) == cbor.serialize(msg.marshal())
"""
    )


def test_msg_serialize_with_ours_works_without_install_too():
    run(
        ASYNCIO
        + """
import autobahn_fbs
from autobahn.wamp import message
ours = autobahn_fbs.FlatBuffersObjectSerializer()
received, = ours.unserialize(ours.serialize(message.Publish(1, "a.b")))
assert received.serialize(ours) == ours.serialize(message.Publish(1, "a.b"))
"""
    )


def test_a_module_that_imported_the_old_class_by_name_is_named_once():
    out = run(
        ASYNCIO
        + """
import sys, types, warnings
import autobahn.wamp.serializer as s
early = types.ModuleType("early_bird")
early.FlatBuffersSerializer = s.FlatBuffersSerializer
other = types.ModuleType("other_bird")
other.Renamed = s.FlatBuffersObjectSerializer
sys.modules.update(early_bird=early, other_bird=other)
import autobahn_fbs
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    autobahn_fbs.install()
    autobahn_fbs.install()
    autobahn_fbs.uninstall()
    autobahn_fbs.install()
texts = [str(w.message) for w in seen]
assert len(texts) == 1, texts
assert texts[0].endswith("; call install() before they are imported, or start the program with "
                         "python -m autobahn_fbs run")
assert "early_bird" in texts[0] and "other_bird" in texts[0], texts
assert "autobahn.wamp.serializer" not in texts[0].split(":")[-1].split(";")[0]
print(seen[0].filename)
"""
    )
    assert "autobahn_fbs" not in Path(out.strip()).parts[-2:]  # it points at the caller


def test_no_module_is_named_without_a_reason():
    run(
        ASYNCIO
        + """
import warnings
import autobahn.wamp.message, autobahn.wamp.websocket, autobahn.asyncio.wamp
import autobahn_fbs
from autobahn_fbs import FlatBuffersSerializer
with warnings.catch_warnings():
    warnings.simplefilter("error", RuntimeWarning)
    autobahn_fbs.install()
"""
    )


def test_installing_works_under_optimization_too():
    run(
        ASYNCIO
        + """
import autobahn_fbs
autobahn_fbs.install()
from autobahn.wamp.serializer import create_transport_serializer
from autobahn.wamp import message
batched = create_transport_serializer("flatbuffers.batched")
data, _ = batched.serialize(message.Published(1, 2))
if int.from_bytes(data[:4], "big") != len(data) - 4:
    raise SystemExit("not batched")
""",
        "-OO",
    )


def test_installed_returns_what_is_active_and_none_before_and_after():
    run(
        ASYNCIO
        + """
import autobahn_fbs
assert autobahn_fbs.installed() is None
autobahn_fbs.install()
expected = (autobahn_fbs.__version__, autobahn_fbs.backend, ())
assert autobahn_fbs.installed() == expected, autobahn_fbs.installed()
with autobahn_fbs.accelerate(["masks"]):
    assert autobahn_fbs.installed().accelerated == ("masks",)
assert autobahn_fbs.installed() == expected
autobahn_fbs.uninstall()
assert autobahn_fbs.installed() is None
"""
    )


def test_install_logs_what_is_active_once():
    out = run(
        ASYNCIO
        + """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
import autobahn_fbs
autobahn_fbs.install()
autobahn_fbs.install()
print("expected:", autobahn_fbs.installed())
"""
    )
    logged, expected = [line for line in out.splitlines() if "version" in line]
    assert logged == expected.replace("expected:", "autobahn_fbs.install: installed:")


def test_installing_does_not_count_as_encoding_messages():
    run(
        ASYNCIO
        + """
import autobahn_fbs
from autobahn.wamp.message import Event
for _ in range(3):
    autobahn_fbs.install()
    assert autobahn_fbs.counters()["encoded"] == 0
    autobahn_fbs.uninstall()
autobahn_fbs.FlatBuffersSerializer().serialize(Event(1, 2))
assert autobahn_fbs.counters()["encoded"] == 1
"""
    )


# A session that joins over a transport with a given serializer.
JOINED = """
import autobahn_fbs
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.wamp import serializer as s

class Transport:
    transport_details = None
    def __init__(self, name):
        self._serializer = s.SERID_TO_SER[name]()
    def isOpen(self):
        return True

def session_with(name):
    session = ApplicationSession()
    session._transport = Transport(name)
    return session
"""


def test_a_session_tells_whether_this_package_serializes_its_messages():
    run(
        ASYNCIO
        + JOINED
        + """
before = session_with("flatbuffers")
assert not autobahn_fbs.is_active(before)
autobahn_fbs.install()
assert not autobahn_fbs.is_active(before)
assert not autobahn_fbs.is_active(session_with("json"))
assert not autobahn_fbs.is_active(ApplicationSession())
after = session_with("flatbuffers-json.batched")
after._serializer = None  # a program's own attribute
assert autobahn_fbs.is_active(after) and autobahn_fbs.is_active(after._transport)
"""
    )


def test_asking_something_that_is_not_a_session_is_an_error():
    run(
        ASYNCIO
        + """
import autobahn_fbs
try:
    autobahn_fbs.is_active("realm1")
except TypeError as error:
    assert str(error) == "expected a session or its transport, got str"
else:
    raise AssertionError
"""
    )


def test_a_preference_that_is_not_a_bool_is_an_error_that_changes_nothing():
    run(
        ASYNCIO
        + """
import autobahn_fbs
for wrong in ("no", "cbor", 1, []):
    try:
        autobahn_fbs.install(prefer=wrong)
    except TypeError as error:
        assert str(error) == f"prefer must be True, False or None, not {wrong!r}"
    else:
        raise AssertionError(wrong)
assert autobahn_fbs.installed() is None
"""
    )
