"""What a message costs a real router and a client, in processor time: contenders that take turns.

Each contender has a router of its own and a client process of its own (``cost_client``), all alive
in one run. Linux only, for the processor time of the routers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .config import make_site
from .router import Router

_RUN = ("-m", "autobahn_fbs", "run", "--allow-rawsocket")
_CROSSBAR = ("--", "crossbar", "start")
# What the script "crossbar" does.
_STOCK = ("-c", "from crossbar import run; run()", "start")


@dataclass(frozen=True)
class Contender:
    """How a router is started, and the options of its client."""

    name: str
    command: tuple[str, ...]
    client: tuple[str, ...]
    serializer: str = "flatbuffers"
    #: For both processes, besides what is there.
    environ: tuple[tuple[str, str], ...] = ()
    #: The permission that sessions have is kept once it has been looked up.
    cache: bool = False


#: Crossbar.io as it is, with Autobahn's msgpack.
STOCK = Contender("stock", _STOCK, (), "msgpack")
#: Flatbuffers, as ``python -m autobahn_fbs run`` starts it.
DROP_IN = Contender("drop-in", (*_RUN, *_CROSSBAR), ("--drop-in",))


def accelerated(name: str, parts: str = "", serializer: str = "flatbuffers") -> Contender:
    """A contender with parts of acceleration; all for ""."""
    switch = f"--accelerate={parts}" if parts else "--accelerate"
    client = ("--drop-in", "--accelerate", parts or "all")
    return Contender(name, (*_RUN, switch, *_CROSSBAR), client, serializer)


@dataclass(frozen=True)
class Scene:
    """What is sent over what."""

    name: str
    kind: str
    transport: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    #: The size of a last arg of bytes; none if 0.
    blob: int = 0
    subscribers: int = 1
    flights: int = 24


SMALL_EVENTS = Scene(
    "events rawsocket small",
    "events",
    "rawsocket",
    [21.5, "celsius", 4711],
    {"sensor": 7, "station": "Zugspitze"},
)


@dataclass
class Cost:
    """The best of the rounds: microseconds of processor time, and events or calls a second."""

    scene: str
    contender: str
    router: float
    client: float
    rate: float


class StockRouter(Router):
    """A router with other words to start it; without the drop-in, it doesn't know flatbuffers."""

    def __init__(self, contender: Contender) -> None:
        super().__init__(make_site().auth)
        self.COMMAND = contender.command
        self._has_drop_in = "autobahn_fbs" in contender.command
        self._cache = contender.cache

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        if not self._has_drop_in:
            for transport in config["workers"][0]["transports"]:
                transport["serializers"] = ["msgpack", "cbor", "json"]
        for role in config["workers"][0]["realms"][0]["roles"]:
            for permission in role["permissions"]:
                permission["cache"] = self._cache
        return config


class Pair:
    """A contender's router and client, running. A context manager; the router is another."""

    def __init__(self, contender: Contender, router: Router) -> None:
        self.name = contender.name
        self._workers = router.processes()[1:]
        words = [sys.executable, "-m", f"{__package__}.cost_client"]
        words += ["--websocket", str(router.websocket), "--rawsocket", str(router.rawsocket)]
        words += ["--serializer", contender.serializer, *contender.client]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **dict(contender.environ)},
            text=True,
        )
        #: The client's process.
        self.client = self._process.pid

    def open(self, scene: Scene) -> None:
        """Has the client connect for a scene."""
        self._ask(open=asdict(scene))

    def close(self) -> None:
        """Has it leave."""
        self._ask(close=True)

    def _ask(self, **order: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(
                f"the client of {self.name} has ended: {self._errors.read()[-2000:]}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self, seconds: float) -> tuple[float, float, float]:
        """Router and client microseconds for a message, and messages a second."""
        before = cpu_seconds(self._workers)
        answer = self._ask(run=seconds)
        router = cpu_seconds(self._workers) - before
        count = max(answer["count"], 1)
        return router / count * 1e6, answer["cpu"] / count * 1e6, count / answer["seconds"]

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


@contextmanager
def running(contenders: list[Contender]) -> Iterator[list[Pair]]:
    """Pairs of these contenders. Their routers start side by side.

    :raises RouterFailed: one did not start.
    """
    with ExitStack() as stack:
        routers = [StockRouter(contender) for contender in contenders]
        with ThreadPoolExecutor(len(routers)) as pool:
            list(pool.map(stack.enter_context, routers))
        yield [
            stack.enter_context(Pair(contender, router))
            for contender, router in zip(contenders, routers, strict=True)
        ]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used so far; 0 where the system doesn't say."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:  # the thread has ended
                continue
    return total / 1e9


def measure(
    pairs: list[Pair],
    scene: Scene,
    rounds: int,
    seconds: float,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Cost]:
    """Has the pairs play a scene in turns."""
    found: dict[str, list[tuple[float, float, float]]] = {pair.name: [] for pair in pairs}
    for pair in pairs:
        pair.open(scene)
        pair.turn(seconds / 2)  # to warm up
    for number in range(rounds):
        # The one that goes first is another each time.
        first = number % len(pairs)
        for pair in pairs[first:] + pairs[:first]:
            found[pair.name].append(pair.turn(seconds))
        progress(f"{scene.name}: round {number + 1} of {rounds}")
    for pair in pairs:
        pair.close()
    return [
        Cost(scene.name, name, min(r), min(c), max(rate))
        for name, turns in found.items()
        for r, c, rate in [tuple(zip(*turns, strict=True))]
    ]
