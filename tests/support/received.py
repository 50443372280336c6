"""Messages as a peer receives them."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.wamp.message import Message

from autobahn_fbs import FlatBuffersObjectSerializer
from support.samples import every_sample

SERIALIZER = FlatBuffersObjectSerializer()
SAMPLES = every_sample()


def taken(data: bytes, serializer: FlatBuffersObjectSerializer = SERIALIZER) -> Any:
    """The message that these bytes hold."""
    (received,) = serializer.unserialize(data)
    return received


def receive(msg: Message, serializer: FlatBuffersObjectSerializer = SERIALIZER) -> Any:
    return taken(serializer.serialize(msg), serializer)


def name_of(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__


all_samples = pytest.mark.parametrize("msg", SAMPLES, ids=name_of)
