#!/usr/bin/env python3
"""One event to a million subscribers over a tree of linked routers, from measured costs.

    python benchmarks/simulation.py [--costs benchmarks/federation.json] [--subscribers 1000000]
                                    [--leaf 1000] [--links 32] [--plots FOLDER]

Nothing is sent. The costs are what ``federation.py -o FILE`` measured, the sizes those of messages
that are written here. Assumed is this:

- Subscribers are distributed evenly over routers at the leaves (``--leaf`` for each). Every router
  above them has at most ``--links`` links, and no subscribers. The publisher is at the root.
- A router is one process with a core of its own, and does one thing after the other. It sends an
  event to its links or subscribers one by one; each copy is on its way as soon as it has been sent.
- A message takes ``--latency`` milliseconds from process to process, and the network of a machine
  has ``--gigabits``. Nothing else slows the network down. TCP's and IP's headers are left out.
- A link costs its router as much as a WebSocket subscriber. At the other end, it costs the time
  that node 2 spent in addition to the delivery. Subscribers use RawSocket, and each needs its
  client's processor time on a machine of its own.
- Routers forward forwarded events. Crossbar.io 26.10.1 doesn't: with it, a tree has at most one
  level of links.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Contenders of federation.py, their names in the table and plots, and their colours.
CONTENDERS = {
    "cbor": ("CBOR", "#9e9e9e"),
    "flatbuffers": ("FlatBuffers", "#1f77b4"),
    "accelerated": ("FlatBuffers, accelerated", "#d62728"),
    "accelerated-cbor": ("CBOR, accelerated", "#ff9f8e"),
}
#: Payloads as federation.py calls them, and as autobahn_fbs._bench.messages does.
PAYLOADS = {"small": "small", "2.4kB": "large"}
#: The size of frames for a message of less than 126 bytes: RawSocket's, and WebSocket's from a
#: server.
_RAWSOCKET, _WEBSOCKET = 4, 2


@dataclass(frozen=True)
class Costs:
    """Seconds of one processor, for one event and payload."""

    receive: float  #: the root, from its publisher
    hop: float  #: a router, from a link, without deliveries
    link: float  #: a router, to one link
    deliver: float  #: a router, to one subscriber
    client: float  #: a subscriber
    memory: float  #: bytes that a session takes in its router


@dataclass(frozen=True)
class Sizes:
    """Bytes on the wire, with frames."""

    deliver: int  #: EVENT to a subscriber
    link: int  #: EVENT to a link


@dataclass(frozen=True)
class Tree:
    """The number of routers at each level, from the root to the leaves."""

    levels: tuple[int, ...]
    subscribers: int

    @property
    def leaf(self) -> int:
        """Subscribers of one leaf."""
        return math.ceil(self.subscribers / self.levels[-1])


@dataclass
class Outcome:
    """The results for one event: seconds of processor time by place, and the time until it has
    reached everyone. `arrivals` is when each leaf begins and ends to deliver.
    """

    processor: dict[str, float]
    arrivals: list[tuple[float, float]]
    bytes: dict[str, int]
    busiest: float  #: the router with the highest processor time
    memory: float  #: of all routers

    def when(self, share: float) -> float:
        """The time when a share of the subscribers has the event."""
        low, high = 0.0, max(end for _, end in self.arrivals)
        for _ in range(60):
            middle = (low + high) / 2
            reached = sum(
                min(max((middle - start) / (end - start), 0.0), 1.0) for start, end in self.arrivals
            )
            if reached < share * len(self.arrivals):
                low = middle
            else:
                high = middle
        return high


def read_costs(path: Path) -> dict[tuple[str, str], Costs]:
    """The measured costs by contender and payload.

    :raises KeyError: a scene or a contender wasn't measured.
    """
    found = {
        (each["scene"], each["contender"]): each for each in json.loads(path.read_text())["costs"]
    }

    def spent(scene: str, contender: str, who: str) -> float:
        micros: float = found[scene, contender]["spent"][who]
        return micros / 1e6

    costs = {}
    for contender in CONTENDERS:
        memory = found["fan-out small", contender]["memory"]["node2"]
        for payload in PAYLOADS:
            # One event to one subscriber costs hop + deliver; to a hundred, a hundredth of the
            # first and the second, for each.
            one = spent(f"events {payload}", contender, "node2")
            deliver = (100 * spent(f"fan-out {payload}", contender, "node2") - one) / 99
            link = 100 * spent(f"fan-out {payload} websocket", contender, "node2")
            link = (link - (one - deliver)) / 100
            costs[contender, payload] = Costs(
                receive=spent(f"events {payload}", contender, "node1") - link,
                hop=one - deliver,
                link=link,
                deliver=deliver,
                client=spent(f"fan-out {payload}", contender, "client"),
                memory=memory,
            )
    return costs


def read_sizes(contender: str, payload: str, levels: int) -> Sizes:
    """The bytes of messages as this contender's serializer writes them, with so many levels of
    links, each of which adds a hop to ``forward_for``. A link counts as the last one.
    """
    import txaio

    txaio.use_asyncio()
    from autobahn.wamp import message
    from autobahn.wamp.serializer import CBORSerializer

    from autobahn_fbs import FlatBuffersSerializer
    from autobahn_fbs._bench.messages import PAYLOADS as ARGUMENTS

    args, kwargs = ARGUMENTS[PAYLOADS[payload]]
    serializer: Any = CBORSerializer() if "cbor" in contender else FlatBuffersSerializer()

    def size(hops: int) -> int:
        session = 5_912_350_218_374_113
        event = message.Event(
            5_735_816_120_331,
            7_340_032_143_918_221,
            args=args,
            kwargs=kwargs,
            publisher=session,
            publisher_authid="tina",
            publisher_authrole="member",
            topic="com.example.weather1",
            forward_for=[
                {"session": session + hop, "authid": "node2", "authrole": "trusted"}
                for hop in range(hops)
            ]
            or None,
        )
        return len(serializer.serialize(event)[0])

    link = size(levels if levels > 1 else 0)
    return Sizes(
        size(levels + 1 if levels else 0) + _RAWSOCKET,
        link + _WEBSOCKET + (2 if link > 125 else 0),
    )


def grow(subscribers: int, leaf: int, links: int) -> Tree:
    """The smallest tree for so many subscribers."""
    levels = [math.ceil(subscribers / leaf)]
    while levels[0] > 1:
        levels.insert(0, math.ceil(levels[0] / links))
    return Tree(tuple(levels), subscribers)


def simulate(tree: Tree, costs: Costs, sizes: Sizes, latency: float, bandwidth: float) -> Outcome:
    """Sends the event down the tree. `latency` is in seconds, `bandwidth` in bytes a second."""
    link = max(costs.link, sizes.link / bandwidth)
    deliver = max(costs.deliver, sizes.deliver / bandwidth)
    begun = [latency + costs.receive]  # when each router of a level begins to send
    busiest = 0.0
    for above, below in zip(tree.levels, tree.levels[1:], strict=False):
        following, place = [], [0] * above
        for number in range(below):
            parent = number * above // below
            place[parent] += 1
            following.append(begun[parent] + place[parent] * link + latency + costs.hop)
        busiest = max(busiest, costs.hop + max(place) * costs.link)
        begun = following
    hops = sum(tree.levels) - 1
    arrivals = [(start + latency, start + tree.leaf * deliver + latency) for start in begun]
    return Outcome(
        processor={
            "root receives": costs.receive,
            "links": hops * (costs.link + costs.hop),
            "deliveries": tree.subscribers * costs.deliver,
            "subscribers": tree.subscribers * costs.client,
        },
        arrivals=arrivals,
        bytes={"links": hops * sizes.link, "subscribers": tree.subscribers * sizes.deliver},
        busiest=max(busiest, costs.hop + tree.leaf * costs.deliver),
        memory=(tree.subscribers + hops) * costs.memory,
    )


def rows(found: dict[tuple[str, str], Outcome]) -> list[str]:
    """The table, as lines of text."""
    lines = [
        f"{'payload':8}{'':26}{'half':>8}{'all':>8}{'a second':>10}{'routers':>9}{'clients':>9}"
        f"{'links':>8}{'traffic':>9}{'memory':>8}"
    ]
    for (contender, payload), outcome in found.items():
        spent = outcome.processor
        routers = sum(spent.values()) - spent["subscribers"]
        lines.append(
            f"{payload:8}{CONTENDERS[contender][0]:26}"
            f"{outcome.when(0.5) * 1e3:>5.0f} ms{outcome.when(1) * 1e3:>5.0f} ms"
            f"{0.7 / outcome.busiest:>10.1f}{routers:>7.1f} s{spent['subscribers']:>7.1f} s"
            f"{spent['links']:>6.2f} s{sum(outcome.bytes.values()) / 1e6:>6.0f} MB"
            f"{outcome.memory / 1e9:>5.0f} GB"
        )
    return lines


def plots(found: dict[tuple[str, str], Outcome], folder: Path) -> None:
    """Two plots: when subscribers have the event, and who spends processor time on it."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "autobahn_fbs", "font.size": 9})
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=True)
    for axis, payload in zip(axes, PAYLOADS, strict=True):
        for contender, (name, colour) in CONTENDERS.items():
            outcome = found[contender, payload]
            shares = [number / 100 for number in range(1, 101)]
            times = [outcome.when(share) * 1e3 for share in shares]
            axis.plot(times, [100 * share for share in shares], color=colour, label=name)
        axis.set_title(f"{payload} payload")
        axis.set_xlabel("ms after publishing")
        axis.set_xlim(left=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("subscribers that have the event, %")
    axes[1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(folder / "tree-time.svg", metadata={"Date": None})
    pyplot.close(figure)

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=True)
    for axis, payload in zip(axes, PAYLOADS, strict=True):
        names = [name for name, _ in CONTENDERS.values()]
        left = [0.0] * len(names)
        for part in found["cbor", payload].processor:
            spent = [found[contender, payload].processor[part] for contender in CONTENDERS]
            axis.barh(names, spent, left=left, label=part)
            left = [a + b for a, b in zip(left, spent, strict=True)]
        axis.set_title(f"{payload} payload")
        axis.set_xlabel("seconds of processor time, all machines")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(folder / "tree-processor.svg", metadata={"Date": None})
    pyplot.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path(__file__).with_name("federation.json")
    parser.add_argument("--costs", type=Path, default=here, help="what federation.py -o wrote")
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--leaf", type=int, default=1_000, help="subscribers of one router")
    parser.add_argument("--links", type=int, default=32, help="links of one router, at most")
    parser.add_argument("--latency", type=float, default=0.5, help="of the network, ms")
    parser.add_argument("--gigabits", type=float, default=10.0, help="of a machine's network")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write SVG plots there")
    options = parser.parse_args()
    costs = read_costs(options.costs)
    tree = grow(options.subscribers, options.leaf, options.links)
    found = {
        (contender, payload): simulate(
            tree,
            costs[contender, payload],
            read_sizes(contender, payload, len(tree.levels) - 1),
            options.latency / 1e3,
            options.gigabits * 1e9 / 8,
        )
        for payload in PAYLOADS
        for contender in CONTENDERS
    }
    routers = ", ".join(str(level) for level in tree.levels)
    head = f"{tree.subscribers:,} subscribers; routers at each level: {routers}"
    print("\n".join([head, "", *rows(found)]))
    if options.plots:
        plots(found, options.plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
