"""Counts what the process does with its messages: the numbers of autobahn_fbs.counters()."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ._core import ffi, lib


class Counts:
    """The numbers that change for every message, as attributes: PyPy keeps them unboxed."""

    def __init__(self) -> None:
        self.encoded = 0
        self.cache_hits = 0
        self.pass_ons = 0
        self.payloads = 0
        self.payloads_decoded = 0


COUNTS = Counts()
REFUSED: Counter[str] = Counter()


def refused_by_core(code: int) -> None:
    """Counts a message that verification refused."""
    REFUSED[ffi.string(lib.wfbs_error_name(code)).decode()] += 1


def counters() -> dict[str, Any]:
    """Counts what this process did with its messages; see autobahn_fbs.counters()."""
    return {**vars(COUNTS), "refused": dict(REFUSED)}
