"""Router-to-router helpers, for created and for received messages."""

from __future__ import annotations

import pytest
from autobahn.wamp import message as m

from autobahn_fbs import FlatBuffersObjectSerializer, forwarding

OBJSER = FlatBuffersObjectSerializer()
HOPS = [
    {"session": 1, "authid": "joe", "authrole": "user"},
    {"session": 2, "authid": None, "authrole": "rlink"},
]


@pytest.fixture(params=["made", "received"])
def forwarded(request):
    msg = m.Event(7, 8, args=[1], forward_for=[dict(hop) for hop in HOPS])
    return OBJSER.unserialize(OBJSER.serialize(msg))[0] if request.param == "received" else msg


@pytest.fixture(params=["made", "received"])
def fresh(request):
    msg = m.Call(7, "a.b")
    return OBJSER.unserialize(OBJSER.serialize(msg))[0] if request.param == "received" else msg


def test_a_chain_is_a_copy(forwarded):
    chain = forwarding.chain_of(forwarded)
    chain[0]["session"] = 99
    chain.clear()
    assert forwarded.forward_for == HOPS


def test_a_message_that_was_never_forwarded_has_an_empty_chain(fresh):
    assert forwarding.chain_of(fresh) == [] and not forwarding.has_loop(fresh, 1)


def test_a_session_in_the_chain_is_a_loop(forwarded):
    assert forwarding.has_loop(forwarded, 2) and not forwarding.has_loop(forwarded, 3)
    assert not forwarding.has_loop(forwarded)


def test_a_repeated_session_is_a_loop():
    assert forwarding.has_loop(m.Event(7, 8, forward_for=[HOPS[0], HOPS[1], HOPS[0]]))


def test_an_appended_hop_is_sent(forwarded):
    before = OBJSER.serialize(forwarded)
    forwarding.append_hop(forwarded, 3, None, "rlink")
    assert OBJSER.serialize(forwarded) != before
    (received,) = OBJSER.unserialize(OBJSER.serialize(forwarded))
    assert received.forward_for == [*HOPS, {"session": 3, "authid": None, "authrole": "rlink"}]
    assert received.args == [1]


def test_the_first_hop_starts_a_chain(fresh):
    forwarding.append_hop(fresh, 5, "joe", "user")
    assert fresh.forward_for == [{"session": 5, "authid": "joe", "authrole": "user"}]


def test_a_hop_that_closes_a_loop_is_refused(forwarded):
    with pytest.raises(ValueError, match="session 1 would forward Event in a loop"):
        forwarding.append_hop(forwarded, 1, None, "rlink")
    assert forwarded.forward_for == HOPS


@pytest.mark.parametrize(
    ("hop", "error"),
    [
        ((-1, None, "r"), ValueError),
        ((2**53 + 1, None, "r"), ValueError),
        (("1", None, "r"), TypeError),
        ((True, None, "r"), TypeError),
        ((3, 5, "r"), TypeError),
        ((3, None, None), TypeError),
    ],
)
def test_an_invalid_hop_is_refused(forwarded, hop, error):
    with pytest.raises(error):
        forwarding.append_hop(forwarded, *hop)


def test_a_chain_is_reversed_into_a_new_list(forwarded):
    assert forwarding.reversed_chain(forwarded) == HOPS[::-1]
    assert forwarded.forward_for == HOPS


def test_messages_that_are_not_forwarded_are_refused():
    with pytest.raises(TypeError, match="Hello messages have no forward_for"):
        forwarding.chain_of(m.Hello("realm1"))
