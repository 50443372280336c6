"""Which tables a URI may carry: WAMP IDL's interfaces, attached at their URIs.

Only the catalog decides this. The identifier in a payload only selects one of the tables that the
URI allows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import uris
from .errors import CatalogError
from .reflection import Method, Reflection, Service, attributes_of

if TYPE_CHECKING:
    from .._cpython import TypedSchema

Kind = Literal["procedure", "topic", "error"]

#: The roles, with Crossbar.io's names: ``call``, ``call_progress``, ``call_result``,
#: ``call_result_progress`` and ``call_error`` for a procedure, ``event`` for a topic, ``error`` for
#: an error.
Roles = Mapping[str, tuple[type, ...]]


class Origin(NamedTuple):
    """A schema with its description."""

    name: str
    schema: TypedSchema
    reflection: Reflection

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its tables, structs and enums."""
        return (*self.schema.tables, *self.schema.structs, *self.schema.enums)


class _Entry(NamedTuple):
    """A method at the URI that it was attached at."""

    uri: str
    kind: str
    origin: Origin
    method: Method
    explicit: bool

    @property
    def label(self) -> str:
        return f"{self.method.service}.{self.method.name} ({self.origin.name})"

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The allowed tables by role, by name in the entry's own file."""
        method, said = self.method, self.method.attributes
        if self.kind == "topic":
            return {"event": (method.request,)}
        return {
            "call": (method.request,),
            "call_progress": (said.get("call_progress", method.request),),
            "call_result": (method.response,),
            "call_result_progress": (said.get("result_progress", method.response),),
            "call_error": tuple(_errors(self.origin, said)),
        }

    def structure(self) -> dict[str, Any]:
        """The facts that two methods at one URI must have in common."""
        structure = self.origin.reflection.structure
        return {role: [structure(name) for name in names] for role, names in self.tables().items()}


#: The methods by kind and URI.
_Entries = dict[tuple[str, str], list[_Entry]]


def _errors(origin: Origin, said: Mapping[str, str]) -> Iterator[str]:
    """The error tables that a method names, or all error tables of its file."""
    if "errors" in said:
        yield from (name.strip() for name in said["errors"].split(",") if name.strip())
    else:
        yield from error_tables(origin.reflection)


def error_tables(reflection: Reflection) -> dict[str, str]:
    """The URI of each error table, by name."""
    found = {}
    for name, described in reflection.objects.items():
        said = attributes_of(described)
        if said.get("type") == "error" and said.get("wampuri"):
            found[name] = said["wampuri"]
    return found


class Services:
    """The methods of all attached interfaces, by kind and URI."""

    #: The maximum number of remembered answers, and length of a URI whose answer is remembered in
    #: characters, because URIs come from peers.
    CACHED = 4096
    CACHED_LENGTH = 1000

    def __init__(self) -> None:
        #: The methods, and the remembered answers. To attach an interface, both are replaced: other
        #: threads may be reading them.
        self._current: tuple[_Entries, dict[tuple[str, str], Roles | None]] = ({}, {})
        self._attaching = threading.Lock()

    def attach_all(self, origin: Origin) -> None:
        """Attaches a file's interfaces at their own URIs, except WAMP's own (``wamp.``). No other
        thread knows this object yet."""
        entries, _ = self._current
        for service in origin.reflection.services.values():
            prefix = service.attributes.get("wampuri")
            if prefix != "wamp" and not (prefix or "").startswith("wamp."):
                for entry in _entries(origin, service, prefix, explicit=False):
                    if not entry.uri.startswith("wamp."):
                        _add(entries, entry)

    def attach(
        self, origin: Origin, service: Service, prefix: str | None, without: Iterable[str]
    ) -> None:
        """Attaches one interface, replacing its attachment from loading.

        :raises CatalogError: a URI is malformed, or already has other types that were attached
            explicitly.
        """
        left_out = set(without)
        if unknown := left_out - {method.name for method in service.methods}:
            raise CatalogError(f"{service.name} has no method {', '.join(sorted(unknown))}")
        under = service.attributes.get("wampuri") if prefix is None else prefix
        new = [
            entry
            for entry in _entries(origin, service, under, explicit=True)
            if entry.method.name not in left_out
        ]
        with self._attaching:
            entries = {
                key: [e for e in found if e.explicit or e.method.service != service.name]
                for key, found in self._current[0].items()
            }
            for entry in new:
                _add(entries, entry)
                _settle(entries[_key(entry)])
            self._current = (entries, {})

    def find(self, kind: str, uri: str, resolve: Callable[[Origin, str], type]) -> Roles | None:
        """The tables that a URI may carry, or None if it is not typed.

        :raises CatalogError: two methods with this URI have different types.
        """
        entries, cache = self._current
        key = (kind, uri)
        try:
            return cache[key]
        except KeyError:
            pass
        entry = _lookup(entries, kind, uri)
        roles = None
        if entry is not None:
            roles = {
                role: tuple(resolve(entry.origin, name) for name in names)
                for role, names in entry.tables().items()
            }
        if len(uri) <= self.CACHED_LENGTH:
            if len(cache) >= self.CACHED:
                cache.clear()
            cache[key] = roles
        return roles

    def duplicates(self) -> Iterator[str]:
        """A sentence for each URI that several methods share."""
        for entries in self._current[0].values():
            if len(entries) > 1:
                labels = " and ".join(entry.label for entry in entries)
                yield f"{entries[0].kind} {entries[0].uri!r} is shared by {labels}"


def _add(entries: _Entries, entry: _Entry) -> None:
    uris.matcher(entry.uri)  # refuses malformed URIs
    entries.setdefault(_key(entry), []).append(entry)


def _settle(entries: list[_Entry]) -> _Entry | None:
    """The method that is used of several at one URI: an explicitly attached one, if there is any.

    :raises CatalogError: two methods with equal priority have different types.
    """
    counting = [entry for entry in entries if entry.explicit] or entries
    for other in counting[1:]:
        if other.structure() != counting[0].structure():
            raise CatalogError(
                f"{other.kind} {other.uri!r} has different types: {counting[0].label} and "
                f"{other.label}; attach() one of them, or leave one out"
            )
    return counting[0] if counting else None


def _lookup(entries: _Entries, kind: str, uri: str) -> _Entry | None:
    if uris.is_exact(uri) and (exact := entries.get((kind, uri))):
        return _settle(exact)
    patterns = [
        (uris.specificity(found[0].uri), key)
        for key, found in entries.items()
        if found
        and key[0] == kind
        and not uris.is_exact(found[0].uri)
        and uris.matcher(found[0].uri)(uri)
    ]
    return _settle(entries[min(patterns)[1]]) if patterns else None


def _key(entry: _Entry) -> tuple[str, str]:
    return (entry.kind, uris.normalized(entry.uri))


def _entries(
    origin: Origin, service: Service, prefix: str | None, *, explicit: bool
) -> Iterator[_Entry]:
    """A service's methods under a prefix; methods without a known ``type`` are left out."""
    own = service.attributes.get("wampuri")
    for method in service.methods:
        kind = method.attributes.get("type")
        if kind in ("procedure", "topic"):
            said = method.attributes.get("wampuri")
            if prefix != own and own and said and said.startswith(own + "."):
                said = said[len(own) + 1 :]  # absolute under the old prefix
            entry = _Entry(uris.join(prefix, said, method.name), kind, origin, method, explicit)
            for name in {name for names in entry.tables().values() for name in names}:
                if name not in origin.reflection.objects:
                    raise CatalogError(f"{entry.label} names {name!r}, which is not a table there")
            yield entry
