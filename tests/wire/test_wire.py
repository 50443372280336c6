"""Decisions about the wire as a peer sees them, unless another test covers them: the union's type,
the metadata, fields that are always or never written. Bytes are read with Google's runtime, and the
schema is that of Autobahn's wheel.
"""

from __future__ import annotations

import struct
from typing import Any

import cbor2
import flatbuffers.number_types as n
import pytest
from autobahn.wamp import message as m
from autobahn.wamp import role
from autobahn.wamp import serializer as upstream
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.message import Message
from flatbuffers.table import Table

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import assert_same, canonical, plain_copy
from support.samples import every_sample, full, minimal
from support.wirebuild import CODES, METADATA_SLOT, build, schema, union_tags

OBJSERS = {name: FlatBuffersObjectSerializer(dialect=name) for name in ("autobahn", "schema")}
CLASSES: dict[str, Any] = {name: getattr(m, name) for name in CODES}


def root_of(data: bytes) -> Table:
    return Table(data, struct.unpack_from("<I", data)[0])


def place(table: Table, slot: int) -> int:
    """Where a slot of a table is; 0 if it is absent."""
    offset = int(table.Offset(4 + 2 * slot))
    return table.Pos + offset if offset else 0


def message_table(data: bytes) -> Table:
    root = root_of(data)
    return Table(data, root.Indirect(place(root, 1)))


def details_in(data: bytes) -> Any:
    """The content of the metadata; None if there is none."""
    root = root_of(data)
    if not place(root, METADATA_SLOT):
        return None
    slot = place(root, METADATA_SLOT) - root.Pos
    start = root.Vector(slot)
    return cbor2.loads(data[start : start + root.VectorLen(slot)])


def slot_names(name: str) -> dict[str, int]:
    return {field: found.slot for field, found in schema()[0][name].items()}


# ---- the union's tag


@pytest.mark.parametrize("tag", [8, 16, 17])
def test_a_tag_that_means_another_message_in_the_other_dialect_is_not_guessed(tag):
    """Even if the table would fit another type, the serializer's own dialect determines the
    type."""
    names = {
        "autobahn": {code: name for name, code in CODES.items()}[tag],
        "schema": {ordinal: name for name, ordinal in union_tags().items()}[tag],
    }
    assert names["autobahn"] != names["schema"]
    for writer, name in names.items():
        klass = CLASSES[name]
        data = OBJSERS[writer].serialize(klass(**minimal(klass)))
        root = root_of(data)
        assert root.Get(n.Uint8Flags, place(root, 0)) == tag
        for reader, expected in names.items():
            try:
                (received,) = OBJSERS[reader].unserialize(data)
            except ProtocolError:
                assert reader != writer
            else:
                assert isinstance(received, CLASSES[expected])


def test_the_dialect_is_autobahns_unless_another_one_is_asked_for():
    default = FlatBuffersObjectSerializer()
    for msg in every_sample():
        assert default.serialize(plain_copy(msg)) == OBJSERS["autobahn"].serialize(plain_copy(msg))
        root = root_of(default.serialize(msg))
        assert root.Get(n.Uint8Flags, place(root, 0)) == CODES[type(msg).__name__]


# ---- the metadata

#: Everything that the typed fields can't express, and nothing else.
SAYS: list[tuple[Message, dict[str, Any] | None]] = [
    *((klass(**minimal(klass)), None) for klass in CLASSES.values() if klass is not m.Welcome),
    (m.Welcome(1, full(m.Welcome)["roles"]), dict.fromkeys(("realm", "authid", "authrole"))),
    (m.Publish(1, "a.b", args=[1], exclude=[2], exclude_me=True, eligible_authid=["a"], retain=True,
               forward_for=[{"session": 1, "authid": None, "authrole": "r"}]), None),
    (m.Call(1, "a.b", args=[1], kwargs={"a": 1}, timeout=2**32 - 1), None),
    (m.Call(1, "a.b", timeout=2**32), {"timeout": 2**32}),
    (m.Hello("realm1", full(m.Hello)["roles"], ["ticket"]), None),
    (m.Hello("realm1", full(m.Hello)["roles"], ["ticket", "x_own"], authid="joe"),
     {"authmethods": ["ticket", "x_own"]}),
    (m.Hello("realm1", full(m.Hello)["roles"], authextra={"a": [1]}), {"authextra": {"a": [1]}}),
    (m.Welcome(1, full(m.Welcome)["roles"], realm="a", authid="b", authrole="c",
               custom={"x_cb_node": "n"}), {"x_cb_node": "n"}),
    (m.Challenge("wampcra"), None),
    (m.Challenge("x_own"), {"method": "x_own"}),
    (m.Challenge("wampcra", {"challenge": "c"}), {"extra": {"challenge": "c"}}),
    (m.Error(48, 1, "a.b", callee=7), {"callee": 7}),
    (m.Event(1, 2, payload=b"x", enc_algo="x_own", enc_serializer="cbor"), {"enc_algo": "x_own"}),
    (m.Subscribe(1, "a.b", forward_for=[{"session": 1, "authid": None, "authrole": "r"}]),
     {"forward_for": [{"session": 1, "authid": None, "authrole": "r"}]}),
    (m.Register(1, "a.b", force_reregister=1), {"force_reregister": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("msg", "says"), SAYS, ids=lambda value: type(value).__name__)
def test_the_metadata_says_what_typed_fields_cannot_and_nothing_else(msg, says, objser):
    assert details_in(objser.serialize(msg)) == says


@pytest.mark.parametrize("msg", every_sample(), ids=lambda msg: type(msg).__name__)
def test_in_the_schema_dialect_the_metadata_are_the_complete_details(msg):
    """The same as from marshal(); null for attributes that it omits although the schema requires
    them."""
    found = details_in(OBJSERS["schema"].serialize(msg))
    details = next((part for part in plain_copy(msg).marshal() if isinstance(part, dict)), {})
    assert canonical({key: found[key] for key in details}) == canonical(details)
    assert all(value is None for key, value in found.items() if key not in details)


def test_a_peer_that_does_not_know_the_metadata_reads_the_rest(objser):
    msg = m.Subscribe(
        7, "a.b", get_retained=True, forward_for=[{"session": 1, "authid": "a", "authrole": "r"}]
    )
    data = objser.serialize(msg)
    assert details_in(data) is not None
    (received,) = upstream.FlatBuffersSerializer().unserialize(data)
    assert (received.request, received.topic, received.get_retained) == (7, "a.b", True)


# ---- fields that are always written


@pytest.mark.parametrize("dialect", OBJSERS)
@pytest.mark.parametrize("values", [{}, {"realm": "a", "authid": "b", "authrole": "c"}], ids=str)
def test_the_required_fields_of_welcome_are_always_written(values, dialect):
    msg = m.Welcome(1, {"broker": role.RoleBrokerFeatures()}, **values)
    data = OBJSERS[dialect].serialize(msg)
    table = message_table(data)
    for name in ("roles", "realm", "authid", "authrole"):
        assert place(table, slot_names("Welcome")[name]), name
    (received,) = OBJSERS[dialect].unserialize(data)
    assert_same(received, msg)


@pytest.mark.parametrize("features", [{}, {"call_timeout": False}], ids=str)
def test_roles_of_hello_are_always_written(features, objser):
    data = objser.serialize(m.Hello("realm1", {"caller": role.RoleCallerFeatures(**features)}))
    assert place(message_table(data), slot_names("Hello")["roles"])


def test_the_order_in_which_roles_are_given_is_not_written(dialect):
    hello = {"caller": role.RoleCallerFeatures(), "publisher": role.RolePublisherFeatures()}
    welcome = {"dealer": role.RoleDealerFeatures(), "broker": role.RoleBrokerFeatures()}
    serialize = OBJSERS[dialect].serialize
    for klass, first, roles in ((m.Hello, "realm1", hello), (m.Welcome, 1, welcome)):
        turned = dict(reversed(roles.items()))
        assert serialize(klass(first, turned)) == serialize(klass(first, roles))


# ---- fields that are never written

#: Tables with a session that has no attribute in Autobahn's class.
SESSIONS = sorted(name for name in CODES if "session" in slot_names(name) and name != "Welcome")


def test_nearly_every_message_has_a_session():
    assert len(SESSIONS) >= 20


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_never_written(name, objser):
    for values in (minimal(CLASSES[name]), full(CLASSES[name])):
        table = message_table(objser.serialize(CLASSES[name](**values)))
        assert not place(table, slot_names(name)["session"])


@pytest.mark.parametrize(
    "name", ["Published", "Subscribed", "Unsubscribed", "Cancel", "Registered"]
)
@pytest.mark.parametrize("session", [0, 7, 2**64 - 1])
def test_a_session_is_ignored_when_it_is_read(name, session, objser):
    """Any number: IDs that nothing reads aren't checked."""
    fields = {"request": 3}
    if name not in ("Unsubscribed", "Cancel"):
        fields["registration" if name == "Registered" else
               "publication" if name == "Published" else "subscription"] = 4  # fmt: skip
    (without,) = objser.unserialize(build(name, fields))
    (received,) = objser.unserialize(build(name, {"session": session, **fields}))
    assert received == without
    assert_same(received, plain_copy(without))
