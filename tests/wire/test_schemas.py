"""The schemas by reflection: Autobahn's layout unchanged, every addition listed, all documented.

flatc prints both binary schemas as JSON; its own description of binary schemas (``reflection.fbs``)
is in the Autobahn wheel, like flatc itself. Nothing here reads our tables.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import autobahn
import pytest
from autobahn.wamp import message, role, serializer

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import MESSAGE_CLASSES, attribute_names
from support.samples import every_sample

AUTOBAHN = Path(autobahn.__file__).parent
FLATC = AUTOBAHN / "_flatc" / "bin" / "flatc"
REFLECTION = AUTOBAHN / "flatbuffers" / "reflection.fbs"
UPSTREAM = AUTOBAHN / "wamp" / "flatbuffers" / "wamp.bfbs"

Entry = dict[str, Any]

#: Additions of our schema to upstream's: each field with its slot and base type.
ADDED_FIELDS = {
    "Message.metadata": (2, "Vector"),
    "Challenge.method_name": (3, "String"),
    "BrokerFeatures.x_acknowledged_event_delivery": (14, "Bool"),
    "PublisherFeatures.x_acknowledged_event_delivery": (6, "Bool"),
}

FEATURES = ("Broker", "Publisher", "Subscriber", "Dealer", "Caller", "Callee")

#: Scalars that our schema distinguishes from an absent one; in addition, every feature of every
#: role.
OPTIONAL_SCALARS = {
    "Hello": "resumable resume_session",
    "Welcome": "authmethod resumed resumable",
    "Challenge": "method",
    "Goodbye": "resumable",
    "Subscribe": "get_retained",
    "Unsubscribed": "subscription",
    "Publish": "acknowledge exclude_me retain",
    "Event": "publisher retained acknowledge",
    "Call": "timeout receive_progress caller",
    "Cancel": "mode",
    "Result": "progress callee",
    "Register": "concurrency force_reregister",
    "Unregistered": "registration",
    "Invocation": "timeout receive_progress caller",
    "Interrupt": "mode",
    "Yield": "progress callee",
}

#: Defaults other than 0 that became "absent means None".
DROPPED_DEFAULTS = {"Publish.exclude_me": 1, "Interrupt.mode": 1}

#: Names that flatc generates, which therefore can't be documented.
IMPLICIT = {
    "AnyMessage.NONE",
    "AuthFactor.NONE",
    "Message.msg_type",
    "HelloNew.authfactor1_type",
    "HelloNew.authfactor2_type",
    "HelloNew.authfactor3_type",
}

CODECS = {
    "JSON": 1,
    "MSGPACK": 2,
    "CBOR": 3,
    "UBJSON": 4,
    "OPAQUE": 5,
    "FLATBUFFERS": 6,
    "FLEXBUFFERS": 7,
}

#: The decisions on enumerations, value by value.
ENUMS = {
    "CancelMode": {"SKIP": 0, "KILL": 1, "KILLNOWAIT": 2},
    "InvocationPolicy": {"SINGLE": 0, "FIRST": 1, "LAST": 2, "ROUNDROBIN": 3, "RANDOM": 4},
    "Match": {"EXACT": 0, "PREFIX": 1, "WILDCARD": 2},
    "PPTScheme": {"NONE": 0, "CRYPTOBOX": 1, "MQTT": 2, "XBR": 3, "OPAQUE": 4},
    "PPTSerializer": {"TRANSPORT": 0, **CODECS},
    "PPTCipher": {"NULL": 0, "XSALSA20POLY1305": 1, "AES256GCM": 2},
    "AuthMethod": {"NULL": 0, "TICKET": 1, "CRA": 2, "SCRAM": 3, "CRYPTOSIGN": 4},
    "TLSChannelBinding": {
        "NULL": 0,
        "TLS_UNIQUE": 1,
        "TLS_UNIQUE_TELNET": 2,
        "TLS_SERVER_ENDPOINT": 3,
        "TLS_EXPORTER": 4,
    },
    "KDF": {"NULL": 0, "ARGON2ID13": 1, "PBKDF2": 2},
    "TransportChannelType": {
        "NULL": 0,
        "FUNCTION": 1,
        "MEMORY": 2,
        "SERIAL": 3,
        "TCP": 4,
        "TLS": 5,
    },
    "TransportChannelFraming": {"NULL": 0, "NATIVE": 1, "WEBSOCKET": 2, "RAWSOCKET": 3},
    "TransportChannelSerializer": {"NULL": 0, **CODECS},
}


def to_json(schema: Path, binaries: list[Path], folder: Path, *options: str) -> None:
    """Has flatc print FlatBuffers as JSON, each into a file of its name in `folder`."""
    if not FLATC.is_file() or not UPSTREAM.is_file():
        pytest.skip("NOT TESTED: with flatc, which an Autobahn built from its sdist may lack")
    command = [str(FLATC), "--json", "--strict-json", "--raw-binary", *options, "-o", str(folder)]
    done = subprocess.run([*command, schema, "--", *binaries], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def short(name: str) -> str:
    """A type's name without its namespace; no two namespaces share one."""
    return name.rsplit(".", 1)[-1]


def attributes(thing: Entry) -> dict[str, str]:
    """The schema attributes of a table, field, enum or value."""
    return {a["key"]: a.get("value", "") for a in thing.get("attributes", ())}


class Schema:
    """A reflected schema, by name."""

    def __init__(self, reflected: Entry) -> None:
        self.root: str = reflected["root_table"]["name"]
        self._objects: list[Entry] = reflected["objects"]
        self._enums: list[Entry] = reflected["enums"]
        self.tables = {short(o["name"]): o for o in self._objects}
        self.enums = {short(e["name"]): e for e in self._enums}

    def fields(self, table: str) -> list[Entry]:
        """The fields of a table in slot order."""
        return sorted(self.tables[table]["fields"], key=lambda f: int(f["id"]))

    def all_fields(self) -> Iterator[tuple[str, Entry]]:
        """Every field, as `Table.field`."""
        for table in self.tables:
            for field in self.fields(table):
                yield f"{table}.{field['name']}", field

    def type_of(self, kind: Entry) -> tuple[Any, ...]:
        """A type without positions: base and element type, width, and the type referred to."""
        refers = None
        if kind["index"] >= 0:
            is_table = "Obj" in (kind["base_type"], kind["element"])
            refers = (self._objects if is_table else self._enums)[kind["index"]]["name"]
        return (kind["base_type"], kind["element"], kind["base_size"], kind["element_size"], refers)


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Schema]:
    """Both schemas, "ours" and "upstream"."""
    found = {}
    with as_file(files("autobahn_fbs") / "schemas" / "wamp.bfbs") as ours:
        for name, path in (("ours", ours), ("upstream", UPSTREAM)):
            folder = tmp_path_factory.mktemp(name)
            to_json(REFLECTION, [path], folder, "--defaults-json")
            found[name] = Schema(json.loads((folder / "wamp.json").read_text("utf-8")))
    return found


@pytest.fixture(scope="module")
def ours(schemas: dict[str, Schema]) -> Schema:
    return schemas["ours"]


@pytest.fixture(scope="module")
def upstream(schemas: dict[str, Schema]) -> Schema:
    return schemas["upstream"]


def optional_scalars() -> set[str]:
    """The documented optional scalars, except the added fields."""
    return {
        f"{table}.{name}" for table, names in OPTIONAL_SCALARS.items() for name in names.split()
    }


def is_feature(name: str) -> bool:
    return name.partition(".")[0] in {f"{role}Features" for role in FEATURES}


# -- Against upstream ------------------------------------------------------------------------


def test_the_tables_are_upstreams_in_the_same_namespaces_and_files(
    ours: Schema, upstream: Schema
) -> None:
    def places(schema: Schema) -> dict[str, str]:
        return {t["name"]: t["declaration_file"] for t in schema.tables.values()}

    assert places(ours) == places(upstream)
    assert ours.root == upstream.root == "wamp.proto.Message"


def test_every_upstream_field_keeps_its_slot_name_type_and_flags(
    ours: Schema, upstream: Schema
) -> None:
    def layout(schema: Schema, field: Entry) -> tuple[Any, ...]:
        flags = tuple(field[flag] for flag in ("required", "key", "deprecated", "offset64"))
        return (field["id"], field["offset"], schema.type_of(field["type"]), flags)

    mine = {name: layout(ours, field) for name, field in ours.all_fields()}
    for name, field in upstream.all_fields():
        assert mine.get(name) == layout(upstream, field), name


def test_fields_beyond_upstreams_are_appended_and_listed_here(
    ours: Schema, upstream: Schema
) -> None:
    known = {name for name, _ in upstream.all_fields()}
    added = {
        name: (field["id"], field["type"]["base_type"])
        for name, field in ours.all_fields()
        if name not in known
    }
    assert added == ADDED_FIELDS
    for name, (slot, _) in added.items():
        assert slot == len(upstream.fields(name.partition(".")[0])), name


def test_a_scalar_is_optional_exactly_where_autobahn_accepts_none(ours: Schema) -> None:
    scalars = ("Bool", "UByte", "UShort", "UInt", "ULong")
    found = {
        name
        for name, field in ours.all_fields()
        if field["type"]["base_type"] in scalars and field["optional"]
    }
    features = {
        name
        for name, field in ours.all_fields()
        if is_feature(name) and field["type"]["base_type"] == "Bool"
    }
    assert found == optional_scalars() | features


def test_defaults_are_upstreams_except_those_that_became_none(
    ours: Schema, upstream: Schema
) -> None:
    mine = dict(ours.all_fields())
    changed = {
        name: field["default_integer"]
        for name, field in upstream.all_fields()
        if mine[name]["default_integer"] != field["default_integer"]
    }
    assert changed == DROPPED_DEFAULTS
    assert changed.keys() <= optional_scalars()


def test_upstreams_hints_on_strings_are_kept(ours: Schema, upstream: Schema) -> None:
    mine = dict(ours.all_fields())
    for name, field in upstream.all_fields():
        assert attributes(field).keys() <= attributes(mine[name]).keys(), name


def test_every_upstream_enum_keeps_its_width_and_values(ours: Schema, upstream: Schema) -> None:
    def content(enum: Entry) -> tuple[Any, ...]:
        values = {v["name"]: v["value"] for v in enum["values"]}
        return (
            enum["name"],
            enum["declaration_file"],
            enum["underlying_type"]["base_type"],
            values,
        )

    def enums(schema: Schema) -> dict[str, tuple[Any, ...]]:
        return {name: content(e) for name, e in schema.enums.items() if name != "AnyMessage"}

    assert enums(ours) == enums(upstream)


def test_the_union_has_upstreams_members_in_upstreams_order(ours: Schema, upstream: Schema) -> None:
    def members(schema: Schema) -> list[tuple[str, tuple[Any, ...]]]:
        values = schema.enums["AnyMessage"]["values"]
        return [(v["name"], schema.type_of(v["union_type"])) for v in values]

    assert members(ours) == members(upstream)
    assert ours.enums["AnyMessage"]["is_union"]


def test_the_unions_values_are_the_codes_that_autobahn_writes(ours: Schema) -> None:
    codes = {v["name"]: v["value"] for v in ours.enums["AnyMessage"]["values"] if v["value"]}
    python = {c.__name__: c.MESSAGE_TYPE for c in MESSAGE_CLASSES}
    assert codes == {**python, "EventReceived": 37}


# -- Decisions -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENUMS)
def test_enumerations_have_the_values_that_were_decided(ours: Schema, name: str) -> None:
    assert {v["name"]: v["value"] for v in ours.enums[name]["values"]} == ENUMS[name]


@pytest.mark.parametrize(
    "table", ["Error", "Publish", "Event", "Call", "Result", "Invocation", "Yield"]
)
def test_the_four_ppt_fields_follow_the_payload_in_their_order(ours: Schema, table: str) -> None:
    names = [field["name"] for field in ours.fields(table)]
    start = names.index("payload") + 1
    wanted = ["ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid"]
    assert names[start : start + 4] == wanted


def test_everything_is_documented(ours: Schema) -> None:
    things: dict[str, Entry] = {**ours.tables, **ours.enums, **dict(ours.all_fields())}
    for name, enum in ours.enums.items():
        things |= {f"{name}.{value['name']}": value for value in enum["values"]}
    silent = {name for name, thing in things.items() if not "".join(thing.get("documentation", ()))}
    assert silent == IMPLICIT


# -- Facts in the schema about Autobahn's classes --------------------------------------------


# Fields that serve another attribute, or one that only received messages have.
OWN_FIELDS = {"method_name", "ppt_cipher"}


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=lambda klass: str(klass.__name__))
def test_every_attribute_of_a_message_class_has_one_place(
    ours: Schema, klass: type[message.Message]
) -> None:
    table = klass.__name__
    places = [
        attributes(field).get("attr", str(field["name"]))
        for field in ours.fields(table)
        if "unused" not in attributes(field) and field["name"] not in OWN_FIELDS
    ]
    meta = attributes(ours.tables[table]).get("meta", "")
    places += [item.partition(":")[0] for item in meta.split()]
    assert sorted(places) == sorted(attribute_names(klass))


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_of_a_role_class_has_one_field(ours: Schema, name: str) -> None:
    features = getattr(role, f"Role{name}Features")()
    names = {key for key in vars(features) if not key.startswith("_")} - {"ROLE"}
    fields = ours.fields(f"{name}Features")
    assert {f["name"] for f in fields if "unused" not in attributes(f)} == names


def test_enum_values_are_called_as_in_autobahn(ours: Schema) -> None:
    def strings(name: str) -> list[str]:
        values = ours.enums[name]["values"]
        return [attributes(v).get("name", v["name"].lower()) for v in values]

    register, cancel = message.Register, message.Cancel
    matches = [register.MATCH_EXACT, register.MATCH_PREFIX, register.MATCH_WILDCARD]
    policies = [register.INVOKE_SINGLE, register.INVOKE_FIRST, register.INVOKE_LAST]
    policies += [register.INVOKE_ROUNDROBIN, register.INVOKE_RANDOM]
    assert strings("Match") == matches
    assert strings("InvocationPolicy") == policies
    assert strings("CancelMode") == [cancel.SKIP, cancel.KILL, cancel.KILLNOWAIT]
    assert strings("AuthMethod") == ["anonymous", "ticket", "wampcra", "wamp-scram", "cryptosign"]
    assert all(message.is_valid_enc_algo(s) for s in strings("PPTScheme") if s)
    assert all(message.is_valid_enc_serializer(s) for s in strings("PPTSerializer") if s)


# -- flatc reads the bytes on the wire --------------------------------------------------------


def printed(binaries: list[bytes], folder: Path) -> list[Any]:
    """flatc's JSON for messages, by the schemas in the package."""
    sources = [folder / f"{i}.bin" for i in range(len(binaries))]
    for path, binary in zip(sources, binaries, strict=True):
        path.write_bytes(binary)
    with as_file(files("autobahn_fbs") / "schemas") as package:
        to_json(package / "wamp.fbs", sources, folder)
    return [json.loads(path.with_suffix(".json").read_text("utf-8")) for path in sources]


EVENT = {
    "subscription": 5,
    "publication": 2**53,
    "payload": b"\x00\xff",
    "enc_algo": "mqtt",
    "enc_serializer": "json",
    "publisher": 0,
    "publisher_authid": "",
    "topic": "com.example.tür",
    "retained": False,
    "x_acknowledged_delivery": True,
    "forward_for": [{"session": 1, "authid": None, "authrole": "router"}],
}


def test_flatc_prints_an_event_as_it_is(
    objser: FlatBuffersObjectSerializer, tmp_path: Path
) -> None:
    (found,) = printed([objser.serialize(message.Event(**EVENT))], tmp_path)
    assert found == {
        "msg_type": "Event",
        "msg": {
            "subscription": 5,
            "publication": 2**53,
            "payload": [0, 255],
            "ppt_scheme": "MQTT",
            "ppt_serializer": "JSON",
            "publisher": 0,
            "publisher_authid": "",
            "topic": "com.example.tür",
            "retained": False,
            "acknowledge": True,
            "forward_for": [{"session": 1, "authrole": "router"}],
        },
    }


def test_flatc_prints_every_message_under_its_own_name(
    objser: FlatBuffersObjectSerializer, tmp_path: Path
) -> None:
    samples = every_sample()
    found = printed([objser.serialize(sample) for sample in samples], tmp_path)
    assert [item["msg_type"] for item in found] == [type(sample).__name__ for sample in samples]


def test_flatc_prints_what_upstream_writes(tmp_path: Path) -> None:
    binary, _ = serializer.FlatBuffersSerializer().serialize(message.Published(7, 2**53))  # type: ignore[arg-type]
    assert printed([binary], tmp_path) == [
        {"msg_type": "Published", "msg": {"request": 7, "publication": 2**53}}
    ]
