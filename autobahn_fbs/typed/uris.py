"""URIs of WAMP IDL with typed components: ``com.example.<uuid:site>.on_reading``.

A component in angle brackets has a name and a type, in either order, because both orders are in
use: ``<site:uuid>`` is the same. The types are ``str`` (any component), ``int`` (digits, with or
without a minus sign) and ``uuid`` (its canonical text). An empty component matches any component,
as in WAMP's wildcard patterns.
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
#: Maximum length of a URI in a schema, in characters: compiling takes 120 bytes for each.
MAX_LENGTH = 4096

_COMPONENT = re.compile(r"[^\s.#<>]+")
_TYPED = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*):([A-Za-z_][A-Za-z0-9_]*)>")


def join(prefix: str | None, uri: str | None, name: str) -> str:
    """The URI of a method: its service's prefix and its own URI, which may be absolute or relative.

    :param prefix: the service's prefix, or None.
    :param uri: the method's own URI; if None, the method's ``name`` is used.
    """
    own = uri or name
    if not prefix or own == prefix or own.startswith(prefix + "."):
        return own
    return f"{prefix}.{own}"


def is_exact(uri: str) -> bool:
    """Whether the URI matches only itself."""
    return "<" not in uri and all(uri.split("."))


@cache
def matcher(uri: str) -> Callable[[str], bool]:
    """A function that checks whether a URI matches this one.

    :raises CatalogError: it is too long, or a component is malformed or has an unknown type.
    """
    if len(uri) > MAX_LENGTH:
        raise CatalogError(
            f"URI {uri[:100]!r}... has {len(uri)} characters; {MAX_LENGTH} are allowed"
        )
    pattern = re.compile(r"\.".join(_expression(uri, part) for part in uri.split(".")))
    return lambda text: pattern.fullmatch(text) is not None


def normalized(uri: str) -> str:
    """The URI without the names of its components: equal for URIs that match the same URIs."""
    return ".".join(
        part if _COMPONENT.fullmatch(part) else f"<{_type(uri, part)}>" for part in uri.split(".")
    )


def specificity(uri: str) -> tuple[int, ...]:
    """A sort key that puts the most specific URI first, from the left."""
    order = {"uuid": 1, "int": 2, "str": 3}
    return tuple(
        0 if _COMPONENT.fullmatch(part) else order[_type(uri, part)] for part in uri.split(".")
    )


def _expression(uri: str, part: str) -> str:
    return re.escape(part) if _COMPONENT.fullmatch(part) else _TYPES[_type(uri, part)]


def _type(uri: str, part: str) -> str:
    """The type of a typed component."""
    if not part:
        return "str"
    found = _TYPED.fullmatch(part)
    if found is None:
        raise CatalogError(f"URI {uri!r}: {part!r} is not a component")
    first, second = found.groups()
    for name in (first, second):
        if name in _TYPES:
            return name
    raise CatalogError(f"URI {uri!r}: {part!r} has an unknown type (known: {', '.join(_TYPES)})")
