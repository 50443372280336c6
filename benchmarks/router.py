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

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace

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
from autobahn_fbs._demo.router import Router, RouterFailed, installed_version
from turns import add_options, chosen, keep, play, progress, scene

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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    names = [each.name for each in CONTENDERS]
    parser.add_argument(
        "--contender", nargs="+", choices=names, default=[each.name for each in USUAL]
    )
    parser.add_argument("--parts", nargs="+", default=[], help="more contenders: parts, by commas")
    return parser.parse_args()


def main() -> int:
    options = _options()
    version = installed_version()
    if version is None:
        print("Crossbar.io is not installed for this Python", file=sys.stderr)
        return 1
    contenders = [each for each in CONTENDERS if each.name in options.contender]
    contenders += [accelerated(parts, parts) for parts in options.parts]
    scenes = chosen(options, SCENES)
    print(f"Crossbar.io {version}, Python {sys.version.split()[0]}, processor time per message")
    try:
        with ExitStack() as stack:
            teams = []
            for contender in contenders:
                progress(f"starting {contender.name}")
                teams.append(start(contender, stack))
            costs = play(teams, scenes, options)
    except RouterFailed as error:
        print(f"{error}\n{error.log}", file=sys.stderr)
        return 1
    keep(costs, version, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
