"""The same content twice: as a raw WAMP list for ``Message.parse``, and as typed FlatBuffers
fields (or metadata) for the code under test."""

from __future__ import annotations

from typing import Any

import cbor2
from autobahn.wamp import message as m
from autobahn.wamp.message import Message

from support.wirebuild import build

DETAILS, PAYLOAD = "<details>", "<payload>"

#: The elements after the message code in each class's WAMP list.
LAYOUT: dict[type[Message], tuple[str, ...]] = {
    m.Hello: ("realm", DETAILS),
    m.Welcome: ("session", DETAILS),
    m.Abort: (DETAILS, "reason"),
    m.Challenge: ("method", "extra"),
    m.Authenticate: ("signature", "extra"),
    m.Goodbye: (DETAILS, "reason"),
    m.Error: ("request_type", "request", DETAILS, "error", PAYLOAD),
    m.Publish: ("request", DETAILS, "topic", PAYLOAD),
    m.Published: ("request", "publication"),
    m.Subscribe: ("request", DETAILS, "topic"),
    m.Subscribed: ("request", "subscription"),
    m.Unsubscribe: ("request", "subscription", DETAILS),
    m.Unsubscribed: ("request", DETAILS),
    m.Event: ("subscription", "publication", DETAILS, PAYLOAD),
    m.EventReceived: ("publication",),
    m.Call: ("request", DETAILS, "procedure", PAYLOAD),
    m.Cancel: ("request", DETAILS),
    m.Result: ("request", DETAILS, PAYLOAD),
    m.Register: ("request", DETAILS, "procedure"),
    m.Registered: ("request", "registration"),
    m.Unregister: ("request", "registration", DETAILS),
    m.Unregistered: ("request", DETAILS),
    m.Invocation: ("request", "registration", DETAILS, PAYLOAD),
    m.Interrupt: ("request", DETAILS),
    m.Yield: ("request", DETAILS, PAYLOAD),
}

#: Attributes with a different WAMP name in the details.
DETAIL_NAMES = {
    (m.Hello, "resume_session"): "resume-session",
    (m.Hello, "resume_token"): "resume-token",
}

FIELD_NAMES = {
    "enc_algo": "ppt_scheme",
    "enc_key": "ppt_keyid",
    "enc_serializer": "ppt_serializer",
    "x_acknowledged_delivery": "acknowledge",
}

ENUMS: dict[str, dict[str, int]] = {
    "enc_algo": {"cryptobox": 1, "mqtt": 2, "xbr": 3, "opaque": 4},
    "enc_serializer": {"json": 1, "msgpack": 2, "cbor": 3, "ubjson": 4, "opaque": 5,
                       "flatbuffers": 6, "flexbuffers": 7},
    "match": {"exact": 0, "prefix": 1, "wildcard": 2},
    "invoke": {"single": 0, "first": 1, "last": 2, "roundrobin": 3, "random": 4},
    "mode": {"skip": 0, "kill": 1, "killnowait": 2},
    "method": {"anonymous": 0, "ticket": 1, "wampcra": 2, "wamp-scram": 3, "cryptosign": 4},
    "authmethod": {"anonymous": 0, "ticket": 1, "wampcra": 2, "wamp-scram": 3, "cryptosign": 4},
}  # fmt: skip


def raw_list(
    klass: type[Message], attributes: dict[str, Any], details: dict[str, Any] | None = None
) -> list[Any]:
    """A WAMP list with these attributes; ``details`` are added as they are."""
    rest = dict(attributes)
    raw: list[Any] = [klass.MESSAGE_TYPE]
    layout = LAYOUT[klass]
    for name in layout:
        if name == DETAILS:
            raw.append({})
        elif name == PAYLOAD:
            if "payload" in rest:
                raw.append(rest.pop("payload"))
            elif "kwargs" in rest:
                raw += [rest.pop("args", None), rest.pop("kwargs")]
            elif "args" in rest:
                raw.append(rest.pop("args"))
        else:
            raw.append(rest.pop(name, {} if name == "extra" else None))
    names = {DETAIL_NAMES.get((klass, name), name): value for name, value in rest.items()}
    if DETAILS in layout:
        raw[1 + layout.index(DETAILS)] = {**names, **(details or {})}
    else:
        assert not names, names
    return raw


def typed(
    klass: type[Message],
    attributes: dict[str, Any],
    details: dict[str, Any] | None = None,
    **options: Any,
) -> bytes:
    """A FlatBuffers message with these attributes in its typed fields, and ``details`` as
    metadata."""
    fields = {}
    for name, value in attributes.items():
        if name in ENUMS and isinstance(value, str):
            value = ENUMS[name][value]
        elif name == "roles":
            value = {role: dict(entry.get("features", {})) for role, entry in value.items()}
        elif name in ("args", "kwargs"):
            value = cbor2.dumps(value)
        fields[FIELD_NAMES.get(name, name)] = value
    if details is not None:
        options["metadata"] = cbor2.dumps(details)
    return build(klass.__name__, fields, **options)
