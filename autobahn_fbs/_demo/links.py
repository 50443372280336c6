"""Routers that are all linked to each other: node 2 connects to node 1, node 3 to both.

Crossbar.io doesn't forward anything twice, so a row wouldn't work. The links name no serializer,
because Crossbar.io has no option for it. ``run --prefer`` makes them use FlatBuffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from .config import REALM, Site
from .router import HOST, Router

#: The role of links at the node that they connect to.
LINK_ROLE = "rlink"


def write_node_key(folder: Path) -> str:
    """Creates a key for the node in `folder`, as Crossbar.io would at its first start.

    :return: the public key, in hexadecimal, for other nodes to admit.
    """
    import secrets

    from autobahn.wamp.cryptosign import CryptosignKey

    secret = secrets.token_bytes(32)
    public = str(CryptosignKey.from_bytes(secret).public_key())
    lines = [
        "Crossbar.io node private key",
        "",
        "creator: autobahn_fbs",
        "created-at: 2026-01-01T00:00:00.000Z",
        "machine-id: any",
        f"public-key-ed25519: {public}",
        f"private-key-ed25519: {secret.hex()}",
    ]
    (folder / "key.priv").write_text("\n".join(lines) + "\n")
    (folder / "key.pub").unlink(missing_ok=True)
    return public


class LinkedRouter(Router):
    """A router that admits other nodes, and is linked to earlier ones.

    :param site: the logins, apart from nodes.
    :param before: the nodes to connect to; they must already have been started.
    """

    COMMAND = (*Router.COMMAND[:3], "--prefer", *Router.COMMAND[3:])

    def __init__(self, site: Site, before: Sequence[LinkedRouter] = (), **more: Any) -> None:
        super().__init__(site.auth, **more)
        self._before = before
        #: The node's name at the others, and its public key.
        self.name = f"node{len(before) + 1}"
        self.key = write_node_key(self.folder)
        self._admitted: dict[str, str] = {}

    def admit(self, node: LinkedRouter) -> None:
        """Lets this node connect. Call it before this one is started."""
        self._admitted[node.name] = node.key

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        worker = config["workers"][0]
        realm, websocket = worker["realms"][0], worker["transports"][0]
        realm["id"] = "realm001"
        everything = realm["roles"][0]["permissions"]
        realm["roles"].append({"name": LINK_ROLE, "permissions": everything})
        principals = {
            name: {"realm": REALM, "role": LINK_ROLE, "authorized_keys": [key]}
            for name, key in self._admitted.items()
        }
        signed = self._auth["cryptosign"]
        signed = {**signed, "principals": {**signed["principals"], **principals}}
        websocket["auth"] = {**self._auth, "cryptosign": signed}
        realm["rlinks"] = [self._link(node) for node in self._before]
        return config

    def _link(self, node: LinkedRouter) -> dict[str, Any]:
        endpoint = {"type": "tcp", "host": HOST, "port": node.websocket}
        url = f"ws://{HOST}:{node.websocket}/"
        return {
            "id": f"link_{node.name}",
            "realm": REALM,
            "authid": self.name,
            "transport": {"type": "websocket", "url": url, "endpoint": endpoint},
        }


class LinkedRouters:
    """Several linked routers. A context manager: they are linked inside, and stopped at the end.

    :param site: the logins at each router.
    :param kind: a subclass of :class:`LinkedRouter`, which may be started in another way.
    :raises RouterFailed: from ``with``: one of them did not start.
    """

    def __init__(self, site: Site, count: int, kind: type[LinkedRouter] = LinkedRouter) -> None:
        self.routers: list[LinkedRouter] = []
        for _ in range(count):
            router = kind(site, tuple(self.routers))
            for before in self.routers:
                before.admit(router)
            self.routers.append(router)
        self._stack = ExitStack()

    def __enter__(self) -> list[LinkedRouter]:
        with ExitStack() as stack:
            for router in self.routers:
                stack.enter_context(router)
            self._stack = stack.pop_all()
        return self.routers

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)
