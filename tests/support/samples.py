"""Hand-picked messages: minimal ones of each class, complete ones, and values of each attribute
that a serializer could confuse."""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message, role
from autobahn.wamp.message import Message

from support.compare import MESSAGE_CLASSES, attribute_names

ID_MAX = 2**53
U64_MAX = 2**64 - 1

#: Attributes that are WAMP IDs in the message's list: 0 to 2**53, never None.
POSITIONAL_IDS = {
    message.Welcome: ("session",),
    message.Error: ("request",),
    message.Publish: ("request",),
    message.Published: ("request", "publication"),
    message.Subscribe: ("request",),
    message.Subscribed: ("request", "subscription"),
    message.Unsubscribe: ("request", "subscription"),
    message.Unsubscribed: ("request",),
    message.Event: ("subscription", "publication"),
    message.EventReceived: ("publication",),
    message.Call: ("request",),
    message.Cancel: ("request",),
    message.Result: ("request",),
    message.Register: ("request",),
    message.Registered: ("request", "registration"),
    message.Unregister: ("request", "registration"),
    message.Unregistered: ("request",),
    message.Invocation: ("request", "registration"),
    message.Interrupt: ("request",),
    message.Yield: ("request",),
}

#: Other attributes that a message can't do without, with a good value.
REQUIRED: dict[type[Message], dict[str, Any]] = {
    message.Hello: {"roles": {"caller": role.RoleCallerFeatures()}},
    message.Welcome: {"roles": {"dealer": role.RoleDealerFeatures()}},
    message.Abort: {"reason": "wamp.error.no_such_realm"},
    message.Challenge: {"method": "ticket"},
    message.Authenticate: {"signature": "secret"},
    message.Goodbye: {"reason": "wamp.close.normal"},
    message.Error: {"request_type": 48, "error": "com.example.failed"},
    message.Publish: {"topic": "com.example.topic"},
    message.Subscribe: {"topic": "com.example.topic"},
    message.Call: {"procedure": "com.example.procedure"},
    message.Register: {"procedure": "com.example.procedure"},
}

_TEXTS = [None, "", "x", "ÄÖ 漢字 🚀", "a\x00b", "x" * 300]
_BOOLS = [None, False, True]
_DETAIL_IDS = [None, 0, 1, 2**32 - 1, 2**32, ID_MAX, ID_MAX + 1, 2**63, U64_MAX]
_ID_LISTS = [None, [], [0], [1, 1, U64_MAX], list(range(100))]
_TEXT_LISTS = [None, [], [""], ["a", "", "ß"], ["same"] * 5]
_HOP = {"session": 1, "authid": "a", "authrole": "r"}
_FORWARD_FOR = [
    None,
    [],
    [_HOP],
    [{"session": 0, "authid": None, "authrole": ""}],
    [{"session": U64_MAX, "authid": "", "authrole": "r"}, _HOP, _HOP],
    [{**_HOP, "extra": {"more": [1, None, 2.5, b"raw"]}}],
    [_HOP, {**_HOP, "x_hop": True}],
]
_ARGS = [None, [], [None], [0, False, "", [], {}, b""], [1, "two", 3.0], [{"deep": [[[]]]}]]
_KWARGS = [None, {}, {"a": None}, {"": 0}, {"ß": [1], "b": {"c": b"\x00"}}]
_PAYLOADS = [None, b"", b"\x00", bytes(range(256))]
_DICTS = [
    None,
    {},
    {"k": None},
    {"challenge": "{}", "iterations": 1000, "keylen": 32, "salt": "s"},
    {"n": {"e": {"s": [True, 1, 1.0, "1", b"1", None]}}, "": -1},
]
_URIS = ["a", "com.example.topic", "com.ex-ample.тема", "x" * 255, "a.b\n"]

#: Values by attribute name; each must come back unchanged and distinct from the others.
VALUES: dict[str, list[Any]] = {
    "realm": [None, "realm1", "com.example.realm"],
    "authmethods": [
        None,
        [],
        ["anonymous"],
        ["ticket", "wampcra", "wamp-scram", "cryptosign"],
        ["scram"],
        ["wamp-scram", "scram"],
        ["tls", "cookie", "anonymous-proxy", "cryptosign-proxy"],
        ["x_own", "", "ticket"],
    ],
    "authmethod": [
        None,
        "",
        "anonymous",
        "ticket",
        "wampcra",
        "scram",
        "wamp-scram",
        "cryptosign",
        "cryptosign-proxy",
        "tls",
        "cookie",
        "x_own",
    ],
    "method": ["", "anonymous", "ticket", "wampcra", "scram", "wamp-scram", "cryptosign", "x_own"],
    "authid": _TEXTS,
    "authrole": _TEXTS,
    "authprovider": _TEXTS,
    "authextra": _DICTS,
    "extra": _DICTS,
    "resumable": _BOOLS,
    "resumed": _BOOLS,
    "resume_session": _DETAIL_IDS,
    "resume_token": _TEXTS,
    "custom": [None, {}, {"x_cb_node": "n"}, {"x_": None, "x_a1": {"b": [1]}, "x_bb": False}],
    "reason": _URIS,
    "message": _TEXTS,
    "signature": [text for text in _TEXTS if text is not None],
    "request_type": [32, 34, 16, 64, 66, 48, 68],
    "error": _URIS,
    "args": _ARGS,
    "kwargs": _KWARGS,
    "payload": _PAYLOADS,
    "enc_algo": [None, "cryptobox", "mqtt", "xbr", "x_", "x_own"],
    "enc_key": [None, "", "key"],
    "enc_serializer": [None, "json", "msgpack", "cbor", "ubjson", "flatbuffers", "x_", "x_own"],
    "callee": _DETAIL_IDS,
    "callee_authid": _TEXTS,
    "callee_authrole": _TEXTS,
    "caller": _DETAIL_IDS,
    "caller_authid": _TEXTS,
    "caller_authrole": _TEXTS,
    "publisher": _DETAIL_IDS,
    "publisher_authid": _TEXTS,
    "publisher_authrole": _TEXTS,
    "forward_for": _FORWARD_FOR,
    "topic": _URIS,
    "procedure": _URIS,
    "acknowledge": _BOOLS,
    "exclude_me": _BOOLS,
    "exclude": _ID_LISTS,
    "exclude_authid": _TEXT_LISTS,
    "exclude_authrole": _TEXT_LISTS,
    "eligible": _ID_LISTS,
    "eligible_authid": _TEXT_LISTS,
    "eligible_authrole": _TEXT_LISTS,
    "retain": _BOOLS,
    "retained": _BOOLS,
    "get_retained": _BOOLS,
    "transaction_hash": _TEXTS,
    "x_acknowledged_delivery": _BOOLS,
    "match": ["exact", "prefix", "wildcard"],
    "invoke": ["single", "first", "last", "roundrobin", "random"],
    "concurrency": [None, 1, 2**16 - 1, 2**16, 2**32, U64_MAX],
    "force_reregister": [None, False, True, 0, 1],
    "timeout": [None, 0, 1, 2**32 - 1, 2**32, U64_MAX],
    "receive_progress": _BOOLS,
    "progress": _BOOLS,
    "mode": [None, "skip", "kill", "killnowait"],
}


def role_values(klass: type[Message]) -> list[dict[str, role.RoleFeatures]]:
    """Roles with only one feature True, only one False, and all of them."""
    names = (
        ("broker", "dealer")
        if klass is message.Welcome
        else ("publisher", "subscriber", "caller", "callee")
    )
    classes = {name: role.ROLE_NAME_TO_CLASS[name] for name in names}
    values = [{name: make()} for name, make in classes.items()]
    values.append({name: make() for name, make in classes.items()})
    for name, make in classes.items():
        features = [k for k in vars(make()) if not k.startswith("_")]
        values += [{name: make(**{f: flag})} for f in features for flag in (False, True)]
        values.append({name: make(**dict.fromkeys(features, True))})
        values.append({name: make(**dict.fromkeys(features, False))})
    return values


def values_of(klass: type[Message], name: str) -> list[Any]:
    """All values of an attribute that constructor and Message.parse take."""
    if name in POSITIONAL_IDS.get(klass, ()):
        return [0, 1, 2**32 - 1, 2**32, ID_MAX]
    if name == "roles":
        return role_values(klass)
    if klass is message.Welcome and name == "realm":
        return _TEXTS
    if klass in (message.Unsubscribed, message.Unregistered):
        if name in ("subscription", "registration"):
            return [None, 1, ID_MAX + 1, U64_MAX]
        if name == "reason":
            return [None, *_URIS]
    if klass is message.Interrupt:
        if name == "mode":
            return [None, "kill", "killnowait"]
        if name == "reason":
            return [None, *_URIS]
    if (klass, name) in ((message.Event, "topic"), (message.Invocation, "procedure")):
        return _TEXTS
    if klass is message.Subscribe and name == "topic":
        return [*_URIS, "", "a..b", ".", "a.b."]
    return VALUES[name]


def minimal(klass: type[Message]) -> dict[str, Any]:
    """The fewest keyword arguments that make a message which can be sent."""
    ids = {name: 1 + i for i, name in enumerate(POSITIONAL_IDS.get(klass, ()))}
    return {**ids, **REQUIRED.get(klass, {})}


def with_value(klass: type[Message], name: str, value: Any) -> dict[str, Any]:
    """The minimal keyword arguments with one attribute, and those that WAMP requires with it."""
    kwargs = {**minimal(klass), name: value}
    if name in ("enc_algo", "enc_key", "enc_serializer") and value is not None:
        kwargs.setdefault("payload", b"payload")
        kwargs.setdefault("enc_algo", "cryptobox")
    if name == "resume_session" and value:
        kwargs["resume_token"] = "token"
    if klass is message.Welcome and name == "resumable" and value:
        kwargs["resume_token"] = "token"
    revoked = {message.Unsubscribed: "subscription", message.Unregistered: "registration"}
    if revoked.get(klass) == name and value is not None:
        kwargs["request"] = 0
    return kwargs


def _last_value(klass: type[Message], name: str) -> Any:
    return values_of(klass, name)[-1]


def full(klass: type[Message], *, transparent: bool = False) -> dict[str, Any]:
    """Keyword arguments with every attribute set that can be set together."""
    kwargs = {name: _last_value(klass, name) for name in attribute_names(klass)}
    if "payload" in kwargs:
        apart = (
            ("args", "kwargs")
            if transparent
            else ("payload", "enc_algo", "enc_key", "enc_serializer")
        )
        for name in apart:
            del kwargs[name]
    if klass in (message.Unsubscribed, message.Unregistered):
        kwargs["request"] = 0
    return kwargs


def every_sample() -> list[Message]:
    """For each class: its minimal message, its full one, and its transparent one."""
    samples = []
    for klass in MESSAGE_CLASSES:
        samples.append(klass(**minimal(klass)))
        samples.append(klass(**full(klass)))
        if "payload" in attribute_names(klass):
            samples.append(klass(**full(klass, transparent=True)))
    return samples


def every_value() -> list[tuple[type[Message], str, Any]]:
    """Each class, attribute and value of the tables above."""
    return [
        (klass, name, value)
        for klass in MESSAGE_CLASSES
        for name in attribute_names(klass)
        for value in values_of(klass, name)
    ]
