"""CBOR."""

from __future__ import annotations

import io
from typing import Any

import cbor2


def dumps(obj: Any) -> bytes:
    return cbor2.dumps(obj)


def loads(data: Any) -> Any:
    return cbor2.loads(bytes(data))


def loads_first(data: Any) -> tuple[Any, int]:
    stream = io.BytesIO(bytes(data))
    value = cbor2.load(stream)
    return value, stream.tell()
