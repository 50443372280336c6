"""Hostile bytes, and their allowed results."""

from __future__ import annotations

import random
from typing import Any

import flatbuffers
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.message import Message

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import attribute_names
from support.wirebuild import CODES, schema

SERIALIZERS = {
    dialect: FlatBuffersObjectSerializer(dialect=dialect) for dialect in ("autobahn", "schema")
}
VIEWS = ("args_view", "kwargs_view", "payload_view")


def read_everything(msg: Message, order: random.Random) -> None:
    """Reads all attributes and views in some order; only the payload may be invalid."""
    names = [*attribute_names(type(msg)), *(name for name in VIEWS if hasattr(msg, name))]
    order.shuffle(names)
    for name in names:
        try:
            getattr(msg, name)
        except ProtocolError:
            assert name in ("args", "kwargs"), name
    assert type(msg).__name__ in CODES


def feed(data: Any, dialect: str = "autobahn", seed: int = 0) -> bool:
    """Whether the bytes were accepted; anything but ProtocolError is a failure."""
    try:
        msgs = SERIALIZERS[dialect].unserialize(data)
    except ProtocolError:
        return False
    order = random.Random(seed)
    for msg in msgs:
        read_everything(msg, order)
    return True


def shared_vector(field: str, count: int, size: int) -> bytes:
    """A PUBLISH whose vector refers `count` times to one string or hop with `size` characters; 0
    for an empty hop."""
    builder = flatbuffers.Builder(1024)
    text = builder.CreateString("x" * size)
    topic = builder.CreateString("a.b")
    target = text
    if field == "forward_for":
        builder.StartObject(3)
        if size:
            builder.PrependUint64Slot(0, 1, 0)
            builder.PrependUOffsetTRelativeSlot(1, text, 0)
            builder.PrependUOffsetTRelativeSlot(2, text, 0)
        target = builder.EndObject()
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(target)
    vector = builder.EndVector()
    slots = schema()[0]["Publish"]
    builder.StartObject(21)
    builder.PrependUint64Slot(slots["request"].slot, 1, 0)
    builder.PrependUOffsetTRelativeSlot(slots["topic"].slot, topic, 0)
    builder.PrependUOffsetTRelativeSlot(slots[field].slot, vector, 0)
    table = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUint8Slot(0, CODES["Publish"], 0)
    builder.PrependUOffsetTRelativeSlot(1, table, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())
