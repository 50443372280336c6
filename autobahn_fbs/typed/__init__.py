"""Typed payloads: converts tables of FlatBuffers schemas, loaded at run time, to bytes and back,
verified, in C.

>>> from autobahn_fbs import typed
>>> catalog = typed.Catalog.load("climate.bfbs")        # doctest: +SKIP
>>> Reading = catalog["climate.Reading"]                # doctest: +SKIP
>>> data = catalog.encode("climate.Reading", Reading(celsius=21.5))     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autobahn.wamp.exception import InvalidPayload

    from .._cpython import TypedTable as Table
    from .._cpython import TypedUnion as Union
    from .catalog import Catalog
    from .error_tables import TypedError
    from .errors import CatalogError

__all__ = ["Catalog", "CatalogError", "InvalidPayload", "Table", "TypedError", "Union"]


def __getattr__(name: str) -> Any:
    """Loads names that need the binding, and with it Autobahn, on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: Any
    if name == "Catalog":
        from .catalog import Catalog as value
    elif name == "CatalogError":
        from .errors import CatalogError as value
    elif name == "InvalidPayload":
        from autobahn.wamp.exception import InvalidPayload as value
    elif name == "TypedError":
        from .error_tables import TypedError as value
    else:
        from .._backend import native

        value = getattr(native, f"Typed{name}")
    globals()[name] = value
    return value
