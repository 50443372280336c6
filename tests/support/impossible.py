"""Values that no message can carry."""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message, role
from autobahn.wamp.message import Message

from support.samples import POSITIONAL_IDS, REQUIRED, U64_MAX

NEVER_STR = [1, b"x", ["x"], "\ud800", "ok\udfff"]
NEVER_BOOL = [2, "true", b"", []]
NEVER_LIST = ["abc", {"a": 1}, 5]
NEVER_DICT = ["abc", [("a", 1)], 5]
NEVER_U64 = [-1, -(2**63), U64_MAX + 1, 2**100, True, "1", 1.0]

STRS = {
    "realm",
    "authid",
    "authrole",
    "authmethod",
    "authprovider",
    "resume_token",
    "reason",
    "message",
    "method",
    "signature",
    "error",
    "enc_algo",
    "enc_key",
    "enc_serializer",
    "callee_authid",
    "callee_authrole",
    "caller_authid",
    "caller_authrole",
    "publisher_authid",
    "publisher_authrole",
    "topic",
    "procedure",
    "transaction_hash",
    "match",
    "invoke",
    "mode",
}
BOOLS = {
    "resumable",
    "resumed",
    "acknowledge",
    "exclude_me",
    "retain",
    "retained",
    "get_retained",
    "x_acknowledged_delivery",
    "force_reregister",
    "receive_progress",
    "progress",
}
INTS = {
    "resume_session",
    "callee",
    "caller",
    "publisher",
    "timeout",
    "concurrency",
    "request_type",
    "session",
    "request",
    "publication",
    "subscription",
    "registration",
}
ID_LISTS = {"exclude", "eligible"}
STR_LISTS = {
    "authmethods",
    "exclude_authid",
    "exclude_authrole",
    "eligible_authid",
    "eligible_authrole",
}
DICTS = {"authextra", "extra", "custom", "kwargs"}
HOP = {"session": 1, "authid": "a", "authrole": "r"}


def impossible(klass: type[Message], name: str) -> list[Any]:
    """Values of an attribute that no message can carry."""
    values: list[Any]
    if name in STRS:
        values = list(NEVER_STR)
        if name in ("match", "invoke", "mode", "enc_algo", "enc_serializer"):
            values += ["no such value", "", "EXACT", "null", "opaque"]
    elif name in BOOLS:
        values = list(NEVER_BOOL) if name == "force_reregister" else [*NEVER_BOOL, 0, 1]
    elif name in INTS:
        values = list(NEVER_U64)
        if name in POSITIONAL_IDS.get(klass, ()):
            values += [2**53 + 1, U64_MAX]
        if name == "concurrency":
            values += [0]
        if name == "request_type":
            values += [0, 1, 36, 2**16 + 48]
    elif name in ID_LISTS:
        values = [*NEVER_LIST, *([1, item] for item in NEVER_U64)]
    elif name in STR_LISTS:
        values = [*NEVER_LIST, *(["a", item] for item in NEVER_STR), [None]]
    elif name in DICTS:
        values = list(NEVER_DICT)
    elif name == "args":
        values = [5, {"a": 1}] + ([] if klass is message.Publish else ["text", b"raw"])
    elif name == "payload":
        values = ["text", 5, [1]]
    elif klass is message.Unregister and name == "forward_for":
        values = [*NEVER_LIST, ["\ud800"]]  # the constructor takes any list
    elif name == "forward_for":
        values = [
            *NEVER_LIST,
            [5],
            [{}],
            [{"session": 1}],
            [{**HOP, "authrole": None}],
            [{**HOP, "authid": 1}],
            [{**HOP, "authid": "\ud800"}],
            *([HOP, {**HOP, "session": item}] for item in NEVER_U64),
            [{**HOP, "session": -1, "more": 1}],
        ]
    else:
        assert name == "roles"
        other = {"caller": role.RoleCallerFeatures()}
        own = "broker" if klass is message.Welcome else "caller"
        broken = role.ROLE_NAME_TO_CLASS[own]()
        broken.payload_transparency = 1
        values = [{}, [], {own: {}}, {own: None}, {"nobody": broken}, {own: broken}]
        if klass is message.Welcome:
            values.append(other)
    if name in POSITIONAL_IDS.get(klass, ()) or (name in REQUIRED.get(klass, {})):
        values.append(None)
    return values
