"""Measures the processor time of a message in a real router and a client. Contenders take turns.

Each contender has routers and a client process of its own (``cost_client``), all running at the
same time. In each scene, the contenders take turns, for a part of a second each. The best of the
rounds counts. Linux only, because of the processor time of the routers.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .config import make_site
from .router import Router

#: Crossbar.io without the drop-in: the same as the script "crossbar".
STOCK = ("-c", "from crossbar import run; run()", "start")


def run_words(*options: str) -> tuple[str, ...]:
    """Crossbar.io with the drop-in, and additional options of the launcher."""
    return ("-m", "autobahn_fbs", "run", "--allow-rawsocket", *options, "--", "crossbar", "start")


@dataclass(frozen=True)
class Contender:
    """How routers are started, and the options of their client."""

    name: str
    command: tuple[str, ...]
    client: tuple[str, ...]
    serializer: str = "flatbuffers"
    #: Added to the environment of all processes.
    environ: tuple[tuple[str, str], ...] = ()
    #: The router keeps a session's permission once it has been looked up.
    cache: bool = False

    @property
    def has_drop_in(self) -> bool:
        """Whether the routers know FlatBuffers."""
        return "autobahn_fbs" in self.command


def accelerated(name: str, parts: str = "", serializer: str = "flatbuffers") -> Contender:
    """A contender with some parts of acceleration; "" means all."""
    switch = f"--accelerate={parts}" if parts else "--accelerate"
    client = ("--drop-in", "--accelerate", parts or "all")
    return Contender(name, run_words(switch), client, serializer)


#: Stock with Autobahn's msgpack, the drop-in, and the drop-in with acceleration.
USUAL = (
    Contender("stock", STOCK, (), "msgpack"),
    Contender("drop-in", run_words(), ("--drop-in",)),
    accelerated("accelerated"),
)


@dataclass(frozen=True)
class Scene:
    """The messages and the transport of a scene. `flights` calls, or a `window` of events, are in
    flight."""

    name: str
    kind: str
    transport: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    #: The size of a final arg of bytes; none if 0.
    blob: int = 0
    subscribers: int = 1
    flights: int = 24
    window: int = 200
    #: Whether the first session joins the last router, and the others the first one.
    turned: bool = False


SMALL_EVENTS = Scene(
    "events rawsocket small",
    "events",
    "rawsocket",
    [21.5, "celsius", 4711],
    {"sensor": 7, "station": "Zugspitze"},
)


@dataclass
class Cost:
    """The best of the rounds for one scene and contender.

    `spent` is processor time in microseconds for each received event or answered call, by process;
    `rate` is events or calls per second. `memory` is the growth of the routers in bytes for each
    session that joined for the scene. It is only meaningful for a router's first scene, and only if
    many sessions join.
    """

    scene: str
    contender: str
    spent: dict[str, float]
    rate: float
    memory: dict[str, float] | None = None


class StartedAs(Router):
    """A mixin for routers that starts them as `contender` specifies. See :func:`started_as`."""

    contender: ClassVar[Contender]

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        for worker in config["workers"]:
            for transport in worker.get("transports", ()):
                if not self.contender.has_drop_in:  # it doesn't know flatbuffers
                    transport["serializers"] = ["msgpack", "cbor", "json"]
            for realm in worker.get("realms", ()):
                for role in realm["roles"]:
                    for permission in role["permissions"]:
                        permission["cache"] = self.contender.cache
        return config


def started_as(contender: Contender, kind: type[Any] = Router) -> type[Any]:
    """A class of routers of a kind that are started as this contender specifies."""
    bases = (StartedAs,) if kind is Router else (StartedAs, kind)
    return type(
        f"{kind.__name__}Started", bases, {"contender": contender, "COMMAND": contender.command}
    )


def with_environ(contender: Contender, routers: Any) -> Any:
    """Enters `routers`, with the contender's environment while they start, and returns the
    result."""
    os.environ.update(contender.environ)
    try:
        return routers.__enter__()
    finally:
        for name, _ in contender.environ:
            del os.environ[name]


class ClientEnded(Exception):
    """A contender's client has ended early; the text has the end of its output."""


class Team(AbstractContextManager["Team"]):
    """A contender's running routers and client.

    :param processes: the processes to measure, by their names in tables.
    :param doors: the routers' ports for WebSocket and RawSocket. The client's first session joins
        at the first door, all others at the last.
    :param realms: the client does the same in each of them at the same time.
    """

    def __init__(
        self,
        contender: Contender,
        processes: dict[str, list[int]],
        doors: Sequence[tuple[int, int]],
        realms: Sequence[str] = (),
    ) -> None:
        self.name = contender.name
        #: The measured processes, by their names in tables.
        self.processes = processes
        words = [
            *("--websocket", *(str(websocket) for websocket, _ in doors)),
            *("--rawsocket", *(str(rawsocket) for _, rawsocket in doors)),
            *("--serializer", contender.serializer, *contender.client),
            *(("--realm", *realms) if realms else ()),
        ]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.cost_client", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **dict(contender.environ)},
            text=True,
        )
        #: The client's process.
        self.client = self._process.pid

    def open(self, scene: Scene) -> dict[str, float]:
        """Connects the client for a scene; returns the memory that this took, in bytes for each
        subscriber."""
        before = {name: resident_bytes(pids) for name, pids in self.processes.items()}
        self._ask(open=asdict(scene))
        return {
            name: (resident_bytes(pids) - before[name]) / scene.subscribers
            for name, pids in self.processes.items()
        }

    def close(self) -> None:
        """Disconnects the client."""
        self._ask(close=True)

    def _ask(self, **order: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        line = ""
        with suppress(BrokenPipeError):
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            line = stdout.readline()
        if not line:
            self._errors.seek(0)
            raise ClientEnded(f"the client of {self.name} has ended: {self._errors.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self, seconds: float) -> tuple[dict[str, float], float]:
        """Microseconds per message, by process, and messages per second."""
        before = {name: cpu_seconds(pids) for name, pids in self.processes.items()}
        answer = self._ask(run=seconds)
        count = max(answer["count"], 1)
        spent = {
            name: (cpu_seconds(pids) - before[name]) / count * 1e6
            for name, pids in self.processes.items()
        }
        return {**spent, "client": answer["cpu"] / count * 1e6}, count / answer["seconds"]

    def __exit__(self, *error: object) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):  # the last order may be unsent if the client has ended
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def team_of(contender: Contender, router: Router) -> Team:
    """The client of a running router."""
    doors = [(router.websocket, router.rawsocket)]
    return Team(contender, {"router": router.processes()[1:]}, doors)


@contextmanager
def running(contenders: Sequence[Contender]) -> Iterator[list[Team]]:
    """A router for each of these contenders, started in parallel, and their clients.

    :raises RouterFailed: one did not start.
    """
    with ExitStack() as stack:
        routers = [started_as(contender)(make_site().auth) for contender in contenders]
        with ThreadPoolExecutor(len(routers)) as pool:
            list(pool.map(stack.enter_context, routers))
        yield [
            stack.enter_context(team_of(contender, router))
            for contender, router in zip(contenders, routers, strict=True)
        ]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used so far; 0 if the system doesn't provide it."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:  # the thread has ended
                continue
    return total / 1e9


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory that processes have, in bytes; 0 where the system doesn't say."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * mmap.PAGESIZE


def measure(
    teams: list[Team],
    scene: Scene,
    rounds: int,
    seconds: float,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Cost]:
    """Runs a scene with the teams in turn."""
    found: dict[str, list[tuple[dict[str, float], float]]] = {team.name: [] for team in teams}
    grown = {}
    for team in teams:
        grown[team.name] = team.open(scene)
        team.turn(seconds / 2)  # to warm up
    for number in range(rounds):
        # A different one goes first each time.
        first = number % len(teams)
        for team in teams[first:] + teams[:first]:
            found[team.name].append(team.turn(seconds))
        progress(f"{scene.name}: round {number + 1} of {rounds}")
    for team in teams:
        team.close()
    return [
        Cost(
            scene.name,
            name,
            {who: min(spent[who] for spent, _ in turns) for who in turns[0][0]},
            max(rate for _, rate in turns),
            grown[name] if scene.subscribers > 1 else None,
        )
        for name, turns in found.items()
    ]
