"""``routing``: a router forwards args and kwargs without decoding and encoding them.

Crossbar.io makes an EVENT from a PUBLISH, an INVOCATION from a CALL, and a RESULT or an ERROR from
the callee's answer, with the args and kwargs of the received message. Here, the new message refers
to the received one. If a handler in the router, an event store or another serializer reads args or
kwargs, it gets the list or dict of the received message, which is decoded at that moment. If nobody
has read them, the serializer of this package copies the bytes.

A payload that may be unreadable is decoded where Crossbar.io decodes it, so that errors occur
there. The same applies to a payload that the router validates against its inventory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._backend import NAME
from ..changes import Edit, Late, Lazy
from ..part import Group, Part

_BROKER = "crossbar.router.broker"
_DEALER = "crossbar.router.dealer"


def _unusable() -> str | None:
    return None if NAME == "cpython" else "payloads are passed on undecoded on CPython only"


def _forward() -> Any:
    from ..._backend import native

    return native.forward


def _shown() -> Callable[[Any, Any, Any], tuple[Any, Any]]:
    from ..._backend import native

    is_forwardable = native.is_forwardable

    def shown(router: Any, message: Any, known: Any) -> tuple[Any, Any]:
        """The args and kwargs for the router to validate: none if validation is known to ignore
        them.

        :param known: Crossbar.io's class Router, whose validate() does nothing without an
            inventory.
        """
        validate = getattr(router.validate, "__func__", None)
        if (
            validate is getattr(known, "validate", known)
            and not router._inventory
            and is_forwardable(message)
        ):
            return None, None
        return message.args, message.kwargs

    return shown


_NAMES = {
    "_autobahn_fbs_forward": Lazy(_forward),
    "_autobahn_fbs_shown": Lazy(_shown),
    "_autobahn_fbs_Router": Late("crossbar.router.router", "Router"),
}


def _validated(target: str, message: str, indent: int) -> Edit:
    """The arguments for Router.validate()."""
    line = "\n" + " " * indent
    return Edit(
        target,
        f"{message}.args,{line}{message}.kwargs,{line}validate=",
        f"*_autobahn_fbs_shown(self._router, {message}, _autobahn_fbs_Router),{line}validate=",
        _NAMES,
    )


def _made(target: str, cls: str, first: str, source: str, indent: int) -> Edit:
    """The code that creates a message. `first` are its first arguments, one per line."""
    line = "\n" + " " * indent
    arguments = "".join(f"{line}{each}," for each in first.split())
    return Edit(
        target,
        f"message.{cls}({arguments}{line}args={source}.args,{line}kwargs={source}.kwargs,",
        f"_autobahn_fbs_forward({line}message.{cls},{line}{source},{arguments}",
        _NAMES,
    )


_RELIES = ("crossbar.router.router:Router.validate", "crossbar.router.router:Router.send")

PART = Part(
    "routing",
    "the router forwards payloads without decoding them",
    (
        Group(
            _BROKER,
            (
                _validated(f"{_BROKER}:Broker.processPublish", "publish", 32),
                _made(
                    f"{_BROKER}:Broker.processPublish",
                    "Event",
                    "subscription.id publication",
                    "publish",
                    36,
                ),
            ),
            relies=_RELIES,
            unusable=_unusable,
        ),
        Group(
            _DEALER,
            (
                _validated(f"{_DEALER}:Dealer.processCall", "call", 28),
                _made(
                    f"{_DEALER}:Dealer._call",
                    "Invocation",
                    "invocation_request_id registration.id",
                    "call",
                    16,
                ),
                _validated(f"{_DEALER}:Dealer.processYield", "yield_", 28),
                _made(
                    f"{_DEALER}:Dealer.processYield",
                    "Result",
                    "invocation_request.call.request",
                    "yield_",
                    28,
                ),
                _validated(f"{_DEALER}:Dealer.processInvocationError", "error", 28),
                _made(
                    f"{_DEALER}:Dealer.processInvocationError",
                    "Error",
                    "message.Call.MESSAGE_TYPE invocation_request.call.request error.error",
                    "error",
                    28,
                ),
            ),
            relies=_RELIES,
            unusable=_unusable,
        ),
    ),
)
