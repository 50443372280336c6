"""Whether and how the drop-in is active in this process."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from . import __version__, _backend


class Installed(NamedTuple):
    """The active features in this process; see :func:`autobahn_fbs.installed`."""

    #: The version of this package.
    version: str
    #: The active binding of the C core: ``"cpython"`` or ``"cffi"``.
    backend: str
    #: The parts that :func:`autobahn_fbs.accelerate` has switched on, in the order of ``info``.
    accelerated: tuple[str, ...]

    def __str__(self) -> str:
        parts = " ".join(self.accelerated) or "nothing"
        return f"version {self.version}, backend {self.backend}, accelerated: {parts}"


def installed() -> Installed | None:
    """Returns what is active in this process. None if :func:`autobahn_fbs.install` was not called
    or was undone.

    A session that joined before :func:`autobahn_fbs.install` keeps its serializer;
    :func:`autobahn_fbs.is_active` tells whether a session uses this package.

    :func:`autobahn_fbs.install` logs the same once, with level INFO, to the `logging` logger
    ``autobahn_fbs.install``. For a Crossbar.io node that ``python -m autobahn_fbs run`` started,
    the node's log has it for each process.
    """
    install = sys.modules.get("autobahn_fbs._install")
    return current() if install is not None and install.is_installed() else None


def is_active(session: Any) -> bool:
    """Returns whether a session's messages are serialized by this package. False before the session
    has connected and after it has disconnected.

    :param session: an ``autobahn.wamp.protocol.ApplicationSession``, or the transport of one.
    :raises TypeError: it is neither.
    """
    if not hasattr(session, "_transport") and not hasattr(session, "transport_details"):
        raise TypeError(f"expected a session or its transport, got {type(session).__name__}")
    transport = session._transport if hasattr(session, "_transport") else session
    # Between its handshakes, a transport may have no serializer, or None.
    serializers = sys.modules.get("autobahn_fbs._serializer")
    return serializers is not None and isinstance(
        getattr(transport, "_serializer", None), serializers.FlatBuffersSerializer
    )


def current() -> Installed:
    """The same, whether or not it is installed."""
    # If it has not been imported, it has accelerated nothing.
    accelerate = sys.modules.get("autobahn_fbs._accelerate")
    parts = accelerate.accelerated() if accelerate is not None else ()
    return Installed(__version__, _backend.NAME, parts)
