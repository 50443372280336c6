#!/usr/bin/env python3
"""The cost of a message for a real Crossbar.io router and a client: stock, drop-in, accelerated.

    python benchmarks/router.py [--quick] [--scene WORD ...] [--contender NAME ...]
                                [--seconds 1] [--rounds 5] [-o FILE] [--plot FILE]

Each contender has a router and a client process of its own, all running at the same time. In each
scene, they take turns, for a part of a second each (autobahn_fbs/_demo/cost.py). The output is the
processor time of a router's worker and a client, in microseconds for each received event or
answered call: the best of the rounds, and its ratio to the first contender.

``stock`` is Crossbar.io with Autobahn's msgpack. ``drop-in`` is flatbuffers, started by
``python -m autobahn_fbs run``. ``accelerated`` is the same with ``run --accelerate``, and
``autobahn_fbs.accelerate()`` in the client. ``accelerated-msgpack`` is that with Autobahn's
msgpack. ``stock-twisted`` and ``accelerated-twisted`` have clients on Twisted. Linux only, because
of the processor time of the routers.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from autobahn_fbs._demo.config import make_site
from autobahn_fbs._demo.cost import (
    USUAL,
    Contender,
    Team,
    accelerated,
    started_as,
    team_of,
    with_environ,
)
from autobahn_fbs._demo.router import Router
from turns import compare, make_parser, scene

_OPTIMIZED = (("PYTHONOPTIMIZE", "1"),)


_UVLOOP = ("--loop", "uvloop")
_TWISTED = ("--loop", "twisted")
_STOCK, _DROP_IN, _ACCELERATED = USUAL

CONTENDERS = [
    *USUAL,
    accelerated("accelerated-msgpack", serializer="msgpack"),
    # The contenders in docs/tuning.rst.
    replace(_STOCK, name="stock-cache", cache=True),
    replace(_STOCK, name="stock-optimized", environ=_OPTIMIZED),
    replace(_STOCK, name="stock-uvloop", client=_UVLOOP),
    replace(_STOCK, name="stock-twisted", client=_TWISTED),
    replace(_ACCELERATED, name="accelerated-cache", cache=True),
    replace(_ACCELERATED, name="accelerated-optimized", environ=_OPTIMIZED),
    accelerated("accelerated-batched", serializer="flatbuffers.batched"),
    replace(_ACCELERATED, name="accelerated-uvloop", client=(*_ACCELERATED.client, *_UVLOOP)),
    replace(_ACCELERATED, name="accelerated-twisted", client=(*_ACCELERATED.client, *_TWISTED)),
]

SCENES = [
    scene("events rawsocket small", "events", "rawsocket", "small"),
    scene("events rawsocket large", "events", "rawsocket", "large"),
    scene("events websocket small", "events", "websocket", "small"),
    scene("calls rawsocket small", "calls", "rawsocket", "small"),
    scene("calls websocket small", "calls", "websocket", "small"),
    scene("calls rawsocket 128kB", "calls", "rawsocket", "128kB", flights=4),
    scene("calls websocket 128kB", "calls", "websocket", "128kB", flights=4),
    scene("fan-out rawsocket small", "events", "rawsocket", "small", subscribers=100),
]


def start_router(contender: Contender, stack: ExitStack) -> Router:
    """A contender's router, which the stack stops."""
    router: Router = started_as(contender)(make_site().auth)
    with_environ(contender, router)
    stack.push(router)
    return router


def start(contender: Contender, stack: ExitStack) -> Team:
    """A contender's router and client, which the stack stops."""
    return stack.enter_context(team_of(contender, start_router(contender, stack)))


def main() -> int:
    parser = make_parser(__doc__, CONTENDERS, SCENES)
    parser.add_argument("--parts", nargs="+", default=[], help="more contenders: parts, by commas")
    options = parser.parse_args()
    names = options.contender or [each.name for each in USUAL]
    contenders = [each for each in CONTENDERS if each.name in names]
    contenders += [accelerated(parts, parts) for parts in options.parts]
    return compare(options, SCENES, [(each.name, partial(start, each)) for each in contenders])


if __name__ == "__main__":
    sys.exit(main())
