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
    from . import flexbuffers as flexbuffers
    from . import forwarding as forwarding
    from . import limits as limits
    from . import payloads as payloads
    from . import ppt as ppt
    from . import views as views
    from ._accelerate import accelerate, decelerate
    from ._compatible import IncompatibleAutobahn
    from ._counters import Counters, counters
    from ._install import install, uninstall
    from ._installed import Installed, installed, is_active
    from ._serializer import FlatBuffersObjectSerializer, FlatBuffersSerializer
    from .limits import Limits
    from .payloads import register_payload_serializer

__version__ = "0.1.0"

#: The active binding of the C core: "cpython", or "cffi" (as on PyPy).
backend = _backend.NAME

__all__ = [
    "Counters",
    "FlatBuffersObjectSerializer",
    "FlatBuffersSerializer",
    "IncompatibleAutobahn",
    "Installed",
    "Limits",
    "accelerate",
    "backend",
    "counters",
    "decelerate",
    "install",
    "installed",
    "is_active",
    "register_payload_serializer",
    "uninstall",
]

_SUBMODULES = ("flexbuffers", "forwarding", "limits", "payloads", "ppt", "views")


# Import statements instead of import_module(), so that PyInstaller, cx_Freeze and Nuitka find them.
def _module_of(name: str) -> Any:
    """The module that has this name, or that defines this public name; None if there is none."""
    match name:
        case "accelerate" | "decelerate":
            import autobahn_fbs._accelerate

            return autobahn_fbs._accelerate
        case "Counters" | "counters":
            import autobahn_fbs._counters

            return autobahn_fbs._counters
        case "FlatBuffersObjectSerializer" | "FlatBuffersSerializer":
            import autobahn_fbs._serializer

            return autobahn_fbs._serializer
        case "IncompatibleAutobahn":
            import autobahn_fbs._compatible

            return autobahn_fbs._compatible
        case "install" | "uninstall":
            import autobahn_fbs._install

            return autobahn_fbs._install
        case "Installed" | "installed" | "is_active":
            import autobahn_fbs._installed

            return autobahn_fbs._installed
        case "Limits" | "limits":
            import autobahn_fbs.limits

            return autobahn_fbs.limits
        case "payloads" | "register_payload_serializer":
            import autobahn_fbs.payloads

            return autobahn_fbs.payloads
        case "flexbuffers":
            import autobahn_fbs.flexbuffers

            return autobahn_fbs.flexbuffers
        case "forwarding":
            import autobahn_fbs.forwarding

            return autobahn_fbs.forwarding
        case "ppt":
            import autobahn_fbs.ppt

            return autobahn_fbs.ppt
        case "views":
            import autobahn_fbs.views

            return autobahn_fbs.views
    return None


def __getattr__(name: str) -> Any:
    """Loads modules that need Autobahn's serializers on first use (PEP 562)."""
    module = _module_of(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = module if name in _SUBMODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
