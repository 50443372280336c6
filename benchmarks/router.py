#!/usr/bin/env python3
"""What a message costs a real Crossbar.io router and a client: stock, drop-in, accelerated.

    python benchmarks/router.py [--quick] [--scene WORD ...] [--contender NAME ...]
                                [--seconds 1] [--rounds 5] [-o FILE] [--plot FILE]

Each contender has a router of its own and a client process of its own, all alive in one run. For
each scene they take turns, for a part of a second each. Shown is the processor time that a router's
worker and a client spent, in microseconds for an event that was received or a call that was
answered: the best of the rounds, and its ratio to the first contender.

``stock`` is Crossbar.io as it is with Autobahn's msgpack; ``drop-in`` is flatbuffers as
``python -m autobahn_fbs run`` starts it; ``accelerated`` is the same with ``run --accelerate``, and
``autobahn_fbs.accelerate()`` in the client; ``accelerated-msgpack`` is that with Autobahn's
msgpack. Linux only, for the processor time of the routers.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace

from autobahn_fbs._demo.config import make_site
from autobahn_fbs._demo.router import Router, RouterFailed, installed_version
from turns import (
    STOCK,
    Contender,
    Scene,
    Team,
    add_options,
    chosen,
    keep,
    play,
    progress,
    run_words,
    started_as,
    with_environ,
)

_OPTIMIZED = (("PYTHONOPTIMIZE", "1"),)


def accelerated(name: str, parts: str = "", serializer: str = "flatbuffers") -> Contender:
    """A contender with parts of acceleration; all for ""."""
    switch = f"--accelerate={parts}" if parts else "--accelerate"
    client = ("--drop-in", "--accelerate", parts or "all")
    return Contender(name, run_words(switch), client, serializer)


CONTENDERS = [
    Contender("stock", STOCK, (), "msgpack"),
    Contender("drop-in", run_words(), ("--drop-in",)),
    accelerated("accelerated"),
    accelerated("accelerated-msgpack", serializer="msgpack"),
    # What docs/tuning.rst is about.
    Contender("stock-cache", STOCK, (), "msgpack", cache=True),
    Contender("stock-optimized", STOCK, (), "msgpack", _OPTIMIZED),
    Contender("stock-uvloop", STOCK, ("--loop", "uvloop"), "msgpack"),
    replace(accelerated("accelerated-cache"), cache=True),
    replace(accelerated("accelerated-optimized"), environ=_OPTIMIZED),
    accelerated("accelerated-batched", serializer="flatbuffers.batched"),
    replace(
        accelerated("accelerated-uvloop"),
        client=("--drop-in", "--accelerate", "all", "--loop", "uvloop"),
    ),
]
USUAL = ("stock", "drop-in", "accelerated")

SCENES = [
    Scene("events rawsocket small", "events", "rawsocket", "small"),
    Scene("events rawsocket large", "events", "rawsocket", "large"),
    Scene("events websocket small", "events", "websocket", "small"),
    Scene("calls rawsocket small", "calls", "rawsocket", "small"),
    Scene("calls websocket small", "calls", "websocket", "small"),
    Scene("calls rawsocket 128kB", "calls", "rawsocket", "128kB", flights=4),
    Scene("calls websocket 128kB", "calls", "websocket", "128kB", flights=4),
    Scene("fan-out rawsocket small", "events", "rawsocket", "small", subscribers=100),
]


def start_router(contender: Contender, stack: ExitStack) -> Router:
    """A contender's router, which the stack stops."""
    router: Router = started_as(contender)(make_site().auth)
    with_environ(contender, router)
    stack.push(router)
    return router


def start(contender: Contender, stack: ExitStack) -> Team:
    """A contender's router and client, which the stack stops."""
    router = start_router(contender, stack)
    doors = [(router.websocket, router.rawsocket)]
    return stack.enter_context(Team(contender, {"router": router.processes()[1:]}, doors))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    names = [each.name for each in CONTENDERS]
    parser.add_argument("--contender", nargs="+", choices=names, default=list(USUAL))
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
