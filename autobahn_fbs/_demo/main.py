"""The steps of the demo."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING, NoReturn

from .report import Report

if TYPE_CHECKING:
    from .config import Site
    from .router import Router
    from .sessions import Peer

MISSING = """\
The router is missing: Crossbar.io is not installed for this Python ({python}).
To see real sessions, install it, and start the demo again:

    pip install "crossbar>=26.10.1"

The following works without a router."""

PASSED = "All passed: {what}."

NEXT = """\
What to do next:
  start your router with it:   python -m autobahn_fbs run crossbar start
  use it in your own program:  import autobahn_fbs; autobahn_fbs.install()
                               then name the serializer "flatbuffers"
  accelerate the router:       python -m autobahn_fbs run --accelerate crossbar start
  and your program:            autobahn_fbs.accelerate()
  measure this machine:        python -m autobahn_fbs bench"""


def main(nodes: int = 1) -> int:
    """Runs the demo. Returns the exit status: 0 if everything succeeded, else 1.

    :param nodes: the number of routers; if more than one, the demo shows only their links.
    """
    signal.signal(signal.SIGTERM, _terminated)
    report = Report(sys.stdout)
    try:
        return _main(report, nodes)
    except KeyboardInterrupt:
        report.bad("interrupted; nothing is left running")
        return 130
    except BrokenPipeError:  # the reader closed the output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _terminated(number: int, frame: object) -> NoReturn:
    """Raises an exception that runs every ``finally``, because the router has to be stopped."""
    sys.exit(128 + number)


def _main(report: Report, nodes: int) -> int:
    noise = StringIO()  # optional modules that Autobahn tries may print warnings
    try:
        with redirect_stderr(noise):
            version = _install()
    except Exception as error:
        report.quote(noise.getvalue())
        report.bad(f"the drop-in can't be installed: {type(error).__name__}: {error}")
        return 1
    report.heading(version)

    from .cost import ClientEnded
    from .router import RouterFailed, installed_version
    from .sessions import Refused
    from .talk import Different

    try:
        crossbar = installed_version()
        if crossbar is None:
            report.line()
            for line in MISSING.format(python=sys.executable).splitlines():
                report.line(line)
        elif nodes > 1:
            from .linked import show_links

            show_links(report, nodes)
            return 0
        else:
            _sessions(report, crossbar)
        _sizes(report)
        _rates(report)
        if crossbar is not None:
            _costs(report)
    except RouterFailed as error:
        report.bad(str(error))
        report.line("The end of the router's log:")
        report.quote(error.log)
        return 1
    except BrokenPipeError:
        raise
    except (ClientEnded, Refused, Different, OSError) as error:
        report.bad(str(error))
        return 1
    what = "only codecs, because there is no router" if crossbar is None else "sessions and codecs"
    report.line()
    report.good(PASSED.format(what=what))
    for line in NEXT.splitlines():
        report.line(line)
    report.line()
    return 0


def _install() -> str:
    """Installs the drop-in in this process; returns a line that describes it."""
    from importlib.metadata import version

    import autobahn.asyncio.wamp  # noqa: F401 - asyncio or Twisted must be chosen before Autobahn

    import autobahn_fbs

    autobahn_fbs.install()
    return (
        f"autobahn_fbs {autobahn_fbs.__version__} ({autobahn_fbs.backend}) "
        f"in Autobahn {version('autobahn')}, Python {sys.version.split()[0]}"
    )


def _sessions(report: Report, version: str) -> None:
    from .config import make_site
    from .router import Router

    report.heading(f"The router: Crossbar.io {version}, with the drop-in in its processes")
    report.line("python " + " ".join(Router.COMMAND))
    site = make_site()
    start = time.monotonic()
    with Router(site.auth) as router:
        seconds = time.monotonic() - start
        report.line(
            f"listens after {seconds:.1f} s on 127.0.0.1: WebSocket on port {router.websocket}, "
            f"RawSocket on {router.rawsocket}"
        )
        try:
            asyncio.run(_visit(report, router, site))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            report.line("The end of the router's log:")
            report.quote(router.log_tail())
            raise
    report.line()
    report.line("The router has been stopped and its folder removed.")


async def _visit(report: Report, router: Router, site: Site) -> None:
    await _joins(report, router, site)
    await _refusals(report, router, site)
    await _talks(report, router, site)


async def _joins(report: Report, router: Router, site: Site) -> None:
    from .config import REALM
    from .sessions import Door, join

    report.heading("Joining with every authentication method")
    rows = [("transport", "subprotocol", "authmethod", "authrole", "authid", "session")]
    doors = (
        (Door("websocket", router.websocket), "flatbuffers"),
        (Door("websocket", router.websocket), "flatbuffers.batched"),
        (Door("rawsocket", router.rawsocket), "flatbuffers"),
    )
    for door, serializer in doors:
        for login in site.logins.values():
            peer = await join(door, serializer, login.method, login.options, REALM)
            details = peer.details
            _expect(f"authmethod over {serializer}", login.method, details.authmethod)
            _expect(f"authrole over {serializer}", login.role, details.authrole)
            agreed = (peer.subprotocol, details.authmethod, details.authrole, details.authid)
            rows.append((door.transport, *agreed, str(details.session)))
            await peer.part()
    report.table(rows)


def _expect(what: str, expected: object, negotiated: object) -> None:
    from .talk import Different

    if negotiated != expected:
        raise Different(f"{what}: expected {expected}, negotiated {negotiated}")


async def _refusals(report: Report, router: Router, site: Site) -> None:
    from .config import REALM
    from .sessions import Door, Refused, join
    from .talk import Different

    report.heading("Wrong credentials, although anonymous sessions are allowed")
    door = Door("websocket", router.websocket)
    for login in site.logins.values():
        if login.wrong is None:
            continue
        try:
            peer = await join(door, "flatbuffers", login.method, login.wrong, REALM)
        except Refused as error:
            report.good(f"{login.method} refused: {error.reason} ({error})")
        else:
            await peer.part()
            raise Different(f"a wrong {login.method} was accepted, as {peer.details.authrole}")


async def _talks(report: Report, router: Router, site: Site) -> None:
    from .config import REALM
    from .sessions import Door, join
    from .talk import everything

    websocket, rawsocket = (
        Door("websocket", router.websocket),
        Door("rawsocket", router.rawsocket),
    )

    async def enter(door: Door, serializer: str, method: str, name: str) -> Peer:
        options = site.logins[method].options
        return await join(door, serializer, method, options, REALM, name)

    tina = await enter(websocket, "flatbuffers.batched", "ticket", "tina")
    carl = await enter(rawsocket, "flatbuffers", "wampcra", "carl")
    anna = await enter(websocket, "json", "anonymous", "anna")

    report.heading(f"{_place(tina)} and {_place(carl)}: every message")
    for peer in (tina, carl):
        peer.listener = lambda peer, way, msg: report.message(peer.name, way, msg)
    await everything(tina, carl, report.good)
    tina.listener = carl.listener = None

    for first, second in ((tina, anna), (anna, tina)):
        report.heading(f"{_place(first)} publishes and calls, {_place(second)} answers")
        await everything(first, second, report.good)

    report.line()
    for peer in (tina, carl, anna):
        sent, received = peer.traffic()
        report.line(f"{_place(peer)}: {sent:,} bytes sent, {received:,} received")
        await peer.part()


def _place(peer: Peer) -> str:
    return f"{peer.name} ({peer.subprotocol})"


def _sizes(report: Report) -> None:
    from .rates import sizes
    from .talk import Different

    report.heading("Bytes per message, encoded and decoded again")
    found = sizes()
    rows = [("", *found[0].sizes, "")]
    for size in found:
        numbers = (f"{count:,}" for count in size.sizes.values())
        rows.append((size.message, *numbers, "equal after decoding" if size.equal else "NOT EQUAL"))
    report.table(rows, numbers=1)
    if not all(size.equal for size in found):
        raise Different("a message came back different")


def _rates(report: Report) -> None:
    from .rates import MSGPACK, OURS, ROUNDS, UPSTREAM, rates

    report.heading(f"Messages per second, best of {ROUNDS} alternating rounds, on this machine")
    rows = [("", OURS, UPSTREAM, "times", MSGPACK, "times")]
    for rate in rates():
        rows.append(
            (
                rate.job,
                f"{rate.rates[OURS]:,.0f}",
                f"{rate.rates[UPSTREAM]:,.0f}",
                f"{rate.times(UPSTREAM):.1f}",
                f"{rate.rates[MSGPACK]:,.0f}",
                f"{rate.times(MSGPACK):.1f}",
            )
        )
    report.table(rows, numbers=1)


def _costs(report: Report) -> None:
    from . import cost

    report.heading("Processor time of a small event, in microseconds, and relative to stock")
    if not cost.cpu_seconds([os.getpid()]):
        report.line("This system doesn't show how much processor time the router takes.")
        return
    with cost.running(cost.USUAL) as teams:
        found = cost.measure(teams, cost.SMALL_EVENTS, rounds=4, seconds=0.25)
    stock = found[0].spent
    rows: list[tuple[str, ...]] = [("", "router", "", "client", "")]
    for each in found:
        cells = [
            text
            for who in ("router", "client")
            for text in (f"{each.spent[who]:.0f}", f"{each.spent[who] / stock[who]:.0%}")
        ]
        rows.append((each.contender, *cells))
    report.table(rows, numbers=1)
    report.line(
        "stock: Crossbar.io with Autobahn's msgpack; drop-in: flatbuffers, as run starts it;"
    )
    report.line("accelerated: the same with run --accelerate, and accelerate() in the client.")
