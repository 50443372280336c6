#!/usr/bin/env python3
"""The cost of a message for two linked Crossbar.io nodes, or for a node with a proxy worker.

    python benchmarks/federation.py [--workers] [--quick] [--scene WORD ...]
                                    [--contender NAME ...] [--seconds 1] [--rounds 5]
                                    [-o FILE] [--plot FILE]

Each contender has two nodes, a link between them and a client process of its own, all running at
the same time; they take turns as in router.py. Node 2 connects to node 1. Events are published and
calls are made at node 1, and received at node 2; in "turned" scenes, it is the other way round. The
output is processor time in microseconds for each received event or answered call: for each node's
worker, both together ("nodes"), and the client, which has all sessions. An event of "fan-out" goes
to 100 subscribers at one node.

``cbor`` is stock Crossbar.io with CBOR on all legs. ``cbor-link`` has the drop-in, FlatBuffers at
the clients, and CBOR on the link, which is the link's default without ``run --prefer``.
``flatbuffers`` has FlatBuffers on all legs. ``accelerated`` is the same with ``--accelerate``, and
``accelerated-cbor`` has acceleration, with CBOR on all legs.

With ``--workers``: a node with a proxy worker in front of one router worker, or of two that have a
realm each; the client does the same in both realms at the same time. Linux only.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from autobahn_fbs._demo.config import REALM, make_site
from autobahn_fbs._demo.cost import (
    STOCK,
    Contender,
    Team,
    run_words,
    started_as,
    with_environ,
)
from autobahn_fbs._demo.links import LinkedRouter, LinkedRouters
from autobahn_fbs._demo.router import Router
from turns import compare, make_parser, scene

_DROP_IN, _FASTER = ("--drop-in",), ("--drop-in", "--accelerate", "all")

CONTENDERS = [
    Contender("cbor", STOCK, (), "cbor"),
    Contender("cbor-link", run_words(), _DROP_IN),
    Contender("flatbuffers", run_words("--prefer"), _DROP_IN),
    Contender("accelerated", run_words("--prefer", "--accelerate"), _FASTER),
    Contender("accelerated-cbor", run_words("--accelerate"), _FASTER, "cbor"),
]

SCENES = [
    # The first one also shows what a session takes in memory.
    scene("fan-out small", "events", "rawsocket", "small", subscribers=100),
    scene("fan-out small websocket", "events", "websocket", "small", subscribers=100),
    scene("fan-out 2.4kB", "events", "rawsocket", "large", subscribers=100),
    scene("fan-out 2.4kB websocket", "events", "websocket", "large", subscribers=100),
    scene("events small", "events", "rawsocket", "small"),
    scene("events small websocket", "events", "websocket", "small"),
    scene("events small turned", "events", "rawsocket", "small", turned=True),
    scene("events 2.4kB", "events", "rawsocket", "large"),
    scene("events 128kB", "events", "rawsocket", "128kB", window=8),
    scene("calls small", "calls", "rawsocket", "small"),
    scene("calls small turned", "calls", "rawsocket", "small", turned=True),
    scene("calls 2.4kB", "calls", "rawsocket", "large"),
    scene("calls 128kB", "calls", "rawsocket", "128kB", flights=4),
]

#: Realms, one for each router worker if there are two.
REALMS = (REALM, "demo2")
WORKER_SCENES = [
    scene("events small", "events", "rawsocket", "small"),
    scene("calls small", "calls", "rawsocket", "small"),
]


class ProxiedRouter(Router):
    """A node with a proxy worker in front of `count` router workers, which share the realms."""

    count = 1
    serializer = "flatbuffers"

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        front = config["workers"][0]
        (realm,) = front.pop("realms")
        role = {"anonymous-proxy": {"type": "static"}}
        routers: list[dict[str, Any]] = []
        connections, routes = {}, {}
        for number in range(self.count):
            endpoint = {"type": "unix", "path": f"leg{number}"}
            inside = {"type": "rawsocket", "serializers": [self.serializer]}
            transport = {**inside, "endpoint": endpoint, "auth": role}
            routers.append({"type": "router", "realms": [], "transports": [transport]})
            leg = {"type": "rawsocket", "serializer": self.serializer, "url": "rs://localhost"}
            connections[f"leg{number}"] = {"transport": {**leg, "endpoint": endpoint}, "auth": role}
        for number, name in enumerate(REALMS):
            worker = number % self.count
            routers[worker]["realms"].append({**realm, "name": name})
            routes[name] = {each["name"]: f"leg{worker}" for each in realm["roles"]}
        proxy = {**front, "type": "proxy", "connections": connections, "routes": routes}
        return {**config, "workers": [*routers, proxy]}


def start_linked(contender: Contender, stack: ExitStack) -> Team:
    """A contender's two nodes and client, which the stack stops."""
    nodes = LinkedRouters(make_site(), 2, started_as(contender, LinkedRouter))
    routers = with_environ(contender, nodes)
    stack.push(nodes)
    processes = {router.name: router.processes()[1:] for router in routers}
    processes["nodes"] = [pid for pids in processes.values() for pid in pids]
    doors = [(router.websocket, router.rawsocket) for router in routers]
    return stack.enter_context(Team(contender, processes, doors))


def start_proxied(contender: Contender, count: int, stack: ExitStack) -> Team:
    """A contender's node with a proxy worker and client, which the stack stops."""
    kind = started_as(contender, ProxiedRouter)
    kind.count, kind.serializer = count, contender.serializer
    router = kind(make_site().auth)
    stack.enter_context(router)
    *workers, proxy = sorted(router.processes()[1:])
    processes = {"routers": workers, "proxy": [proxy]}
    doors = [(router.websocket, router.rawsocket)]
    named = replace(contender, name=f"{contender.name}, {count}")
    return stack.enter_context(Team(named, processes, doors, REALMS))


def main() -> int:
    parser = make_parser(__doc__, CONTENDERS, [*SCENES, *WORKER_SCENES])
    parser.add_argument("--workers", action="store_true", help="a proxy worker, and no link")
    options = parser.parse_args()
    usual = ["cbor", "flatbuffers", "accelerated"] if options.workers else None
    names = options.contender or usual or [each.name for each in CONTENDERS]
    contenders = [each for each in CONTENDERS if each.name in names]
    if not options.workers:
        linked = [(each.name, partial(start_linked, each)) for each in contenders]
        return compare(options, SCENES, linked)
    proxied = [
        (each.name, partial(start_proxied, each, count)) for each in contenders for count in (1, 2)
    ]
    return compare(options, WORKER_SCENES, proxied)


if __name__ == "__main__":
    sys.exit(main())
