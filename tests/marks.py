"""Marks for tests that not every backend is about."""

from __future__ import annotations

import pytest

import autobahn_fbs

extension_only = pytest.mark.skipif(
    autobahn_fbs.backend != "cpython",
    reason="about the C extension itself: its references, allocations, symbols or object layout",
)
