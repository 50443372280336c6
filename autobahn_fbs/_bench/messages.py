"""The measured messages: WAMP messages with payloads of four sizes, in two modes, and control
messages.

The payload's size is the size of args and kwargs in CBOR, whichever serializer is measured.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autobahn.wamp import message, role

MODES = ("normal", "transparent")

_ID = 7_340_032_143_918_221
_SESSION = 5_912_350_218_374_113


def _reading(number: int) -> dict[str, Any]:
    return {
        "id": 40_000 + number,
        "place": f"station {number}",
        "celsius": 20.5 + number,
        "tags": ["roof", "west", None],
        "ok": True,
    }


#: Args and kwargs by size.
PAYLOADS: dict[str, tuple[list[Any] | None, dict[str, Any] | None]] = {
    "empty": (None, None),
    "small": ([21.5, "celsius", 4711], {"sensor": 7, "station": "Zugspitze"}),
    "medium": (
        [1, 2.5, "a sentence of about forty characters.", list(range(8, 2000, 250)), True],
        {f"reading{number}": _reading(number) for number in range(4)},
    ),
    "large": (
        [_reading(number) for number in range(40)],
        {f"station{number}": 1_000 * number for number in range(32)},
    ),
}
SIZES = tuple(PAYLOADS)


def payload_bytes(size: str) -> bytes:
    """Args and kwargs of a size in CBOR, one after the other: b"" for "empty"."""
    import cbor2

    return b"".join(cbor2.dumps(part) for part in PAYLOADS[size] if part is not None)


# The arguments of each class besides its payload, as in messages that pass through a router.
_MAKERS: dict[str, Callable[..., Any]] = {
    "Publish": lambda **payload: message.Publish(
        815, "com.example.weather", acknowledge=True, **payload
    ),
    "Event": lambda **payload: message.Event(
        5_735_816, _ID, publisher=_SESSION, topic="com.example.weather", **payload
    ),
    "Call": lambda **payload: message.Call(
        4711, "com.example.divide", timeout=1000, receive_progress=True, **payload
    ),
    "Invocation": lambda **payload: message.Invocation(
        4711,
        _ID,
        caller=_SESSION,
        caller_authid="carl",
        caller_authrole="member",
        **payload,
    ),
    "Yield": lambda **payload: message.Yield(4711, progress=True, **payload),
    "Result": lambda **payload: message.Result(4711, progress=True, **payload),
    "Error": lambda **payload: message.Error(
        message.Call.MESSAGE_TYPE, 4711, "com.example.error.division", **payload
    ),
}

#: The message classes with a payload, which the targets refer to.
TYPES = tuple(_MAKERS)


@dataclass(frozen=True)
class Scenario:
    """A message to measure.

    `make` returns a new message each time; `size` is one of SIZES, or a number of bytes for an
    opaque payload, or "" for control messages, whose mode is "control".
    """

    type: str
    size: str
    mode: str
    make: Callable[[], Any]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the message's WAMP attributes: the parameters of its constructor."""
        return attribute_names(type(self.make()))


def attribute_names(cls: type) -> tuple[str, ...]:
    """The names of a message class's WAMP attributes."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return tuple(name for name in parameters if name not in ("self", "from_fbs"))


def scenario(type_name: str, size: str, mode: str = "normal") -> Scenario:
    """A message of a class with a payload of one of SIZES."""
    if mode == "transparent":
        return opaque(type_name, payload_bytes(size), size)
    return with_args(type_name, *PAYLOADS[size], size)


def with_args(
    type_name: str,
    args: list[Any] | None,
    kwargs: dict[str, Any] | None = None,
    size: str = "",
) -> Scenario:
    """A message of a class with any args and kwargs."""
    maker = _MAKERS[type_name]
    return Scenario(type_name, size, "normal", lambda: maker(args=args, kwargs=kwargs))


def scenarios(mode: str) -> list[Scenario]:
    """Every class in every size of a mode. Autobahn doesn't support an empty transparent
    payload."""
    sizes = [size for size in SIZES if mode == "normal" or size != "empty"]
    return [scenario(name, size, mode) for size in sizes for name in TYPES]


def opaque(type_name: str, payload: bytes, size: str) -> Scenario:
    """A message whose payload is bytes that the router does not read."""
    maker = _MAKERS[type_name]

    def make() -> Any:
        return maker(payload=payload, enc_algo="cryptobox", enc_serializer="cbor")

    return Scenario(type_name, size, "transparent", make)


def _roles() -> dict[str, Any]:
    return {
        "caller": role.RoleCallerFeatures(
            progressive_call_results=True, caller_identification=True
        ),
        "callee": role.RoleCalleeFeatures(progressive_call_results=True, call_canceling=True),
        "publisher": role.RolePublisherFeatures(publisher_identification=True),
        "subscriber": role.RoleSubscriberFeatures(pattern_based_subscription=True),
    }


def _router_roles() -> dict[str, Any]:
    return {
        "broker": role.RoleBrokerFeatures(
            publisher_identification=True, pattern_based_subscription=True
        ),
        "dealer": role.RoleDealerFeatures(
            caller_identification=True, progressive_call_results=True
        ),
    }


def _hello() -> Any:
    return message.Hello("realm1", _roles(), authmethods=["ticket", "anonymous"], authid="carl")


def _welcome() -> Any:
    return message.Welcome(
        _SESSION,
        _router_roles(),
        realm="realm1",
        authid="carl",
        authrole="member",
        authmethod="ticket",
        authprovider="static",
    )


_CONTROL: dict[str, Callable[[], Any]] = {
    "Hello": _hello,
    "Welcome": _welcome,
    "Abort": lambda: message.Abort("wamp.error.no_such_realm", "there is no such realm"),
    "Challenge": lambda: message.Challenge("ticket"),
    "Authenticate": lambda: message.Authenticate("a ticket that nobody knows"),
    "Goodbye": lambda: message.Goodbye("wamp.close.normal", "bye"),
    "Published": lambda: message.Published(815, _ID),
    "Subscribe": lambda: message.Subscribe(816, "com.example.weather"),
    "Subscribed": lambda: message.Subscribed(816, 5_735_816),
    "Unsubscribe": lambda: message.Unsubscribe(817, 5_735_816),
    "Unsubscribed": lambda: message.Unsubscribed(817),
    "EventReceived": lambda: message.EventReceived(_ID),
    "Cancel": lambda: message.Cancel(4711, mode="kill"),
    "Register": lambda: message.Register(818, "com.example.divide"),
    "Registered": lambda: message.Registered(818, _ID),
    "Unregister": lambda: message.Unregister(819, _ID),
    "Unregistered": lambda: message.Unregistered(819),
    "Interrupt": lambda: message.Interrupt(4711, mode="kill"),
}


def control_scenarios() -> list[Scenario]:
    """One of each message without a payload."""
    return [Scenario(name, "", "control", make) for name, make in _CONTROL.items()]
