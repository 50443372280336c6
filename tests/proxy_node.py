"""A Crossbar.io node with a proxy worker in front of its router worker."""

from __future__ import annotations

from typing import Any

from autobahn.wamp.cryptosign import CryptosignKey

from authentication_node import AuthenticationNode
from autobahn_fbs._demo.config import REALM, node_config
from autobahn_fbs._demo.router import HOST, _free_ports

#: The connections from the proxy to the router: transport and serializer. A role has the name of
#: the connection that it goes by.
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

    `direct` is a WebSocket listener of the router worker itself, beside the proxy. Behind it, the
    router worker has one listener for each of LEGS, which offers that leg's serializer alone: what
    comes through a leg was in it.
    """

    ASKING = "member"

    direct = 0

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        more = _free_ports(3)
        self.direct, unused, signed = more
        self.ports += more
        front = config["workers"][0]
        inside = node_config(self._auth, self.direct, unused)["workers"][0]
        realm = front.pop("realms")[0]
        for leg in LEGS:
            realm["roles"].append({**realm["roles"][0], "name": leg})
            inside["transports"].append(self._listener(leg, signed))
        router = {"type": "router", "realms": [realm], "transports": inside["transports"]}
        proxy = {
            **front,
            "type": "proxy",
            "connections": {leg: self._connection(leg, signed) for leg in LEGS},
            "routes": {REALM: {leg: leg for leg in LEGS} | _USUAL},
        }
        return {**config, "controller": {"id": _NODE}, "workers": [router, proxy]}

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
