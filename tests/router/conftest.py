"""The router that most tests of this folder join. Modules with a node of their own override it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autobahn_fbs._demo.router import Router
from support.router import Place, running


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(Router) as place:
        yield place
