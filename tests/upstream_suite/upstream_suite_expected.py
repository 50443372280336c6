"""Autobahn's own tests that fail with the drop-in installed, each with the reason why that is
right. A test that fails and is not here, or is here and passes, fails our suite."""

from __future__ import annotations

#: ``file::class::test`` to reason.
EXPECTED: dict[str, str] = {}
