"""Hypothesis strategies: every message that Autobahn's constructors and ``parse`` accept.

Attribute lists come from the constructors' signatures, so an attribute without a strategy is an
error, not a gap. Values that Autobahn's CBOR drops (False flags, "", [], {}, b"", kwargs without
args) are generated like everything else.
"""

from __future__ import annotations

import re
import string
from typing import Any

from autobahn.wamp import message, role
from autobahn.wamp.message import Message
from hypothesis import strategies as st

from support.compare import MESSAGE_CLASSES, attribute_names
from support.samples import ID_MAX, POSITIONAL_IDS, U64_MAX

#: Autobahn's pattern for implementation-specific names.
CUSTOM_NAME = re.compile(r"^x_([a-z][\da-z_]+)?$")

texts = st.text(max_size=20) | st.sampled_from(["", "ÄÖÜ", "漢字", "🚀", "a\x00b", "x" * 300])
ids = st.integers(0, ID_MAX) | st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**53 - 1, ID_MAX])
unsigned = st.integers(0, U64_MAX) | st.sampled_from([0, ID_MAX + 1, 2**63, U64_MAX])
bools = st.booleans()
custom_names = st.from_regex(CUSTOM_NAME) | st.just("x_own")

_component = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: re.fullmatch(r"[^\s.#]+", text) is not None
)
uris = st.lists(
    _component | st.text(string.ascii_lowercase, min_size=1, max_size=8), min_size=1, max_size=4
).map(".".join) | st.sampled_from(["wamp.close.normal", "com.example.topic\n"])
empty_uris = st.lists(st.just("") | _component, min_size=1, max_size=4).map(".".join)
prefix_uris = uris | uris.filter(lambda uri: not uri.endswith("\n")).map(lambda uri: uri + ".")


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None or one of the values."""
    return st.none() | values


scalars = (
    st.none()
    | bools
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 23, 24, -24, -25, 2**32, 2**63, -(2**63), U64_MAX, -(2**64)])
    | st.floats()
    | texts
    | st.binary(max_size=20)
)
keys = texts | st.integers(-300, 300) | st.binary(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=8,
)
dicts = st.dictionaries(texts, values, max_size=4)
args = st.lists(values, max_size=4) | st.lists(values, max_size=3).map(tuple)

# Additional entries of a hop: all keys are text.
hop_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
principals = st.builds(
    lambda core, more: {**more, **core},
    st.fixed_dictionaries({"session": unsigned, "authid": optional(texts), "authrole": texts}),
    st.just({}) | st.dictionaries(texts, hop_values, max_size=2),
)


def roles(names: list[str]) -> st.SearchStrategy[dict[str, role.RoleFeatures]]:
    """One or more of the roles, each feature None, True or False."""

    def features(name: str) -> st.SearchStrategy[role.RoleFeatures]:
        make = role.ROLE_NAME_TO_CLASS[name]
        known = [feature for feature in vars(make()) if not feature.startswith("_")]
        return st.fixed_dictionaries({f: optional(bools) for f in known}).map(lambda k: make(**k))

    return st.lists(st.sampled_from(names), min_size=1, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: features(name) for name in chosen})
    )


_authmethods = st.sampled_from(
    ["anonymous", "ticket", "wampcra", "scram", "wamp-scram", "cryptosign", "tls", "cookie"]
)

BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "realm": optional(uris),
    "authmethods": optional(st.lists(_authmethods | texts, max_size=6)),
    "authmethod": optional(_authmethods | texts),
    "method": _authmethods | texts,
    "authid": optional(texts),
    "authrole": optional(texts),
    "authprovider": optional(texts),
    "authextra": optional(st.dictionaries(keys, values, max_size=3)),
    "extra": optional(dicts),
    "resumable": optional(bools),
    "resumed": optional(bools),
    "resume_session": optional(unsigned),
    "resume_token": optional(texts),
    "custom": optional(st.dictionaries(custom_names, values, max_size=3)),
    "reason": uris,
    "message": optional(texts),
    "signature": texts,
    "request_type": st.sampled_from([32, 34, 16, 64, 66, 48, 68]),
    "error": uris,
    "args": optional(args),
    "kwargs": optional(dicts),
    "payload": optional(st.binary(max_size=300)),
    "enc_algo": optional(st.sampled_from(["cryptobox", "mqtt", "xbr"]) | custom_names),
    "enc_key": optional(texts),
    "enc_serializer": optional(
        st.sampled_from(["json", "msgpack", "cbor", "ubjson", "flatbuffers"]) | custom_names
    ),
    "callee": optional(unsigned),
    "caller": optional(unsigned),
    "publisher": optional(unsigned),
    "forward_for": optional(st.lists(principals, max_size=3)),
    "topic": uris,
    "procedure": uris,
    "acknowledge": optional(bools),
    "exclude_me": optional(bools),
    "exclude": optional(st.lists(unsigned, max_size=6)),
    "eligible": optional(st.lists(unsigned, max_size=6)),
    "retain": optional(bools),
    "retained": optional(bools),
    "get_retained": optional(bools),
    "transaction_hash": optional(texts),
    "x_acknowledged_delivery": optional(bools),
    "match": st.sampled_from(["exact", "prefix", "wildcard"]),
    "invoke": optional(st.sampled_from(["single", "first", "last", "roundrobin", "random"])),
    "concurrency": optional(st.integers(1, 2**17) | st.integers(1, U64_MAX)),
    "force_reregister": optional(bools | st.sampled_from([0, 1])),
    "timeout": optional(st.integers(0, 2**33) | unsigned),
    "receive_progress": optional(bools),
    "progress": optional(bools),
    "mode": optional(st.sampled_from(["skip", "kill", "killnowait"])),
    **{
        name: optional(st.lists(texts, max_size=5))
        for name in ("exclude_authid", "exclude_authrole", "eligible_authid", "eligible_authrole")
    },
    **{
        f"{who}_{what}": optional(texts)
        for who in ("callee", "caller", "publisher")
        for what in ("authid", "authrole")
    },
}

BY_CLASS: dict[tuple[type[Message], str], st.SearchStrategy[Any]] = {
    (message.Hello, "roles"): roles(["publisher", "subscriber", "caller", "callee"]),
    (message.Welcome, "roles"): roles(["broker", "dealer"]),
    (message.Welcome, "realm"): optional(texts),
    (message.Subscribe, "topic"): uris | empty_uris,
    (message.Subscribe, "match"): optional(BY_NAME["match"]),
    (message.Register, "match"): optional(BY_NAME["match"]),
    (message.Event, "topic"): optional(texts),
    (message.Invocation, "procedure"): optional(texts),
    (message.Interrupt, "mode"): optional(st.sampled_from(["kill", "killnowait"])),
    (message.Interrupt, "reason"): optional(uris),
    (message.Unsubscribed, "reason"): optional(uris),
    (message.Unsubscribed, "subscription"): optional(st.integers(1, U64_MAX)),
    (message.Unregistered, "reason"): optional(uris),
    (message.Unregistered, "registration"): optional(st.integers(1, U64_MAX)),
}


def attribute(klass: type[Message], name: str) -> st.SearchStrategy[Any]:
    """Values of a single attribute."""
    if name in POSITIONAL_IDS.get(klass, ()):
        return ids
    if (klass, name) in BY_CLASS:
        return BY_CLASS[klass, name]
    return BY_NAME[name]


def _reconcile(klass: type[Message], kwargs: dict[str, Any], data: st.DataObject) -> None:
    """Makes independently drawn attributes obey the rules between them."""
    if "payload" in kwargs:
        if kwargs["payload"] is None:
            kwargs.update(enc_algo=None, enc_key=None, enc_serializer=None)
        else:
            kwargs.update(args=None, kwargs=None)
            if kwargs["enc_algo"] is None:
                kwargs.update(enc_key=None, enc_serializer=None)
    if klass is message.Publish and kwargs["kwargs"] and data.draw(st.integers(0, 9)) == 0:
        kwargs["args"] = data.draw(texts | st.binary(max_size=9))  # only PUBLISH accepts these
    if klass is message.Hello and kwargs["resume_session"] and kwargs["resume_token"] is None:
        kwargs["resume_token"] = data.draw(texts)
    if klass is message.Welcome and kwargs["resumable"] and kwargs["resume_token"] is None:
        kwargs["resume_token"] = data.draw(texts)
    if klass is message.Unsubscribed and kwargs["subscription"] is not None:
        kwargs["request"] = 0
    if klass is message.Unregistered and kwargs["registration"] is not None:
        kwargs["request"] = 0
    if klass is message.Register:
        if kwargs["match"] == "prefix":
            kwargs["procedure"] = data.draw(prefix_uris)
        elif kwargs["match"] == "wildcard":
            kwargs["procedure"] = data.draw(uris | empty_uris)


@st.composite
def messages_of(draw: st.DrawFn, klass: type[Message]) -> Message:
    """A message of one class."""
    data = draw(st.data())
    names = attribute_names(klass)
    kwargs = {name: draw(attribute(klass, name)) for name in names}
    _reconcile(klass, kwargs, data)
    return klass(**kwargs)


def messages() -> st.SearchStrategy[Message]:
    """A message of any class."""
    return st.sampled_from(MESSAGE_CLASSES).flatmap(messages_of)
