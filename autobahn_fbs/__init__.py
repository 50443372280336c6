"""WAMP messages as FlatBuffers, in C: a drop-in for Autobahn's ``wamp.2.flatbuffers`` serializer.

>>> import autobahn_fbs
>>> autobahn_fbs.install()

Then select ``flatbuffers`` (or ``flatbuffers.batched``) wherever Autobahn or Crossbar.io takes a
serializer id. Importing this package loads neither numpy nor Autobahn's FlatBuffers runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _backend

if TYPE_CHECKING:
    from ._accelerate import accelerate, decelerate
    from ._compatible import IncompatibleAutobahn
    from ._counters import Counters, counters
    from ._install import install, uninstall
    from ._serializer import FlatBuffersObjectSerializer, FlatBuffersSerializer
    from .limits import Limits
    from .payloads import register_payload_serializer

__version__ = "0.1.0"

#: Which binding of the C core is in use: "cpython", or "cffi" as on PyPy.
backend = _backend.NAME

__all__ = [
    "Counters",
    "FlatBuffersObjectSerializer",
    "FlatBuffersSerializer",
    "IncompatibleAutobahn",
    "Limits",
    "accelerate",
    "backend",
    "counters",
    "decelerate",
    "install",
    "register_payload_serializer",
    "uninstall",
]

_LAZY = {
    "Counters": "_counters",
    "FlatBuffersObjectSerializer": "_serializer",
    "FlatBuffersSerializer": "_serializer",
    "IncompatibleAutobahn": "_compatible",
    "Limits": "limits",
    "accelerate": "_accelerate",
    "counters": "_counters",
    "decelerate": "_accelerate",
    "install": "_install",
    "register_payload_serializer": "payloads",
    "uninstall": "_install",
}


def __getattr__(name: str) -> Any:
    """Loads what needs Autobahn's serializers when it is first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
