"""``routing``: what a router passes on is not decoded and encoded again.

Crossbar.io makes an EVENT of a PUBLISH, an INVOCATION of a CALL, and a RESULT or an ERROR of what
the callee answers, with the args and kwargs of the message that came in. Here the new message
refers to that one: who reads its args or kwargs, a handler in the router, an event store, another
serializer, gets the list or the dict that the message that came in gives, decoded then; the
serializer of this package copies the bytes if nobody has read them.

A payload that might not be readable is decoded where it always was, so that what is wrong with it
is found there. So is one that the router validates against its inventory.
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
        """The args and kwargs that a router validates: none if it is known not to look.

        :param known: Crossbar.io's class Router, whose validate() without an inventory does
            nothing.
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
    """What is handed to Router.validate()."""
    line = "\n" + " " * indent
    return Edit(
        target,
        f"{message}.args,{line}{message}.kwargs,{line}validate=",
        f"*_autobahn_fbs_shown(self._router, {message}, _autobahn_fbs_Router),{line}validate=",
        _NAMES,
    )


def _made(target: str, cls: str, first: str, source: str, indent: int) -> Edit:
    """How a message is made. `first` are its first arguments, one a line."""
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
    "the router passes payloads on as they came",
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
