"""``masks``: WebSocket frames are masked and unmasked by an object in C.

Autobahn's own masker, which uses cffi, makes three objects and a copy for each frame.
"""

from __future__ import annotations

from typing import Any

from ..._backend import NAME
from ..changes import Edit
from ..part import Group, Part


def _unusable() -> str | None:
    return None if NAME == "cpython" else "needs the cpython backend"


def _masker(*args: Any) -> Any:
    from ..._backend import native

    masker = native.Masker  # type: ignore[attr-defined, unused-ignore]
    return masker(*args)


def _edit(function: str, old: str = "create_xor_masker(") -> Edit:
    target = f"autobahn.websocket.protocol:{function}"
    new = old.replace("create_xor_masker", "_autobahn_fbs_masker")
    return Edit(target, old, new, {"_autobahn_fbs_masker": _masker})


PART = Part(
    "masks",
    "WebSocket frames are masked and unmasked by an object in C",
    (
        Group(
            "autobahn.websocket.protocol, masks",
            (
                _edit("WebSocketProtocol.processData"),
                _edit("WebSocketProtocol.sendFrame"),
                _edit("WebSocketProtocol.beginMessageFrame"),
                _edit("PreparedMessage.__init__"),
            ),
            relies=("autobahn.nvx._xormasker:XorMaskerNvx",),
            unusable=_unusable,
        ),
    ),
)
