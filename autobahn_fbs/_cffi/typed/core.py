"""The core's part: loads schemas and verifies buffers."""

from __future__ import annotations

from typing import Any, cast

from autobahn.wamp.exception import InvalidPayload

from .. import record
from .._core import ffi, lib
from ..convert_errors import printable
from .plan import Plan

_free: list[Any] = []

#: The schema of schemas.
REFLECTION = Plan(ffi.new("wfbs_plan *", lib.wfbs_reflection), None)
REFLECTION_SCHEMA: int = lib.WFBS_REFLECTION_SCHEMA


def invalid(path: str, reason: str, code: str, offset: int | None = None) -> InvalidPayload:
    """The exception for an invalid buffer or value."""
    # The reason can quote a key of a peer's map, the path a hostile schema's names.
    path, reason = printable(path), printable(reason)
    where = "" if offset is None else f" (at byte {offset})"
    error: Any = InvalidPayload(f"{path}: {reason}{where}")
    error.path, error.reason, error.code, error.offset = path, reason, code, offset
    return cast(InvalidPayload, error)


def _text(call: Any, *arguments: Any) -> str:
    """The text that a function of the core writes, truncated if it's long."""
    room = 4096
    out = ffi.new("char[]", room)
    call(*arguments, out, room)
    text: bytes = ffi.string(out)
    return text.decode("utf-8", "replace")


def raise_fault(fault: Any, plan: Any, root: int, *, placed: bool = True) -> Any:
    """Raises InvalidPayload for the core's fault."""
    path = _text(lib.wfbs_fault_path, fault, plan, root)
    reason = _text(lib.wfbs_fault_reason, fault)
    code = ffi.string(lib.wfbs_fault_name(fault.code)).decode()
    raise invalid(path, reason, code, fault.at if placed else None)


def load(data: bytes, words: str) -> Plan:
    """The plan of a .bfbs.

    :raises autobahn.wamp.exception.InvalidPayload: the .bfbs is invalid.
    """
    fault = ffi.new("wfbs_fault *")
    source = ffi.from_buffer(data)
    size = lib.wfbs_plan_measure(source, len(data), fault)
    if size:
        memory = ffi.new("char[]", size)
        raw = ffi.new("wfbs_plan *")
        if lib.wfbs_plan_load(source, len(data), words == "memory", memory, raw, fault):
            return Plan(raw, (source, data, memory))
    raise_fault(fault, REFLECTION.raw, REFLECTION_SCHEMA)
    raise AssertionError


class Rules:
    """The rules for verifying buffers of a schema: `strict` refuses unknown enum values and union
    types."""

    def __init__(self, plan: Plan, limits: tuple[int, int, int, int] | None = None) -> None:
        self._limits = record.limits(limits)
        self.lenient, self.strict = self._rules(plan, False), self._rules(plan, True)

    def _rules(self, plan: Plan, strict: bool) -> Any:
        rules = ffi.new("wfbs_typed_rules *")
        rules.plan, rules.strict, rules.limits = plan.raw, strict, self._limits
        return rules


class Verifier:
    """The rules for verifying a buffer of one table."""

    def __init__(
        self, plan: Plan, root: int, limits: tuple[int, int, int, int] | None = None
    ) -> None:
        self._plan, self._root = plan, root
        self.rules = Rules(plan, limits)

    def __call__(
        self, data: bytes, strict: bool, identifier: bytes | None, *, placed: bool = True
    ) -> int:
        """The position of the root table.

        :raises autobahn.wamp.exception.InvalidPayload: the buffer is invalid; with its place in the
            buffer if ``placed``.
        """
        try:
            scratch = _free.pop()
        except IndexError:
            scratch = ffi.new("wfbs_fault *"), ffi.new("uint32_t *")
        fault, root = scratch
        verified = lib.wfbs_typed_verify(
            self.rules.strict if strict else self.rules.lenient,
            self._root,
            data,
            len(data),
            ffi.NULL if identifier is None else identifier,
            fault,
            root,
        )
        if not verified:
            raise_fault(fault, self._plan.raw, self._root, placed=placed)
        position: int = root[0]
        _free.append(scratch)
        return position
