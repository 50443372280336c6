"""The messages that the demo encodes, decodes and measures: small ones, like most WAMP messages."""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message, role

_SESSION = 5_912_350_218_374_113


def event() -> Any:
    """An EVENT with two args and two kwargs."""
    return message.Event(
        8_153_290_114_270_043,
        2_201_777_390_455_911,
        args=["Zürich", 12.5],
        kwargs={"sunny": True, "knots": 7},
        publisher=_SESSION,
        topic="com.example.weather",
    )


def call() -> Any:
    """A CALL with two args."""
    return message.Call(42, "com.example.divide", args=[7, 2], timeout=5000)


def hello() -> Any:
    """The HELLO of a client that calls and subscribes."""
    roles = {
        "caller": role.RoleCallerFeatures(progressive_call_results=True),
        "subscriber": role.RoleSubscriberFeatures(publisher_identification=True),
    }
    return message.Hello(
        "demo", roles, authmethods=["ticket"], authid="tina", authextra={"device": "tablet"}
    )


def result() -> Any:
    """A progressive RESULT."""
    return message.Result(42, args=[3], kwargs={"unit": "s"}, progress=True)


def error() -> Any:
    """An ERROR that answers a CALL, with args and kwargs."""
    return message.Error(
        message.Call.MESSAGE_TYPE,
        42,
        "com.example.error.division",
        args=[7, 0],
        kwargs={"hint": "not by zero"},
    )


#: By name, in the order of a session's life.
SAMPLES = {"HELLO": hello, "EVENT": event, "CALL": call, "RESULT": result, "ERROR": error}
