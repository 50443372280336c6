"""Autobahn's own pure-Python FlatBuffers code as an oracle, both ways.

Where it is right, our bytes are its bytes and each side reads the other's. Its errors are listed
here, rule by rule; a test fails if a rule is missing or has become superfluous.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp import serializer as upstream
from autobahn.wamp.message import Message
from hypothesis import given

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import MESSAGE_CLASSES, attribute_names, canonical
from support.samples import POSITIONAL_IDS, values_of, with_value
from support.strategies import messages

Rule = Callable[[Any], bool]


def always(value: Any) -> bool:
    return True


def given_at_all(value: Any) -> bool:
    return value is not None


def empty(value: Any) -> bool:
    """Values that a truth test treats like None."""
    return value is not None and not value


def left_out(value: Any) -> bool:
    return value is None


def custom(value: Any) -> bool:
    return value is not None and value.startswith("x_")


def never(value: Any) -> bool:
    return False


def odd_hops(value: Any) -> bool:
    """forward_for that is empty, or has keys or an empty authid that are not written."""
    return value is not None and (
        not value
        or any(set(hop) > {"session", "authid", "authrole"} for hop in value)
        or any(hop["authid"] == "" for hop in value)
    )


def odd_hops_to_read(value: Any) -> bool:
    """The same, and an empty authrole, which upstream reads as bytes."""
    return odd_hops(value) or any(hop["authrole"] == "" for hop in value or ())


WITH_PAYLOAD = (m.Error, m.Publish, m.Event, m.Call, m.Result, m.Invocation, m.Yield)
AUTHMETHODS = ("ticket", "wampcra", "wamp-scram", "cryptosign")
WITHOUT_HOPS = (m.Subscribe, m.Unsubscribe, m.Register, m.Unregister)

#: Errors of upstream's writer: dropped, garbled, or refused.
WRITER: dict[tuple[type[Message], str], Rule] = {
    # never written, though the schema has a slot
    (m.Hello, "roles"): always,
    (m.Welcome, "roles"): always,
    (m.Hello, "authmethods"): given_at_all,
    (m.Hello, "authextra"): given_at_all,
    (m.Welcome, "authmethod"): given_at_all,
    (m.Welcome, "authextra"): given_at_all,
    (m.Challenge, "extra"): bool,
    (m.Authenticate, "extra"): bool,
    # no slot
    (m.Welcome, "custom"): bool,
    (m.Error, "callee"): given_at_all,
    (m.Error, "callee_authid"): given_at_all,
    (m.Error, "callee_authrole"): given_at_all,
    **{(klass, "forward_for"): given_at_all for klass in WITHOUT_HOPS},
    # an import that fails
    **{
        (klass, "forward_for"): given_at_all
        for klass in (m.Error, m.Call, m.Result, m.Invocation, m.Yield)
    },
    **{(klass, "forward_for"): odd_hops for klass in (m.Cancel, m.Interrupt, m.Publish, m.Event)},
    # enumerations
    (m.Challenge, "method"): lambda v: v not in AUTHMETHODS,
    (m.Cancel, "mode"): lambda v: v in ("skip", "killnowait"),
    (m.Interrupt, "mode"): given_at_all,
    **{(klass, "enc_algo"): custom for klass in WITH_PAYLOAD},
    **{(klass, "enc_serializer"): custom for klass in WITH_PAYLOAD},
    # integers that the slot is too narrow for
    (m.Call, "timeout"): lambda v: v is not None and (v == 0 or v >= 2**32),
    (m.Invocation, "timeout"): lambda v: v is not None and (v == 0 or v >= 2**32),
    (m.Register, "concurrency"): lambda v: v is not None and v >= 2**16,
    # the guard of one tests the other
    (m.Publish, "exclude_authid"): given_at_all,
    (m.Publish, "exclude_authrole"): given_at_all,
    # a default that is left out
    (m.Publish, "exclude_me"): lambda v: v is True,
    (m.Register, "force_reregister"): lambda v: v is not None and v is not True,
    # positional strings that may be empty
    (m.Subscribe, "topic"): empty,
    (m.Authenticate, "signature"): empty,
}

#: Errors of upstream's reader when it reads our messages.
READER: dict[tuple[type[Message], str], Rule] = {
    # the constructor's default hides the received value
    (m.Goodbye, "reason"): always,
    (m.Subscribe, "match"): lambda v: v != "exact",
    (m.Register, "match"): lambda v: v != "exact",
    (m.Register, "invoke"): lambda v: v != "single",
    # never read, or not from where we must write it
    (m.Hello, "roles"): always,
    (m.Welcome, "roles"): always,
    (m.Hello, "authmethods"): lambda v: v != [],
    (m.Hello, "authextra"): lambda v: v != {},
    (m.Welcome, "authextra"): lambda v: v != {},
    (m.Welcome, "authmethod"): given_at_all,
    (m.Welcome, "custom"): bool,
    (m.Challenge, "extra"): bool,
    (m.Authenticate, "extra"): bool,
    (m.Error, "callee"): given_at_all,
    (m.Error, "callee_authid"): given_at_all,
    (m.Error, "callee_authrole"): given_at_all,
    (m.Challenge, "method"): lambda v: v not in AUTHMETHODS,
    # wrong vtable offsets
    (m.Error, "args"): given_at_all,
    (m.Error, "kwargs"): given_at_all,
    (m.Error, "payload"): given_at_all,
    # bytes for str
    **{(klass, "enc_key"): given_at_all for klass in WITH_PAYLOAD},
    **{(klass, "enc_algo"): custom for klass in WITH_PAYLOAD},
    **{(klass, "enc_serializer"): custom for klass in WITH_PAYLOAD},
    **{(klass, "forward_for"): given_at_all for klass in WITHOUT_HOPS},
    **{
        (klass, "forward_for"): odd_hops_to_read for klass in (*WITH_PAYLOAD, m.Cancel, m.Interrupt)
    },
    # present and empty, which it reads well, though it never writes it
    **{(klass, name): never for klass in WITH_PAYLOAD[1:] for name in ("args", "kwargs")},
    # present and True, which it treats as absent
    (m.Publish, "exclude_me"): lambda v: v is True,
    # None reads as the default
    (m.Hello, "resumable"): left_out,
    (m.Hello, "resume_session"): left_out,
    (m.Welcome, "resumed"): left_out,
    (m.Welcome, "resumable"): left_out,
    (m.Goodbye, "resumable"): left_out,
    (m.Subscribe, "get_retained"): left_out,
    (m.Register, "force_reregister"): lambda v: type(v) is not bool,
    (m.Unsubscribed, "subscription"): left_out,
    (m.Unregistered, "registration"): left_out,
    (m.Cancel, "mode"): lambda v: v != "skip",
    (m.Interrupt, "mode"): given_at_all,
    # integers that the slot is too narrow for
    (m.Call, "timeout"): lambda v: v is not None and (v == 0 or v >= 2**32),
    (m.Invocation, "timeout"): lambda v: v is not None and (v == 0 or v >= 2**32),
    (m.Register, "concurrency"): lambda v: v is None or v >= 2**16,
}


def wrong(
    rules: dict[tuple[type[Message], str], Rule], klass: type[Message], name: str, value: Any
) -> bool:
    """Whether upstream is known to be wrong about this value."""
    if (klass, name) in rules:
        return bool(rules[klass, name](value))
    return name not in POSITIONAL_IDS.get(klass, ()) and empty(value)


def same(received: Message, name: str, value: Any) -> bool:
    """Whether the attribute reads as the value; upstream has a memoryview for payload."""
    try:
        got = getattr(received, name)
    except Exception:
        return False
    got = bytes(got) if isinstance(got, memoryview) else got
    return bool(canonical(got) == canonical(value))


def upstream_bytes(msg: Message) -> bytes | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it calls the builder in a deprecated way
            data, _ = upstream.FlatBuffersSerializer().serialize(msg)
    except (TypeError, ValueError, ModuleNotFoundError):
        return None
    finally:
        msg.uncache()
    return bytes(data)


CASES = [(klass, name) for klass in MESSAGE_CLASSES for name in attribute_names(klass)]


def case_id(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("klass", "name"), CASES, ids=case_id)
def test_we_read_what_upstream_writes(klass, name, objser):
    for value in values_of(klass, name):
        msg = klass(**with_value(klass, name, value))
        data = upstream_bytes(msg)
        good = False
        if data is not None:
            try:
                (received,) = objser.unserialize(data)
            except m.ProtocolError:
                good = False
            else:
                good = same(received, name, getattr(msg, name))
        assert good is not wrong(WRITER, klass, name, value), repr(value)


@pytest.mark.parametrize(("klass", "name"), CASES, ids=case_id)
def test_upstream_reads_what_we_write(klass, name, objser):
    for value in values_of(klass, name):
        msg = klass(**with_value(klass, name, value))
        (received,) = upstream.FlatBuffersSerializer().unserialize(objser.serialize(msg))
        assert received.MESSAGE_TYPE == klass.MESSAGE_TYPE
        good = same(received, name, getattr(msg, name))
        assert good is not wrong(READER, klass, name, value), repr(value)


#: Upstream never writes the roles that HELLO and WELCOME must have.
SAME_BYTES = [(klass, name) for klass, name in CASES if klass not in (m.Hello, m.Welcome)]


@pytest.mark.parametrize(("klass", "name"), SAME_BYTES, ids=case_id)
def test_where_upstream_is_right_our_bytes_are_its_bytes(klass, name, objser):
    for value in values_of(klass, name):
        msg = klass(**with_value(klass, name, value))
        if not wrong(WRITER, klass, name, value) and not leaves_out_authrole(name, value):
            assert objser.serialize(msg).hex() == (upstream_bytes(msg) or b"").hex(), repr(value)


def leaves_out_authrole(name: str, value: Any) -> bool:
    """An empty authrole of a hop, which upstream leaves out: read well, but other bytes."""
    return name == "forward_for" and any(hop["authrole"] == "" for hop in value or ())


def says_no_more_than_upstream(msg: Message) -> bool:
    klass = type(msg)
    values = {name: getattr(msg, name) for name in attribute_names(klass)}
    return not any(
        wrong(WRITER, klass, name, value) or leaves_out_authrole(name, value)
        for name, value in values.items()
    )


@given(messages().filter(lambda msg: not isinstance(msg, (m.Hello, m.Welcome))))
def test_never_more_bytes_than_upstream_for_the_same_content(msg):
    objser = FlatBuffersObjectSerializer()
    data = upstream_bytes(msg)
    if data is None or not says_no_more_than_upstream(msg):
        return
    assert len(objser.serialize(msg)) <= len(data)


def test_messages_with_much_content_have_upstreams_bytes_too(objser):
    hops = [{"session": 7, "authid": "a", "authrole": "r"}]
    samples = [
        m.Publish(1, "a.b", args=[1] * 50, kwargs={"k": "v" * 99}, acknowledge=True,
                  exclude_me=False, exclude=[1, 2, 3], exclude_authid=["a", "bcd"],
                  exclude_authrole=["r"], eligible=[4], eligible_authid=["e"],
                  eligible_authrole=["f", "g"], retain=True, transaction_hash="h",
                  forward_for=hops),
        m.Event(1, 2, payload=b"\0" * 77, publisher=3, publisher_authid="a",
                publisher_authrole="r", topic="a.b", retained=True, transaction_hash="h",
                x_acknowledged_delivery=True, enc_algo="mqtt", enc_key="k",
                enc_serializer="cbor", forward_for=hops),
        m.Call(1, "a.b", args=[1], kwargs={"a": 1}, timeout=5, receive_progress=True,
               transaction_hash="h", caller=1, caller_authid="a", caller_authrole="r"),
        m.Invocation(1, 2, args=[1], timeout=5, receive_progress=True, caller=1,
                     caller_authid="a", caller_authrole="r", procedure="a.b",
                     transaction_hash="h"),
        m.Result(1, args=[1], kwargs={"a": 1}, progress=True, callee=1, callee_authid="a",
                 callee_authrole="r"),
        m.Yield(1, payload=b"x", enc_algo="xbr", enc_key="key", enc_serializer="json",
                progress=True, callee=1, callee_authid="a", callee_authrole="r"),
        m.Error(48, 1, "a.b", args=[1], kwargs={"a": [2]}),
        m.Register(1, "a.b", match="prefix", invoke="roundrobin", concurrency=9,
                   force_reregister=True),
        m.Cancel(1, mode="kill", forward_for=hops),
        m.Goodbye("a.b", message="bye", resumable=True),
    ]  # fmt: skip
    for msg in samples:
        assert objser.serialize(msg).hex() == (upstream_bytes(msg) or b"").hex(), type(msg)


@pytest.mark.skipif(
    version("autobahn") == "25.12.2",
    reason="its builder shares a vtable between tables of different sizes",
)
def test_several_hops_have_upstreams_bytes_too(objser):
    hops = [{"session": 7, "authid": "a", "authrole": "r"}] * 3
    for msg in (
        m.Publish(1, "a.b", forward_for=hops),
        m.Event(1, 2, forward_for=hops),
        m.Cancel(1, mode="kill", forward_for=hops),
    ):
        assert objser.serialize(msg).hex() == (upstream_bytes(msg) or b"").hex(), type(msg)
