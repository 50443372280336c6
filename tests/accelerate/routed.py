"""The messages that Crossbar.io's broker and dealer send in answer to received ones, as text: run
by test_routing.py with and without acceleration.

    python routed.py PART...
"""

from __future__ import annotations

import random
import sys
from typing import Any
from unittest import mock

import txaio

txaio.use_twisted()

from autobahn.wamp import message, role  # noqa: E402
from autobahn.wamp.serializer import create_transport_serializer  # noqa: E402
from crossbar.router.role import RouterRoleStaticAuth  # noqa: E402
from crossbar.router.router import RouterFactory  # noqa: E402
from crossbar.worker.types import RouterRealm  # noqa: E402

import autobahn_fbs  # noqa: E402
from support.wirebuild import build  # noqa: E402

M: Any = message

#: CBOR of args and of kwargs, or None: good, unusual, and bad.
PAYLOADS: list[tuple[bytes | None, bytes | None]] = [
    (None, None),
    (b"\x80", b"\xa0"),
    (b"\x83\x01\x63abc\xf6", b"\xa1\x61a\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
    (b"\x81\x58\x20" + bytes(32), None),
    (None, b"\xa1\x61a\x81\xa1\x61b\x20"),
    (b"\x81\xf9\x3c\x00", None),  # a float of 16 bits
    (b"\x81\xc0\x74" + b"2026-01-01T00:00:00Z", None),  # a date
    (b"\x9f\x01\xff", None),  # an array without a length
    (b"\x81\x18\x01", None),  # not the shortest form
    (b"\x81\xf7", None),  # undefined
    (b"\x81\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", None),  # 2**64
    (b"\x80", b"\xa2\x61a\x01\x61a\x02"),  # the same key twice
    (b"\x82\x01", None),  # an item is missing
    (b"\x81\x61\xff", None),  # not UTF-8
    (b"\x01", None),  # not a list
    (b"\x80", b"\xa1\x01\x02"),  # a key that is no text
    (b"\x80", b"\x80"),  # not a dict
    (b"\x81\x1c", None),  # reserved
    (b"", None),
    (b"\x80\x00", None),  # bytes behind it
]

SENT: list[str] = []


def session(name: str, number: int, serializer: str) -> Any:
    """A session that is attached to the router and records the messages sent to it."""
    made = mock.Mock(_session_id=number, _authid=name, _authrole="member", _realm="realm1")
    made._session_roles = {
        "callee": role.RoleCalleeFeatures(call_canceling=True),
        "subscriber": role.RoleSubscriberFeatures(),
    }
    made.serializer = create_transport_serializer(serializer)

    def send(msg: Any) -> None:
        try:
            data, _ = made.serializer.serialize(msg)
            SENT.append(f"{name} {type(msg).__name__} {data.hex()}")
        except Exception as error:
            SENT.append(f"{name} {type(msg).__name__} {error!r}")
        made.last = msg

    made._transport.send = send
    return made


def main(parts: list[str]) -> None:
    autobahn_fbs.install()
    if parts:
        autobahn_fbs.accelerate(parts)
        from autobahn_fbs import _accelerate

        states = {s for groups in _accelerate.status().values() for s, _ in groups.values()}
        assert "refused" not in states, _accelerate.status()
    factory: Any = RouterFactory("node", "router", None)
    factory.start_realm(RouterRealm(None, "realm", {"name": "realm1"}))
    router = factory.get("realm1")
    allowed = dict.fromkeys(("call", "register", "publish", "subscribe"), True)
    permissions = {"uri": "", "match": "prefix", "allow": allowed}
    router.add_role(RouterRoleStaticAuth(router, "member", default_permissions=permissions))
    one, two, other = (
        session("one", 1, "flatbuffers"),
        session("two", 2, "flatbuffers"),
        session("other", 3, "json"),
    )
    for each in (one, two, other):
        router.attach(each)

    def validate(*words: Any, **named: Any) -> None:
        SENT.append(f"inventory {words} {named}")

    def process(source: Any, msg: Any) -> None:
        try:
            router.process(source, msg)
        except Exception as error:
            SENT.append(f"{source._authid} {type(msg).__name__} {error!r}")

    def receive(source: Any, table: str, fields: dict[str, Any], payload: Any) -> None:
        args, kwargs = payload
        fields |= {"args": args} if args is not None else {}
        fields |= {"kwargs": kwargs} if kwargs is not None else {}
        SENT.append(f"-- {table} {payload}")
        for msg in source.serializer.unserialize(build(table, fields), True):
            process(source, msg)

    random.seed(1)
    for each in (two, other):
        process(each, M.Subscribe(1, "com.example.topic"))
        process(each, M.Subscribe(2, "com.example", match="prefix"))
        process(each, M.Register(3, f"com.example.{each._authid}"))
    for payload in PAYLOADS:
        acknowledged = {"request": 5, "topic": "com.example.topic", "acknowledge": True}
        receive(one, "Publish", acknowledged, payload)
        receive(one, "Publish", {"request": 6, "topic": "com.example.topic"}, payload)
        for callee, number in ((two, 7), (other, 8)):
            procedure = {"request": number, "procedure": f"com.example.{callee._authid}"}
            receive(one, "Call", procedure, payload)
        for answer in ("Yield", "Error"):
            two.last = None
            receive(one, "Call", {"request": 9, "procedure": "com.example.two"}, (b"\x80", None))
            fields: dict[str, Any] = {"request": getattr(two.last, "request", 0)}
            if answer == "Error":
                fields |= {"request_type": 68, "error": "com.example.bad"}
            receive(two, answer, fields, payload)
    for number, payload in enumerate(PAYLOADS):
        kept = {"request": 10, "topic": f"com.example.kept{number}", "retain": True}
        receive(one, "Publish", kept, payload)
        for each in (two, other):
            process(each, M.Subscribe(11, kept["topic"], get_retained=True))
    # A router with an inventory looks at what it passes on.
    router.validate = validate
    for payload in PAYLOADS:
        receive(one, "Publish", {"request": 12, "topic": "com.example.topic"}, payload)
        receive(one, "Call", {"request": 13, "procedure": "com.example.two"}, payload)
    print("\n".join(SENT))


if __name__ == "__main__":
    main(sys.argv[1:])
