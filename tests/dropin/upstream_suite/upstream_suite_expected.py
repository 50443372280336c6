"""Autobahn's own tests that fail with the drop-in installed, each with the reason why that is
right. A test that fails and is not here, or is here and passes, fails our suite."""

from __future__ import annotations

import sys

#: ``file::class::test`` to reason.
EXPECTED: dict[str, str] = {}

if sys.version_info >= (3, 14):
    _REASON = "fails without the drop-in, too: asyncio.get_event_loop() makes no loop any more"
    EXPECTED["test_wamp_component_aio::test_asyncio_component"] = _REASON
    EXPECTED["test_wamp_component_aio::test_asyncio_component_404"] = _REASON
