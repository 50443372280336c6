"""``messages``: instances of Autobahn's message classes are created in C.

A class whose calls go through C keeps Autobahn's constructor. The constructor is called if an
argument doesn't have exactly the type that is stored unchanged: see csrc/cpython/accelerate.
"""

from __future__ import annotations

import sysconfig
from typing import Any

from ..._backend import NAME
from ..changes import Switch
from ..part import Group, Part

_MODULE = "autobahn.wamp.message"

_CLASSES = (
    *("Hello", "Welcome", "Abort", "Challenge", "Authenticate", "Goodbye", "Error"),
    *("Publish", "Published", "Subscribe", "Subscribed", "Unsubscribe", "Unsubscribed"),
    *("Event", "EventReceived", "Call", "Cancel", "Result", "Register", "Registered"),
    *("Unregister", "Unregistered", "Invocation", "Interrupt", "Yield"),
)


def _unusable() -> str | None:
    if NAME != "cpython":
        return "messages are made in C on CPython only"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "messages are made in C only where Python has its lock"
    return None


def _on(cls: Any) -> None:
    from ..._backend import native

    native.construct_in_c(cls)


def _off(cls: Any) -> None:
    from ..._backend import native

    native.construct_in_python(cls)


PART = Part(
    "messages",
    "message objects are created in C",
    (
        Group(
            _MODULE,
            tuple(Switch(f"{_MODULE}:{name}.__init__", _on, _off) for name in _CLASSES),
            relies=(
                f"{_MODULE}:Message.__init__",
                f"{_MODULE}:MessageWithAppPayload._init_app_payload",
                f"{_MODULE}:MessageWithForwardFor._init_forward_for",
                f"{_MODULE}:_validate_kwargs",
            ),
            unusable=_unusable,
        ),
    ),
)
