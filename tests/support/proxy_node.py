"""A Crossbar.io node with a proxy worker in front of its router worker."""

from __future__ import annotations

from typing import Any

from autobahn.wamp.cryptosign import CryptosignKey

from autobahn_fbs._demo.config import REALM, node_config
from autobahn_fbs._demo.router import HOST, _free_ports
from autobahn_fbs._demo.sessions import Door
from support.authentication_node import AuthenticationNode

#: The connections from the proxy to the router: transport and serializer. Each role is named after
#: the connection that it uses.
LEGS = {
    "raw": ("rawsocket", "flatbuffers"),
    "plain": ("websocket", "flatbuffers"),
    "batched": ("websocket", "flatbuffers.batched"),
    "signed": ("rawsocket", "flatbuffers"),  # over TCP, where the node shows its key
    "cbor": ("rawsocket", "cbor"),
}

# The legs of the two roles that every node of the demo has.
_USUAL = {"guest": "raw", "member": "plain"}

_NODE = "front_node"
_ANYBODY_HERE = {"anonymous-proxy": {"type": "static"}}


class ProxyNode(AuthenticationNode):
    """A node whose `doors` are those of a proxy worker.

    The proxy has two more listeners, with everything behind one port: "universal" takes WebSocket
    and RawSocket, "web" takes WebSocket at a path next to other pages. The router worker has a
    universal listener of its own, "beside". It also has one for each of LEGS, which offers only
    that leg's serializer, so messages through a leg certainly used it.
    """

    ASKING = "member"

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        more = _free_ports(4)
        beside, universal, web, signed = more
        self.ports += more
        front = config["workers"][0]
        realm = front.pop("realms")[0]
        inside = [self._listener_for_all("beside", beside)]
        for leg in LEGS:
            realm["roles"].append({**realm["roles"][0], "name": leg})
            inside.append(self._listener(leg, signed))
        router = {"type": "router", "realms": [realm], "transports": inside}
        proxy = {
            **front,
            "type": "proxy",
            "transports": [
                # First, since it listens before the path is there.
                self._listener_for_all("web", web),
                self._listener_for_all("universal", universal),
                *front["transports"],
            ],
            "connections": {leg: self._connection(leg, signed) for leg in LEGS},
            "routes": {REALM: {leg: leg for leg in LEGS} | _USUAL},
        }
        return {**config, "controller": {"id": _NODE}, "workers": [router, proxy]}

    def _listener_for_all(self, name: str, port: int) -> dict[str, Any]:
        """A listener with a WebSocket at the path /ws; `doors` gets the available ways to
        connect."""
        websocket, rawsocket = node_config(self._auth, port, port)["workers"][0]["transports"]
        listener = {"type": "universal", "endpoint": websocket.pop("endpoint")}
        self.doors[name, "websocket"] = Door("websocket", port, path="/ws")
        if name == "web":
            files = {"type": "static", "directory": "code"}
            return {**listener, "type": "web", "paths": {"/": files, "ws": websocket}}
        del rawsocket["endpoint"]
        self.doors[name, "rawsocket"] = Door("rawsocket", port)
        return {**listener, "websocket": {"ws": websocket}, "rawsocket": rawsocket}

    def _listener(self, leg: str, port: int) -> dict[str, Any]:
        transport, serializer = LEGS[leg]
        listener = {"type": transport, "serializers": [serializer.partition(".")[0]]}
        if leg != "signed":
            endpoint = {"type": "unix", "path": leg}
            return {**listener, "endpoint": endpoint, "auth": _ANYBODY_HERE}
        node = {"authorized_keys": [self._make_node_key()], "role": "member"}
        return {
            **listener,
            "endpoint": {"type": "tcp", "interface": HOST, "port": port},
            "auth": {"cryptosign-proxy": {"type": "static", "principals": {_NODE: node}}},
        }

    def _connection(self, leg: str, port: int) -> dict[str, Any]:
        transport, serializer = LEGS[leg]
        connection: dict[str, Any] = {"type": transport}
        if transport == "websocket":
            connection |= {"serializers": [serializer], "url": "ws://localhost"}
        else:
            connection |= {"serializer": serializer, "url": "rs://localhost"}
        if leg == "signed":
            connection["endpoint"] = {"type": "tcp", "host": HOST, "port": port}
            auth = {"cryptosign-proxy": {"type": "static"}}
        else:
            connection["endpoint"] = {"type": "unix", "path": leg}
            auth = _ANYBODY_HERE
        return {"transport": connection, "auth": auth}

    def _make_node_key(self) -> str:
        """Gives the node the key that its proxy worker signs with; the public one is returned."""
        secret = bytes(range(32))
        public = str(CryptosignKey.from_bytes(secret).public_key())
        tags = {
            "creator": "a test",
            "created-at": "2026-01-01T00:00:00.000Z",
            "machine-id": "any",
            "public-key-ed25519": public,
            "private-key-ed25519": secret.hex(),
        }
        lines = "".join(f"{name}: {value}\n" for name, value in tags.items())
        (self.folder / "key.priv").write_text(f"Private key of a node\n\n{lines}")
        (self.folder / "key.pub").unlink(missing_ok=True)
        return public
