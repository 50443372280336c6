"""dump, verify and info, run from a shell."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autobahn.wamp import message as m

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._cli import sources
from autobahn_fbs._cli.dump import as_json
from autobahn_fbs._cli.layout import places
from autobahn_fbs._cli.messages import Message, look
from autobahn_fbs._cli.parser import program_name
from autobahn_fbs._cli.terminal import plain, safe, to_json, wants_color
from support.compare import attribute_names
from support.samples import every_sample

PACKAGES = str(Path(autobahn_fbs.__file__).parent.parent)
OBJSER = FlatBuffersObjectSerializer()
EVENT = OBJSER.serialize(
    m.Event(1, 2, args=[21.5, b"\0"], kwargs={"a": 7}, topic="com.example", publisher=3)
)
WELCOME = OBJSER.serialize(m.Published(3, 4))
#: 0xff where the topic has its third letter.
BAD = EVENT.replace(b"com.example", b"co\xff.example")

Verb = Callable[..., "subprocess.CompletedProcess[Any]"]


def framed(*messages: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in messages)


@pytest.fixture
def cli(tmp_path: Path) -> Verb:
    """Runs a verb in a folder of its own with some files."""
    files = {"event": EVENT, "bad": BAD, "batch": framed(EVENT, WELCOME), "text": b"Hello, world!"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    def run(*words: str, stdin: bytes = b"", **variables: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "autobahn_fbs", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": PACKAGES, "PYTHONIOENCODING": "utf-8", **variables},
            input=stdin,
            capture_output=True,
            timeout=60,
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in done.stderr
        return done

    return run


def lines(done: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


# dump


#: What dump prints of EVENT.
SHOWN = """\
EVENT [36]  136 bytes at offset 0, payload in cbor
  subscription            @88 +8       1
  publication             @80 +8       2
  publisher               @64 +8       3
  topic                   @100 +11     "com.example"
  args                    @124 +12     [21.5, {"$bytes": "00"}]
  kwargs                  @116 +4      {"a": 7}
"""


def test_dump_shows_type_size_codec_and_every_attribute(cli: Verb) -> None:
    done = cli("dump", "event")
    assert (done.stdout, done.stderr, done.returncode) == (SHOWN, "", 0)


def test_dump_shows_where_the_bytes_of_a_field_are(cli: Verb) -> None:
    [found] = lines(cli("dump", "--json", "event"))
    topic = next(field for field in found["fields"] if field["name"] == "topic")
    start = topic["offset"]
    assert EVENT[start : start + topic["size"]] == b"com.example"


def test_offsets_in_a_batch_count_from_its_beginning(cli: Verb) -> None:
    first, second = lines(cli("dump", "--json", "batch"))
    assert (first["offset"], second["offset"]) == (4, 8 + len(EVENT))
    topic = next(field for field in first["fields"] if field["name"] == "topic")
    assert topic["offset"] == EVENT.index(b"com.example") + 4


def test_dump_as_json_has_one_line_for_each_message(cli: Verb) -> None:
    found = lines(cli("dump", "--json", "event", "batch"))
    assert [(each["file"], each["index"], each["type"]) for each in found] == [
        ("event", 0, "EVENT"),
        ("batch", 0, "EVENT"),
        ("batch", 1, "PUBLISHED"),
    ]
    assert found[0]["attributes"]["args"] == [21.5, {"$bytes": "00"}]


def test_dump_names_the_codec_of_the_payload(cli: Verb) -> None:
    for codec in ("json", "flexbuffers"):
        data = FlatBuffersObjectSerializer(payload_serializer=codec).serialize(
            m.Event(1, 2, args=[codec])
        )
        [found] = lines(cli("dump", "--json", stdin=data))
        assert (found["codec"], found["attributes"]["args"]) == (codec, [codec])


def test_dump_continues_after_an_invalid_message(cli: Verb) -> None:
    done = cli("dump", "--json", "bad", "event")
    assert [each["ok"] for each in lines(done)] == [False, True]
    assert done.returncode == 1


def test_a_payload_that_cannot_be_decoded_is_an_error_next_to_the_rest(cli: Verb) -> None:
    data = EVENT.replace(b"\xa1\x61a\x07", b"\xa1\x61a\xff")
    done = cli("dump", "--json", stdin=data)
    [found] = lines(done)
    assert found["attributes"]["subscription"] == 1 and "kwargs" not in found["attributes"]
    assert found["errors"][0]["where"] == "EVENT.kwargs"
    assert done.returncode == 1


def test_long_values_are_cut_unless_full_is_given(cli: Verb) -> None:
    data = OBJSER.serialize(m.Event(1, 2, args=["x" * 1000]))
    assert "--full shows all" in cli("dump", stdin=data).stdout
    assert "x" * 1000 in cli("dump", "--full", stdin=data).stdout


def test_every_attribute_of_every_message_is_shown() -> None:
    for message in every_sample():
        data = OBJSER.serialize(message)
        found = look(sources.Frame(0, data), OBJSER)
        assert isinstance(found, Message) and not found.wrong
        [back] = OBJSER.unserialize(data)
        names = attribute_names(type(message))
        expected = {name: getattr(back, name) for name in names}
        shown = {name: found.attributes.get(name) for name in names}
        assert shown == {k: None if (k, v) == ("custom", {}) else v for k, v in expected.items()}
        json.loads(to_json(as_json(found)))


@pytest.mark.parametrize("dialect", ["autobahn", "schema"])
def test_every_place_is_within_its_message(dialect: str) -> None:
    serializer = FlatBuffersObjectSerializer(dialect=dialect)
    for message in every_sample():
        data = serializer.serialize(message)
        for place in places(data, type(message).__name__):
            assert 4 <= place.offset <= len(data) - (place.size or 0), place


# verify


def test_verify_says_ok_and_ends_with_status_0(cli: Verb) -> None:
    done = cli("verify", "event", "batch")
    assert done.stdout == (
        f"event: ok (EVENT, {len(EVENT)} bytes)\n"
        f"batch: ok (2 messages, {len(EVENT) + len(WELCOME)} bytes)\n"
    )
    assert done.returncode == 0


def test_verify_names_field_and_offset_of_a_fault(cli: Verb) -> None:
    done = cli("verify", "bad")
    topic = BAD.index(b"co\xff.")
    place, _, reason = done.stdout.partition(" ")
    assert place == f"bad:{place.split(':')[1]}:"
    assert abs(int(place.split(":")[1]) - topic) <= 4
    assert reason == "EVENT.topic: string is not valid UTF-8\n"
    assert done.returncode == 1


def test_one_invalid_file_of_several_gives_status_1(cli: Verb) -> None:
    done = cli("verify", "--json", "event", "bad", "batch")
    assert [each["ok"] for each in lines(done)] == [True, False, True]
    assert done.returncode == 1


def test_verify_reads_payloads_too(cli: Verb) -> None:
    done = cli("verify", stdin=EVENT.replace(b"\xa1\x61a\x07", b"\xa1\x61a\xff"))
    assert "EVENT.kwargs: payload can't be decoded" in done.stdout
    assert done.returncode == 1


def test_the_place_of_a_bad_payload_is_not_the_place_that_its_codec_names(cli: Verb) -> None:
    flex = FlatBuffersObjectSerializer(payload_serializer="flexbuffers")
    data = flex.serialize(m.Event(1, 2, args=["hello"])).replace(b"hello", b"he\xffo!")
    [found] = lines(cli("dump", "--json", stdin=data))
    [args] = [field for field in found["fields"] if field["name"] == "args"]
    [error] = found["errors"]
    assert error["offset"] == args["offset"]
    assert error["reason"].endswith("text is not valid UTF-8, at offset 1")


def test_quiet_prints_nothing(cli: Verb) -> None:
    done = cli("verify", "-q", "bad")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 1)


def test_an_empty_file_is_invalid(cli: Verb) -> None:
    done = cli("verify", stdin=b"")
    assert done.returncode == 1
    assert "shorter than the smallest message" in done.stdout


def test_bytes_that_are_not_a_message_are_invalid(cli: Verb) -> None:
    done = cli("verify", "--encoding", "binary", "text")
    assert done.returncode == 1


# info


def test_info_describes_this_process(cli: Verb) -> None:
    [found] = lines(cli("info", "--json"))
    assert found["autobahn_fbs"] == autobahn_fbs.__version__
    assert found["backend"] == autobahn_fbs.backend
    assert found["packages"]["autobahn"]
    assert found["limits"] == autobahn_fbs.Limits()._asdict()
    assert found["gil_enabled"] is getattr(sys, "_is_gil_enabled", lambda: True)()


def test_info_is_readable(cli: Verb) -> None:
    text = cli("info").stdout
    for word in ("backend", "compiler", "free_threaded_build", "max_tables"):
        assert word in text


# Shells


def test_a_missing_file_is_reported_without_a_traceback(cli: Verb) -> None:
    for verb in ("dump", "verify"):
        done = cli(verb, "nowhere")
        assert (done.stderr, done.returncode) == ("nowhere: No such file or directory\n", 1)


def test_a_folder_is_not_read(cli: Verb) -> None:
    assert cli("verify", ".").returncode == 1


@pytest.mark.parametrize("words", [["dump", "--framing", "x"], ["verify", "--no-such"]])
def test_an_invalid_option_gives_status_2(cli: Verb, words: list[str]) -> None:
    assert cli(*words).returncode == 2


def test_without_a_verb_help_is_printed(cli: Verb) -> None:
    done = cli()
    assert (done.returncode, done.stderr) == (0, "")
    assert all(verb in done.stdout for verb in ("demo", "bench", "dump", "verify", "info", "run"))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["dmup", "event"], "did you mean dump?"),
        (["verify", "--quite"], "did you mean --quiet?"),
        (["run", "--allowrawsocket", "--", "true"], "did you mean --allow-rawsocket?"),
        (["--versoin"], "did you mean --version?"),
    ],
)
def test_a_misspelled_word_gets_the_most_similar_one_as_a_suggestion(
    cli: Verb, words: list[str], meant: str
) -> None:
    done = cli(*words)
    assert done.returncode == 2
    assert meant in done.stderr


def test_a_word_without_a_similar_one_gets_no_suggestion(cli: Verb) -> None:
    done = cli("xyzzy")
    assert done.returncode == 2
    assert "unknown verb 'xyzzy'" in done.stderr and "did you mean" not in done.stderr


def test_the_script_calls_itself_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/autobahn-fbs"])
    assert program_name() == "autobahn-fbs"
    monkeypatch.setattr(sys, "argv", ["/somewhere/autobahn_fbs/__main__.py"])
    assert program_name() == "python -m autobahn_fbs"


def test_dump_names_the_file_of_a_fault_as_verify_does(cli: Verb) -> None:
    [fault] = cli("dump", "bad").stdout.splitlines()
    assert cli("verify", "bad").stdout.splitlines() == [fault]
    assert fault.startswith("bad:")


@pytest.mark.parametrize("verb", ["dump", "verify", "catalog", "info"])
def test_help_has_an_example(cli: Verb, verb: str) -> None:
    done = cli(verb, "--help")
    assert done.returncode == 0 and f"python -m autobahn_fbs {verb}" in done.stdout


@pytest.mark.parametrize("verb", ["dump", "verify"])
def test_help_has_a_line_for_each_framing_and_for_the_exit_status(cli: Verb, verb: str) -> None:
    lines = cli(verb, "--help").stdout.splitlines()
    for begin in ("  message  ", "  batched  ", "  rawsocket  ", "  auto  ", "Exit status: "):
        assert sum(line.startswith(begin) for line in lines) == 1, begin


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_it_ends_quietly_when_the_reader_of_its_output_ends(tmp_path: Path) -> None:
    (tmp_path / "many").write_bytes(framed(*[EVENT] * 5000))
    program = subprocess.Popen(
        [sys.executable, "-m", "autobahn_fbs", "dump", str(tmp_path / "many")],
        env={**os.environ, "PYTHONPATH": PACKAGES},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None and program.stderr is not None
    program.stdout.readline()
    program.stdout.close()
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait(60) == 141


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes streams")
@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_causes_no_traceback(cli: Verb, tmp_path: Path, closed: int) -> None:
    command = [sys.executable, "-m", "autobahn_fbs"]
    for words, status in (
        (["dump", "event"], 0),
        (["verify", "bad"], 1),
        (["info"], 0),
        (["verify", "-"], 1),
        (["verify", "missing"], 1),
    ):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}>&-', "-", *command, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": PACKAGES},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = done.stdout + done.stderr
        assert (done.returncode, "Traceback" in said) == (status, False), (words, said)
        if not closed and "-" in words:
            assert done.stderr == "-: standard input is closed\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs the module resource")
def test_verify_keeps_no_message_of_a_large_file(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(framed(EVENT) * 40_000)
    program = (
        "import resource, sys; from autobahn_fbs.__main__ import main\n"
        "main(['verify', sys.argv[1]])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "main(['verify', sys.argv[2]])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    (tmp_path / "event").write_bytes(EVENT)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "event", tmp_path / "capture"],
        env={**os.environ, "PYTHONPATH": PACKAGES},
        capture_output=True,
        text=True,
        timeout=60,
    )
    kilobytes = int(done.stdout.splitlines()[-1])
    assert kilobytes < 25_000, done.stdout  # the file, and its frames; messages would be 40 MB more


def test_nothing_from_a_peer_reaches_the_terminal_as_a_command(cli: Verb) -> None:
    text = "\x1b]0;owned\x07\x9b31m\u202e"
    data = OBJSER.serialize(m.Event(1, 2, args=[text], kwargs={text: 1}))
    shown = cli("dump", stdin=data).stdout
    assert all(c == "\n" or c.isprintable() for c in shown)
    assert "owned" in shown


def test_colours_are_used_on_terminals_and_on_request(cli: Verb) -> None:
    assert "\x1b[" not in cli("dump", "event").stdout
    assert "\x1b[" in cli("dump", "--color=always", "event").stdout
    assert "\x1b[" not in cli("dump", "--color=never", "event").stdout


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_color("auto")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color("auto")


def test_output_that_cannot_be_encoded_is_escaped(cli: Verb) -> None:
    data = OBJSER.serialize(m.Event(1, 2, args=["\u00e4"]))
    assert "\\xe4" in cli("dump", stdin=data, PYTHONIOENCODING="ascii").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize(
    "command",
    [
        "python -m autobahn_fbs dump message.bin",
        "python -m autobahn_fbs dump --json capture.bin | grep EVENT",
        "xxd -p message.bin | python -m autobahn_fbs dump",
        "python -m autobahn_fbs verify message.bin capture.bin",
        "python -m autobahn_fbs verify -q - < message.bin && echo good",
        "python -m autobahn_fbs info",
    ],
)
def test_the_commands_of_the_page_work(tmp_path: Path, command: str) -> None:
    if "xxd" in command and not shutil.which("xxd"):
        pytest.skip("NOT TESTED: xxd is not installed")
    (tmp_path / "message.bin").write_bytes(EVENT)
    (tmp_path / "capture.bin").write_bytes(framed(EVENT, WELCOME))
    python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": PACKAGES, "PATH": python},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


# Sources


@pytest.mark.parametrize(
    "text",
    [EVENT.hex().encode(), EVENT.hex(" ").upper().encode() + b"\n", base64.encodebytes(EVENT)],
    ids=["hex", "spaced hex", "base64"],
)
def test_text_is_recognized(text: bytes) -> None:
    assert sources.decode(text, "auto") == EVENT


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_invalid_text_is_an_error(encoding: str) -> None:
    with pytest.raises(sources.CannotRead, match=f"not {encoding}"):
        sources.decode(b"\xff\xff", encoding)


def messages_in(data: bytes, framing: str = "auto") -> list[bytes]:
    found = list(sources.frames(data, framing))
    assert all(isinstance(each, sources.Frame) for each in found)
    return [each.data for each in found if isinstance(each, sources.Frame)]


def test_one_message_and_a_batch_are_distinguished() -> None:
    assert messages_in(EVENT) == [EVENT]
    assert messages_in(framed(EVENT)) == [EVENT]
    assert messages_in(framed(EVENT, WELCOME)) == [EVENT, WELCOME]


def test_a_rawsocket_capture_may_have_a_handshake_and_pings() -> None:
    ping = b"\x01\0\0\x02hi" + b"\x02\0\0\0"
    assert messages_in(b"\x7f\xf5\0\0" + framed(EVENT) + ping + framed(WELCOME)) == [EVENT, WELCOME]
    assert messages_in(framed(EVENT) + ping) == [EVENT]


@pytest.mark.parametrize("framing", ["batched", "rawsocket"])
def test_wrong_lengths_have_a_position(framing: str) -> None:
    good = framed(EVENT)
    for data, reason in (
        (good + b"\0\0", "the input ends within a length"),
        (good + b"\0\0\0\0", "empty message"),
        (good + b"\0\0\0\x09abc", "message of 9 bytes, of which 3 are present"),
    ):
        *_, fault = sources.frames(data, framing)
        assert fault == sources.Fault(len(good), reason)


# The output


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {(1, 2): b"x"}, {3, 4}])
def test_everything_can_be_shown_as_json(value: object) -> None:
    json.loads(to_json(value))


def test_deep_nesting_is_shown_to_a_limit() -> None:
    value: Any = []
    for _ in range(900):
        value = [value]
    assert "nested deeper" in to_json(value)


def test_bytes_are_distinguished_from_text() -> None:
    assert plain([b"\x01", "\x01"]) == [{"$bytes": "01"}, "\x01"]


def test_plain_text_is_unchanged() -> None:
    assert safe("grüße, 世界") == "grüße, 世界"
