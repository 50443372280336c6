"""The router that most tests of this folder join. Modules with a node of their own override it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import autobahn_fbs
from autobahn_fbs._demo.router import Router
from support.router import Place, running

if os.environ.get("ACCELERATED") == "1":  # all of these tests with acceleration
    launcher = Router.COMMAND.index("--allow-rawsocket")
    Router.COMMAND = (*Router.COMMAND[:launcher], "--accelerate", *Router.COMMAND[launcher:])
    autobahn_fbs.accelerate()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(Router) as place:
        yield place
