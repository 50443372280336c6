"""The verdict on typed content is that of ``Message.parse`` on the same content.

Each case is built twice, without the code under test: as a raw WAMP list for Autobahn's
``parse``, and as a FlatBuffers message. Accepted messages must also be equal.
"""

from __future__ import annotations

import decimal
import itertools
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import InvalidUriError, ProtocolError
from autobahn.wamp.message import Message
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import MESSAGE_CLASSES, attribute_names, differences
from support.samples import POSITIONAL_IDS, U64_MAX
from support.wamplist import DETAIL_NAMES, DETAILS, ENUMS, FIELD_NAMES, LAYOUT, raw_list, typed
from support.wirebuild import build

SERIALIZER = FlatBuffersObjectSerializer()

GOOD: dict[type[Message], dict[str, Any]] = {
    m.Hello: {"realm": "realm1", "roles": {"caller": {}}},
    m.Welcome: {"realm": "realm1", "authid": "a", "authrole": "r", "roles": {"dealer": {}}},
    m.Abort: {"reason": "a.b"},
    m.Challenge: {"method": "ticket"},
    m.Authenticate: {"signature": "s"},
    m.Goodbye: {"reason": "a.b"},
    m.Error: {"request_type": 48, "error": "a.b"},
    m.Publish: {"topic": "a.b"},
    m.Subscribe: {"topic": "a.b"},
    m.Call: {"procedure": "a.b"},
    m.Register: {"procedure": "a.b"},
}
WITH_PAYLOAD = tuple(k for k in MESSAGE_CLASSES if "payload" in attribute_names(k))

EVIL_URIS = [
    "", ".", "..", "a", "a.", ".a", "a..b", "a.b.", "...", "a b", " a", "a ", "a\n", "a\n\n",
    "\n", "a\nb", "a.\n", ".\n", "..\n", "a..\n", "a\r\n", "a\r", "a\tb", "a#b", "#", "a.#",
    "a\x0bb", "a\x0cb", "a\x1bb", "a\x1cb", "a\x1db", "a\x1eb", "a\x1fb", "a\x7fb", "a\x85b",
    "a\xa0b", "a\u1680b", "a\u180eb", "a\u2000b", "a\u200ab", "a\u200bb", "a\u2028b",
    "a\u2029b", "a\u202fb", "a\u205fb", "a\u3000b", "a\ufeffb", "a\x00b", "\x00", "ä.ö",
    "漢字.🚀", "com.example-topic.A_B", "a/b", "a,b", "*", "a.*", "x" * 1000, "a." * 500 + "a",
]  # fmt: skip


def good(klass: type[Message], **changes: Any) -> dict[str, Any]:
    ids = {name: 1 + i for i, name in enumerate(POSITIONAL_IDS.get(klass, ()))}
    return {**ids, **GOOD.get(klass, {}), **changes}


def parsed(klass: type[Message], raw: list[Any]) -> Message | None:
    """Autobahn's message for a WAMP list; None if it refuses it."""
    try:
        return klass.parse(raw)
    except (ProtocolError, InvalidUriError, AssertionError):
        return None


def received(data: bytes) -> Message | None:
    """Our message for a FlatBuffers message; None if it is refused."""
    try:
        (msg,) = SERIALIZER.unserialize(data)
    except ProtocolError:
        return None
    return msg


def check(
    klass: type[Message], attributes: dict[str, Any], details: dict[str, Any] | None = None
) -> None:
    """Both verdicts are the same, and so is the content of accepted messages."""
    wanted = parsed(klass, raw_list(klass, attributes, details))
    got = received(typed(klass, attributes, details))
    case = f"{klass.__name__} {attributes} {details or ''}"[:300]
    if wanted is None:
        assert got is None, f"parse refuses, we accept: {case}"
    else:
        assert got is not None, f"parse accepts, we refuse: {case}"
        found = differences(got, wanted)
        assert not found, f"{case}: {found}"


def case_id(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)[:40]


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=case_id)
def test_the_good_message_is_good(klass):
    check(klass, good(klass))
    assert received(typed(klass, good(klass))) is not None


STRINGS = [
    (m.Hello, "realm"), (m.Welcome, "realm"), (m.Abort, "reason"), (m.Goodbye, "reason"),
    (m.Error, "error"), (m.Publish, "topic"), (m.Subscribe, "topic"), (m.Unsubscribed, "reason"),
    (m.Event, "topic"), (m.Call, "procedure"), (m.Register, "procedure"),
    (m.Unregistered, "reason"), (m.Invocation, "procedure"), (m.Interrupt, "reason"),
    (m.Abort, "message"), (m.Authenticate, "signature"), (m.Goodbye, "message"),
]  # fmt: skip


@pytest.mark.parametrize(("klass", "name"), STRINGS, ids=case_id)
def test_uris_are_judged_as_by_parse(klass, name):
    for uri in EVIL_URIS:
        check(klass, good(klass, **{name: uri}))


@given(st.sampled_from(STRINGS[:10]), st.text(st.sampled_from("aä.# \n\t\x1f\x85\u2003\u200b")))
def test_any_text_is_judged_as_by_parse(case, uri):
    klass, name = case
    check(klass, good(klass, **{name: uri}))


@pytest.mark.parametrize("klass", [m.Register, m.Subscribe], ids=case_id)
@pytest.mark.parametrize("match", [None, "exact", "prefix", "wildcard"])
def test_patterns_are_judged_by_their_match_policy(klass, match):
    name = "procedure" if klass is m.Register else "topic"
    for uri in EVIL_URIS:
        attributes = good(klass, **{name: uri})
        check(klass, attributes if match is None else {**attributes, "match": match})


@pytest.mark.parametrize(
    ("klass", "name"), [(k, n) for k, names in POSITIONAL_IDS.items() for n in names], ids=case_id
)
def test_ids_are_0_to_2_to_the_53(klass, name):
    for number in (0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63, U64_MAX):
        attributes = good(klass, **{name: number})
        check(klass, attributes)


@pytest.mark.parametrize(
    ("klass", "name"),
    [
        (m.Event, "publisher"),
        (m.Call, "caller"),
        (m.Invocation, "caller"),
        (m.Result, "callee"),
        (m.Yield, "callee"),
    ],
    ids=case_id,
)
def test_ids_in_details_are_any_64_bits(klass, name):
    for number in (0, 2**53 + 1, U64_MAX):
        check(klass, good(klass, **{name: number}))


def test_errors_answer_the_seven_kinds_of_requests():
    for code in [*range(400), 2**15, 2**16 - 1]:
        check(m.Error, good(m.Error, request_type=code))


def test_concurrency_is_1_or_more():
    for number in (0, 1, 2, 2**16 - 1):
        check(m.Register, good(m.Register, concurrency=number))


@pytest.mark.parametrize("klass", [m.Call, m.Invocation], ids=case_id)
def test_timeout_is_any_32_bits(klass):
    for number in (0, 1, 2**32 - 1):
        check(klass, good(klass, timeout=number))


def test_a_session_to_resume_needs_a_token():
    options = {
        "resume_session": (None, 0, 1, U64_MAX),
        "resume_token": (None, "", "t"),
        "resumable": (None, False, True),
    }
    for values in itertools.product(*options.values()):
        chosen = {k: v for k, v in zip(options, values, strict=True) if v is not None}
        check(m.Hello, good(m.Hello, **chosen))


def test_a_resumable_session_needs_a_token():
    options = {
        "resumed": (None, False, True),
        "resumable": (None, False, True),
        "resume_token": (None, "", "t"),
    }
    for values in itertools.product(*options.values()):
        chosen = {k: v for k, v in zip(options, values, strict=True) if v is not None}
        check(m.Welcome, good(m.Welcome, **chosen))


@pytest.mark.parametrize(
    ("klass", "name"),
    [(m.Unsubscribed, "subscription"), (m.Unregistered, "registration")],
    ids=case_id,
)
def test_a_revoked_id_goes_with_request_0(klass, name):
    for request, revoked in itertools.product((0, 1, 2**53), (None, 0, 1, U64_MAX)):
        changes = {} if revoked is None else {name: revoked}
        check(klass, {"request": request, **changes})
        check(klass, {"request": request, "reason": "a.b", **changes})


@pytest.mark.parametrize("klass", WITH_PAYLOAD, ids=case_id)
def test_attributes_of_a_payload_are_checked_as_by_parse(klass):
    algorithms = [None, *ENUMS["enc_algo"]]
    serializers = [None, *ENUMS["enc_serializer"]]
    for payload, algo, key, serializer in itertools.product(
        (b"", b"x"), algorithms, (None, "", "k"), serializers
    ):
        chosen = {"enc_algo": algo, "enc_key": key, "enc_serializer": serializer}
        check(
            klass,
            good(klass, payload=payload, **{k: v for k, v in chosen.items() if v is not None}),
        )


@pytest.mark.parametrize("klass", WITH_PAYLOAD, ids=case_id)
def test_a_payload_comes_without_args_and_kwargs(klass):
    for more in ({"args": []}, {"args": [1]}, {"kwargs": {}}, {"kwargs": {"a": 1}}):
        assert received(typed(klass, good(klass, payload=b"x", **more))) is None


@pytest.mark.parametrize("klass", WITH_PAYLOAD, ids=case_id)
def test_args_and_kwargs_of_other_types_are_refused_when_read(klass):
    for name, values in (
        ("args", [5, {"a": 1}, "s", b"s", True]),
        ("kwargs", [5, [1], "s", b"s", {1: 2}, {b"k": 1}]),
    ):
        for value in values:
            if klass is m.Publish and name == "args" and isinstance(value, (str, bytes)):
                continue  # only PUBLISH accepts them
            (msg,) = SERIALIZER.unserialize(typed(klass, good(klass, **{name: value})))
            with pytest.raises(ProtocolError, match=rf"{klass.__name__.upper()}\.{name}"):
                getattr(msg, name)


@pytest.mark.parametrize(
    ("klass", "name", "code"),
    [
        (m.Subscribe, "match", 3),
        (m.Register, "match", 3),
        (m.Register, "invoke", 5),
        (m.Cancel, "mode", 3),
        (m.Interrupt, "mode", 3),
        (m.Interrupt, "mode", 0),
        (m.Challenge, "method", 5),
        (m.Welcome, "authmethod", 5),
        (m.Publish, "enc_algo", 5),
        (m.Publish, "enc_serializer", 8),
        (m.Publish, "enc_algo", 255),
    ],
    ids=case_id,
)
def test_a_number_outside_its_enumeration_is_refused(klass, name, code):
    more = {"payload": b"x", "enc_algo": 1} if name.startswith("enc_") else {}
    with pytest.raises(ProtocolError, match=FIELD_NAMES.get(name, name)):
        SERIALIZER.unserialize(typed(klass, good(klass, **{**more, name: code})))


def test_a_bool_is_0_or_1():
    data = typed(m.Publish, good(m.Publish, retain=True))
    other = typed(m.Publish, good(m.Publish, retain=False))
    (place,) = (i for i in range(len(data)) if data[i] != other[i])
    for code in (2, 128, 255):
        broken = data[:place] + bytes([code]) + data[place + 1 :]
        with pytest.raises(ProtocolError, match=r"PUBLISH\.retain"):
            SERIALIZER.unserialize(broken)


REQUIRED = [
    (m.Abort, "reason"), (m.Authenticate, "signature"), (m.Goodbye, "reason"),
    (m.Error, "error"), (m.Publish, "topic"), (m.Subscribe, "topic"), (m.Call, "procedure"),
    (m.Register, "procedure"),
]  # fmt: skip


@pytest.mark.parametrize(("klass", "name"), REQUIRED, ids=case_id)
def test_a_missing_required_string_is_refused_by_name(klass, name):
    attributes = good(klass)
    del attributes[name]
    with pytest.raises(ProtocolError, match=rf"{klass.__name__.upper()}\.{name}"):
        SERIALIZER.unserialize(typed(klass, attributes))


@pytest.mark.parametrize("klass", [m.Hello, m.Welcome], ids=case_id)
def test_fields_that_upstream_leaves_out_may_be_missing(klass):
    (msg,) = SERIALIZER.unserialize(typed(klass, {"session": 1} if klass is m.Welcome else {}))
    assert msg.roles == {}
    assert msg.realm is None
    assert msg.authid is None
    assert msg.authrole is None


@pytest.mark.parametrize("klass", [m.Hello, m.Welcome], ids=case_id)
def test_roles_that_announce_nothing_are_refused(klass):
    assert received(typed(klass, good(klass, roles={}))) is None


@pytest.mark.parametrize("schema_dialect", [False, True], ids=["autobahn", "schema"])
@pytest.mark.parametrize("features", [{"self": True}, {"call_timeout": 10**5000}], ids=list)
def test_features_at_which_autobahns_own_classes_fail_are_refused(features, schema_dialect):
    """No feature can be called self; and an int can be too long to be shown in an error's text."""
    details = {"roles": {"caller": {"features": features}}}
    data = build("Hello", {}, metadata=cbor2.dumps(details), schema_dialect=schema_dialect)
    reader = FlatBuffersObjectSerializer(dialect="schema" if schema_dialect else "autobahn")
    with pytest.raises(ProtocolError, match="'caller'"):  # its text may be Autobahn's
        reader.unserialize(data)


@pytest.mark.parametrize(
    "name", [10**5000, b"caller", (1, 2), None], ids=lambda x: type(x).__name__
)
def test_a_role_whose_name_is_no_text_is_refused_without_being_shown(name):
    data = build("Hello", {}, metadata=cbor2.dumps({"roles": {name: {}}}))
    with pytest.raises(ProtocolError, match=r"^HELLO: metadata has keys that are not strings"):
        SERIALIZER.unserialize(data)


@pytest.mark.parametrize(
    "roles",
    [{"x" * 100_000: {}}, {"caller": {"features": {"call_timeout": "x" * 100_000}}}],
    ids=["name", "value"],
)
def test_an_error_about_roles_is_short_whatever_they_are(roles):
    data = build("Hello", {}, metadata=cbor2.dumps({"roles": roles}))
    with pytest.raises(ProtocolError, match=r"HELLO\.roles: ") as caught:
        SERIALIZER.unserialize(data)
    assert len(str(caught.value)) < 400


EVIL_DETAILS: list[Any] = [
    None, True, False, 0, 1, 2**53 + 1, -1, 2**64, 1.0, 1.5, "", "x", "a.b", "a b", "exact",
    "prefix", "single", "kill", "skip", "cryptobox", "x_own", "cbor", b"", b"x", [], [1], [-1],
    [2**64], [True], ["a"], ["a", 1], [None], {}, {"a": 1}, {1: 2}, [{}],
    [{"session": 1, "authid": "a", "authrole": "r"}],
    [{"session": 1, "authid": None, "authrole": "r"}],
    [{"session": -1, "authid": "a", "authrole": "r"}],
    [{"session": True, "authid": "a", "authrole": "r"}],
    [{"session": 1, "authid": 1, "authrole": "r"}],
    [{"session": 1, "authid": "a", "authrole": None}],
    [{"session": 1, "authid": "a"}],
    [{"session": 1, "authid": "a", "authrole": "r", "x": [1]}],
    {"caller": {}}, {"broker": {}}, {"caller": {"features": {}}}, {"caller": {"features": 1}},
    {"caller": {"features": {"call_timeout": True}}}, {"caller": 1}, {"nobody": {}},
    {"caller": {"features": {"call_timeout": 1}}}, {"caller": {"features": {"unknown": True}}},
    {"caller": {"features": {1: True}}},
]  # fmt: skip


def beyond_the_wire(value: Any) -> bool:
    """Integers outside 0 to 2**64-1, which parse accepts in some places, and we don't."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return not 0 <= value <= U64_MAX
    if isinstance(value, list):
        return any(beyond_the_wire(item) for item in value)
    if isinstance(value, dict):
        return any(beyond_the_wire(item) for item in value.values())
    return False


DETAIL_CASES = [
    (klass, name)
    for klass in MESSAGE_CLASSES
    if DETAILS in LAYOUT[klass]
    for name in attribute_names(klass)
    if name not in LAYOUT[klass] and name not in ("args", "kwargs", "payload", "custom")
]


@pytest.mark.parametrize(("klass", "name"), DETAIL_CASES, ids=case_id)
def test_details_in_the_metadata_are_judged_as_by_parse(klass, name):
    attributes = good(klass)
    attributes.pop(name, None)
    if name.startswith("enc_"):
        attributes["payload"] = b"x"
    base = {"enc_algo": "x_own"} if name in ("enc_key", "enc_serializer") else {}
    for value in EVIL_DETAILS:
        details = {**base, DETAIL_NAMES.get((klass, name), name): value}
        if beyond_the_wire(value) and klass is not m.Unregister:  # which accepts any list
            assert received(typed(klass, attributes, details)) is None, details
        else:
            check(klass, attributes, details)


def test_custom_details_of_welcome_are_taken_from_the_metadata():
    details = {"x_cb_node": 1, "x_": 2, "x_\n": 3, "x_A": 4, "y_no": 5, "x_a": 6, "x_aa": [7]}
    check(m.Welcome, good(m.Welcome), details)


def test_unknown_details_are_ignored():
    for klass in MESSAGE_CLASSES:
        if DETAILS in LAYOUT[klass]:
            check(klass, good(klass), {"unknown": 1, "_private": {"a": [None]}})


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"\xff",
        b"\x01",
        b"\x80",
        b"\xa1\x01\x02",
        b"\xa1\x61a",
        b"\xa0\x00",
        b"\xa1\x61a\x1b",
        b"\xa1\x61a\xc1\x00\x00",
    ],
    ids=lambda metadata: metadata.hex() or "empty",
)
def test_metadata_that_is_not_a_map_of_names_is_refused(metadata):
    """The last one has a tag, so cbor2 reads it, and a byte after the map."""
    for klass in MESSAGE_CLASSES:
        with pytest.raises(ProtocolError, match="metadata"):
            SERIALIZER.unserialize(typed(klass, good(klass), metadata=metadata))


@pytest.mark.parametrize(
    ("klass", "typed_value", "entry"),
    [
        (m.Publish, {"retain": True}, {"retain": False}),
        (m.Publish, {"exclude": [1]}, {"exclude": [1, 2]}),
        (m.Event, {"publisher": 1}, {"publisher": 2}),
        (m.Event, {"topic": "a.b"}, {"topic": "a.c"}),
        (m.Call, {"timeout": 1}, {"timeout": 2**40}),
        (m.Register, {"concurrency": 1}, {"concurrency": 2}),
        (m.Welcome, {"authid": "a"}, {"authid": "b"}),
        (m.Welcome, {"authid": "a"}, {"authid": None}),
        (
            m.Hello,
            {"roles": {"caller": {"features": {"call_timeout": True}}}},
            {"roles": {"caller": {"features": {"call_timeout": False}}}},
        ),
    ],
    ids=case_id,
)
def test_metadata_that_contradicts_a_typed_field_is_refused(klass, typed_value, entry):
    (name,) = typed_value
    with pytest.raises(ProtocolError, match=rf"{klass.__name__.upper()}\.{name}"):
        SERIALIZER.unserialize(typed(klass, good(klass, **typed_value), entry))


def test_an_entry_of_a_wrong_type_is_refused_before_it_is_compared():
    """Old versions of cbor2 decode a decimal that raises when it is compared."""
    details = {"exclude": [decimal.Decimal(2)]}
    data = build(
        "Publish", {"request": 1, "topic": "a.b", "exclude": [1]}, metadata=cbor2.dumps(details)
    )
    with pytest.raises(ProtocolError, match=r"^PUBLISH\.exclude: .*wrong type or value"):
        SERIALIZER.unserialize(data)
