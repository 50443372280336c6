"""Marks for tests that some backends don't need."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

import autobahn_fbs

extension_only = pytest.mark.skipif(
    autobahn_fbs.backend != "cpython",
    reason="about the C extension itself: its references, allocations, symbols or object layout",
)

cpython_only = pytest.mark.skipif(
    sys.implementation.name != "cpython",
    reason="needs facts that only CPython offers: allocated bytes, references",
)

pypy_only = pytest.mark.skipif(
    sys.implementation.name != "pypy", reason="tests behaviour that only PyPy has"
)


@contextmanager
def counting_memory() -> Iterator[Any]:
    """The result gets the attributes `peak` and `grown`, in bytes of Python's allocators: 0 on
    PyPy, which doesn't count them."""
    counted = SimpleNamespace(peak=0, grown=0)
    if sys.implementation.name != "cpython":
        yield counted
        return
    import tracemalloc

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield counted
        now, counted.peak = tracemalloc.get_traced_memory()
        counted.grown = now - before
    finally:
        tracemalloc.stop()
