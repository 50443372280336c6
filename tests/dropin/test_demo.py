"""``python -m autobahn_fbs demo``: its output, and that it leaves nothing behind."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import autobahn_fbs
from autobahn_fbs._demo import rates, router
from autobahn_fbs._demo.report import Report, details
from autobahn_fbs._demo.samples import SAMPLES

PACKAGES = str(Path(autobahn_fbs.__file__).parent.parent)
NO_CROSSBAR = find_spec("crossbar") is None
needs_crossbar = pytest.mark.skipif(NO_CROSSBAR, reason='needs Crossbar.io: pip install ".[demo]"')

# Hides Crossbar.io from a demo that would find it.
WITHOUT_CROSSBAR = """
import importlib.util
original = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "crossbar" else original(name, *more)
"""


def environ(*paths: Path, folder: Path | None = None) -> dict[str, str]:
    own = [str(path) for path in paths]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*own, PACKAGES])}
    if folder is not None:
        env["TMPDIR"] = str(folder)
    return env


def demo(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "autobahn_fbs", "demo"]
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=115)


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[subprocess.CompletedProcess[str], Path]]:
    """One run of the whole demo, and the folder that it was given for temporary files."""
    folder = tmp_path_factory.mktemp("demo")
    yield demo(environ(folder=folder)), folder


Done = tuple["subprocess.CompletedProcess[str]", Path]


@needs_crossbar
def test_the_demo_succeeds_and_prints_no_complaint(done: Done) -> None:
    result, _ = done
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@needs_crossbar
def test_the_demo_ends_with_a_verdict_and_what_to_do_next(done: Done) -> None:
    verdict, _, rest = done[0].stdout.partition("All passed: sessions and codecs.")
    assert verdict and "python -m autobahn_fbs run crossbar start" in rest


@needs_crossbar
@pytest.mark.parametrize("method", ["anonymous", "ticket", "wampcra", "cryptosign"])
@pytest.mark.parametrize(
    ("transport", "subprotocol"),
    [
        ("websocket", "wamp.2.flatbuffers"),
        ("websocket", "wamp.2.flatbuffers.batched"),
        ("rawsocket", "wamp.2.flatbuffers"),
    ],
)
def test_it_prints_what_each_session_negotiated(
    done: Done, transport: str, subprotocol: str, method: str
) -> None:
    role = "guest" if method == "anonymous" else "member"
    line = rf"^  {transport} +{re.escape(subprotocol)} +{method} +{role} +\S+ +\d+$"
    assert re.search(line, done[0].stdout, re.MULTILINE)


@needs_crossbar
@pytest.mark.parametrize("method", ["ticket", "wampcra", "cryptosign"])
def test_it_shows_that_wrong_credentials_are_refused(done: Done, method: str) -> None:
    assert f"  ok  {method} refused: wamp.error." in done[0].stdout


@needs_crossbar
@pytest.mark.parametrize(
    "line",
    [
        r"tina  -> PUBLISH      topic=com\.example\.weather acknowledge=True args=",
        r"tina  <- PUBLISHED    publication=\d+",
        r"carl  <- EVENT        publication=\d+ args=\['Zürich', 12\.5, None",
        r"tina  <- RESULT       progress=True args=\[2\] kwargs=\{'unit': 's'\}",
        r"tina  <- RESULT       args=\['lift-off'\]",
        r"tina  <- ERROR        error=com\.example\.error\.division args=\[7, 0\] kwargs=\{'hint'",
    ],
)
def test_it_prints_the_messages_in_both_directions(done: Done, line: str) -> None:
    assert re.search(rf"^  {line}", done[0].stdout, re.MULTILINE)


@needs_crossbar
def test_flatbuffers_and_json_sessions_talk_both_ways(done: Done) -> None:
    tina, anna = "tina (wamp.2.flatbuffers.batched)", "anna (wamp.2.json)"
    assert f"{tina} publishes and calls, {anna} answers" in done[0].stdout
    assert f"{anna} publishes and calls, {tina} answers" in done[0].stdout
    assert done[0].stdout.count("ok  error: com.example.error.division with its args") == 3


@needs_crossbar
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs /proc/*/schedstat")
def test_it_ends_with_what_an_event_costs(done: Done) -> None:
    table = done[0].stdout.partition("Processor time of a small event")[2]
    for name in ("stock", "drop-in", "accelerated"):
        assert re.search(rf"^  {name} +\d+ +\d+% +\d+ +\d+%$", table, re.MULTILINE)


@needs_crossbar
def test_it_leaves_no_file_and_no_process_behind(done: Done) -> None:
    result, folder = done
    assert list(folder.iterdir()) == []
    ports = re.search(r"WebSocket on port (\d+), RawSocket on (\d+)", result.stdout)
    assert ports is not None
    assert not any(router._listens(int(port)) for port in ports.groups())


@needs_crossbar
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_its_router(tmp_path: Path, number: int) -> None:
    words = [sys.executable, "-m", "autobahn_fbs", "demo"]
    env = environ(folder=tmp_path)

    def listen() -> None:  # a process that a shell starts in the background ignores interrupts
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=listen
    ) as process:
        assert process.stdout is not None
        ports: list[str] = []
        for line in process.stdout:
            ports = re.findall(r"(?:port|RawSocket on) (\d+)", line)
            if ports:
                break
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 128 + number
    assert "Traceback" not in rest
    assert len(ports) == 2
    assert not any(router._listens(int(port)) for port in ports)
    assert list(tmp_path.iterdir()) == []


@needs_crossbar
def test_a_router_that_does_not_start_is_shown_with_its_log() -> None:
    with (
        pytest.raises(router.RouterFailed) as failure,
        router.Router({"ticket": {"type": "no such type"}}),
    ):
        pass
    assert "ended with status" in str(failure.value)
    assert "invalid type 'no such type'" in failure.value.log


def test_without_the_router_it_says_how_to_install_it_and_shows_the_rest(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_CROSSBAR)
    result = demo(environ(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    assert "Crossbar.io is not installed" in result.stdout
    assert 'pip install "crossbar>=26.10.1"' in result.stdout
    assert result.stdout.count("equal after decoding") == len(SAMPLES)
    assert "Messages per second" in result.stdout
    assert "All passed: only codecs" in result.stdout


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "ROUNDS", 1)
    monkeypatch.setattr(rates, "_ROUND_SECONDS", 0.001)


@pytest.mark.usefixtures("few_rounds")
def test_rates_compare_this_package_with_autobahns_own_classes() -> None:
    with rates._autobahn_as_it_comes():
        kinds = {name: type(each).__module__ for name, each in rates._serializers().items()}
    autobahn_fbs.uninstall()
    assert kinds == {
        rates.OURS: "autobahn_fbs._serializer",
        rates.UPSTREAM: "autobahn.wamp.serializer",
        rates.MSGPACK: "autobahn.wamp.serializer",
    }
    assert [rate.job for rate in rates.rates()] == [
        f"{name} {job}"
        for name in ("EVENT", "CALL")
        for job in ("serialize", "unserialize", "unserialize, read args")
    ]
    autobahn_fbs.uninstall()


def test_every_sample_comes_back_equal() -> None:
    assert all(size.equal for size in rates.sizes())


def test_a_table_sets_words_to_the_left_and_numbers_to_the_right() -> None:
    stream = io.StringIO()
    Report(stream).table([("", "n"), ("one", "1"), ("eleven", "11")], numbers=1)
    assert stream.getvalue().splitlines() == ["           n", "  one      1", "  eleven  11"]


def test_a_message_is_shown_in_one_line_without_absent_parts() -> None:
    assert details(SAMPLES["RESULT"]()) == "progress=True args=[3] kwargs={'unit': 's'}"


def test_the_folder_for_temporary_files_is_that_of_the_system() -> None:
    made = router.Router({})
    assert made.folder.parent == Path(tempfile.gettempdir())
    made._leave()
    assert not made.folder.exists()


@pytest.mark.parametrize("wait", [True, False], ids=["before it is asked", "when it is asked"])
def test_a_client_that_has_ended_is_an_error_with_its_output(wait: bool) -> None:
    from autobahn_fbs._demo.cost import ClientEnded, Contender, Team

    contender = Contender("broken", (), ("--no-such-option",), "flatbuffers")
    with Team(contender, {}, [(1, 1)]) as team:
        if wait:
            team._process.wait(60)
        with pytest.raises(ClientEnded, match=r"(?s)client of broken has ended: .*no-such-option"):
            team.close()


@pytest.mark.parametrize("module", ["sessions", "cost_client"])
def test_clients_wait_for_a_slow_closing_handshake(module: str) -> None:
    """By default, Autobahn waits one second, and then logs that it drops the connection."""
    code = f"""
import asyncio
from argparse import Namespace
from autobahn.asyncio import websocket
from autobahn_fbs._demo import cost_client, cost_loops, sessions
def stop(factory, **options): raise SystemExit(str(options))
websocket.WampWebSocketClientFactory.setProtocolOptions = stop
async def enter():
    peer = sessions.Peer("anna", "demo", sessions.create_authenticator("anonymous"))
    door = Namespace(transport="websocket", host="127.0.0.1", port=1, path="/")
    await sessions.enter(peer, door, "json")
join = cost_client._join(cost_loops.LOOPS["asyncio"](), "websocket", 1, "json", "demo")
asyncio.run(enter() if "{module}" == "sessions" else join)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environ()
    )
    assert re.search(r"'closeHandshakeTimeout': (15|30)\.0", done.stderr), done.stderr
