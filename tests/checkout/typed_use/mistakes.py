"""A user's mistakes, which type checkers must find. An ignore comment without effect is an
error."""

# mypy: warn-unused-ignores
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import autobahn_fbs
from autobahn_fbs import flexbuffers

serializer = autobahn_fbs.FlatBuffersSerializer()


def mistakes() -> None:
    autobahn_fbs.FlatBuffersSerializer(batched="no")  # type: ignore[arg-type]
    autobahn_fbs.FlatBuffersSerializer(payload="cbor")  # type: ignore[call-arg]
    autobahn_fbs.Limits(max_size="1 MB")  # type: ignore[arg-type]
    autobahn_fbs.register_payload_serializer("x_len", len, bytes)  # type: ignore[arg-type]
    _ = autobahn_fbs.backend.nonsense  # type: ignore[attr-defined]
    serializer.unserialize("text")  # type: ignore[arg-type]
    serializer.serialize(b"bytes")  # type: ignore[arg-type]
    flexbuffers.loads("text")  # type: ignore[arg-type]
    flexbuffers.dumps({}, True, True)  # type: ignore[call-arg]
    flexbuffers.Lazy().append(1)  # type: ignore[attr-defined]
