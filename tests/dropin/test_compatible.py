"""An Autobahn that this package doesn't know is refused, and the text lists the differences.

Each test runs in a fresh interpreter and changes Autobahn there before the package looks at it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.programs import run_python

Refused = Callable[..., str]

LOAD = "autobahn_fbs.FlatBuffersObjectSerializer()"
INSTALL = "autobahn_fbs.install()"

#: Defines a class of Autobahn's again, with other slots.
REMAKE = """
def remake(module, name, add=(), remove=()):
    old = getattr(module, name)
    body = {k: v for k, v in vars(old).items() if k not in (*old.__slots__, "__slots__")}
    body["__slots__"] = tuple(s for s in old.__slots__ if s not in remove) + tuple(add)
    setattr(module, name, type(old)(name, old.__bases__, body))
"""

#: Autobahn's own serializers, which need the class, are there already.
WITHOUT_EVENT_RECEIVED = "import autobahn.wamp.serializer; del message.EventReceived"


@pytest.fixture(params=[LOAD, INSTALL], ids=["load", "install"])
def refused(request: pytest.FixtureRequest) -> Refused:
    """The text of the exception when the given code changes Autobahn."""
    return lambda change: refusal(change, request.param)


def refusal(change: str, act: str) -> str:
    program = f"""
import txaio; txaio.use_asyncio()
from autobahn.wamp import message, role
{REMAKE}
{change}
import autobahn_fbs
from autobahn_fbs._compatible import IncompatibleAutobahn
try:
    {act}
except IncompatibleAutobahn as error:
    print(error)
else:
    print("it was not refused")
"""
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_autobahn_that_is_installed_is_not_refused(refused: Refused) -> None:
    assert refused("") == "it was not refused\n"


def test_a_missing_slot_is_named(refused: Refused) -> None:
    text = refused("remake(message, 'Event', remove=['_topic'])")
    assert "autobahn_fbs doesn't know Autobahn" in text
    assert "topic" in text and "Event" in text


def test_a_new_slot_is_named(refused: Refused) -> None:
    """Its value would be lost on the wire."""
    text = refused("remake(message, 'Event', add=['_colour'])")
    assert "Event has an unknown slot _colour" in text


def test_all_differences_are_named_at_once(refused: Refused) -> None:
    text = refused("remake(message, 'Call', add=['_x']); remake(message, 'Yield', add=['_y'])")
    assert "Call has an unknown slot _x; Yield has an unknown slot _y" in text


def test_a_missing_property_is_named(refused: Refused) -> None:
    text = refused("del message.Event.topic")
    assert "topic" in text


def test_a_property_that_is_no_longer_a_property_is_named(refused: Refused) -> None:
    assert "topic" in refused("message.Event.topic = lambda self: 'x'")


def test_a_missing_class_is_named(refused: Refused) -> None:
    assert "EventReceived" in refused(WITHOUT_EVENT_RECEIVED)


def test_a_new_message_is_named(refused: Refused) -> None:
    text = refused("class Hug(message.Message):\n    MESSAGE_TYPE = 99\nmessage.Hug = Hug")
    assert "there is an unknown message Hug" in text


def test_instances_with_a_dict_are_refused(refused: Refused) -> None:
    assert "Event" in refused("remake(message, 'Event', add=['__dict__'])")


def test_the_version_of_autobahn_is_in_the_text() -> None:
    from importlib.metadata import version

    text = refusal(WITHOUT_EVENT_RECEIVED, LOAD)
    assert text.startswith(f"autobahn_fbs doesn't know Autobahn {version('autobahn')}")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("del s.SERID_TO_SER", "has no dict SERID_TO_SER"),
        ("del s.SERID_TO_OBJSER['flatbuffers']", "SERID_TO_OBJSER has no entry flatbuffers"),
        ("del s.FlatBuffersSerializer", "has no class FlatBuffersSerializer"),
        ("del s.Serializer.MESSAGE_TYPE_MAP[36]", "MESSAGE_TYPE_MAP has no Event for 36"),
        ("s.Serializer.MESSAGE_TYPE_MAP[99] = type('Hug', (), {})", "unknown message Hug for 99"),
        ("del s.Serializer.stats_rated_messages", "Serializer has no method stats_rated_messages"),
    ],
)
def test_registries_that_differ_are_named_by_install(change: str, difference: str) -> None:
    # The package's own classes were made by then, as in any program that loads it first.
    text = refusal(
        f"import autobahn_fbs._serializer\nfrom autobahn.wamp import serializer as s\n{change}",
        INSTALL,
    )
    assert difference in text


def test_a_new_feature_of_a_role_is_named() -> None:
    change = """
class New(role.RoleCallerFeatures):
    def __init__(self, teleporting=None, **kwargs):
        super().__init__(**kwargs)
        self.teleporting = teleporting
role.RoleCallerFeatures = role.ROLE_NAME_TO_CLASS["caller"] = New
"""
    assert "teleporting" in refusal(change, INSTALL)


def test_nothing_is_changed_when_install_refuses() -> None:
    change = """
import autobahn_fbs._serializer
from autobahn.wamp import serializer as s
before = s.FlatBuffersSerializer, s.SERID_TO_SER["flatbuffers"], message.Message.serialize
s.SERID_TO_OBJSER.pop("flatbuffers")
"""
    after = "s.FlatBuffersSerializer, s.SERID_TO_SER['flatbuffers'], message.Message.serialize"
    act = f"""try:
        autobahn_fbs.install()
    finally:
        assert before == ({after})"""
    assert "SERID_TO_OBJSER" in refusal(change, act)


def test_the_launcher_reports_it_and_starts_nothing() -> None:
    program = (
        "from autobahn.wamp import message\ndel message.EventReceived\n"
        "import sys; from autobahn_fbs.__main__ import main\n"
        "sys.exit(main(['run', '-c', 'print(1)']))"
    )
    done = run_python("-c", program)
    assert (done.returncode, done.stdout) == (70, "")
    assert "EventReceived" in done.stderr
