"""URIs of WAMP IDL, with their typed components: ``com.example.<uuid:site>.on_reading``.

A component in angle brackets has a name and a type, in either order, since both are in use:
``<site:uuid>`` is the same. The types are ``str`` (any component), ``int`` (digits, with or without
a minus sign) and ``uuid`` (its canonical text). An empty component stands for any, as in WAMP's
wildcard patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from .errors import CatalogError

_TYPES = {
    "str": r"[^\s.#]+",
    "int": r"-?[0-9]+",
    "uuid": r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
}
_COMPONENT = re.compile(r"[^\s.#<>]+")
_TYPED = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*):([A-Za-z_][A-Za-z0-9_]*)>")


def join(prefix: str | None, uri: str | None, name: str) -> str:
    """The URI of a method: its service's prefix and its own URI, which may be absolute or not.

    :param prefix: that of the service, or None.
    :param uri: the method's own, or None: then it is the method's ``name``.
    """
    own = uri or name
    if not prefix or own == prefix or own.startswith(prefix + "."):
        return own
    return f"{prefix}.{own}"


def is_exact(uri: str) -> bool:
    """Whether the URI stands for itself alone."""
    return "<" not in uri and all(uri.split("."))


@cache
def matcher(uri: str) -> Callable[[str], bool]:
    """What says whether a URI is one of those that this one describes.

    :raises CatalogError: if a component is malformed, or of a type that is not known.
    """
    pattern = re.compile(r"\.".join(_expression(uri, part) for part in uri.split(".")))
    return lambda text: pattern.fullmatch(text) is not None


def normalized(uri: str) -> str:
    """The URI without the names of its components: equal for those that describe the same URIs."""
    return ".".join(
        part if _COMPONENT.fullmatch(part) else f"<{_type(uri, part)}>" for part in uri.split(".")
    )


def specificity(uri: str) -> tuple[int, ...]:
    """A sort key with which the URI that says most comes first, from the left."""
    order = {"uuid": 1, "int": 2, "str": 3}
    return tuple(
        0 if _COMPONENT.fullmatch(part) else order[_type(uri, part)] for part in uri.split(".")
    )


def _expression(uri: str, part: str) -> str:
    return re.escape(part) if _COMPONENT.fullmatch(part) else _TYPES[_type(uri, part)]


def _type(uri: str, part: str) -> str:
    """The type of a component that does not stand for itself."""
    if not part:
        return "str"
    found = _TYPED.fullmatch(part)
    if found is None:
        raise CatalogError(f"URI {uri!r}: {part!r} is not a component")
    first, second = found.groups()
    for name in (first, second):
        if name in _TYPES:
            return name
    raise CatalogError(f"URI {uri!r}: {part!r} has none of the types {', '.join(_TYPES)}")
