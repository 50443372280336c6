"""A Crossbar.io node with a listener for each way to authenticate a client."""

from __future__ import annotations

import shutil
from typing import Any

from autobahn_fbs._demo.config import REALM, node_config
from autobahn_fbs._demo.router import Router, _free_ports
from autobahn_fbs._demo.sessions import Door
from support import function_authenticator
from support.certificates import Authority

#: The procedure that listeners of the way "dynamic" call.
PROCEDURE = "com.example.authenticate"


class AuthenticationNode(Router):
    """A node with a WebSocket and a RawSocket listener for each of WAYS; `doors` has them.

    "static" uses a list of principals, "dynamic" asks a procedure, "function" a function in the
    router worker. With the first, WebSocket also tries clients' cookies beforehand. Those that
    begin with "tls" require a certificate signed by `authority`; `alice` has a known one.
    """

    WAYS = ("static", "dynamic", "function", "tls-static", "tls-dynamic")

    #: The role of the router's own session that calls the procedure.
    ASKING = "trusted"

    def __init__(self, known: dict[str, Any]) -> None:
        self.doors: dict[tuple[str, str], Door] = {}
        super().__init__(known, patience=90)
        self.authority = Authority(self.folder)
        self.server = self.authority.issue("server")
        self.alice = self.authority.issue("alice")
        alice = {"certificate-sha1": self.alice.sha1, "role": "member"}
        known["tls"] = {"type": "static", "principals": {"alice": alice}}
        code = self.folder / "code"
        code.mkdir()
        shutil.copy(function_authenticator.__file__, code)

    def configure(self) -> dict[str, Any]:
        self.ports = _free_ports(2 * len(self.WAYS))
        self.websocket, self.rawsocket = self.ports[:2]
        transports: list[dict[str, Any]] = []
        for number, way in enumerate(self.WAYS):
            websocket, rawsocket = self.ports[2 * number : 2 * number + 2]
            config = node_config(self._auth_item(way), websocket, rawsocket)
            pair = config["workers"][0]["transports"]
            for transport in pair:
                self.doors[way, transport["type"]] = Door(
                    transport["type"], transport["endpoint"]["port"]
                )
                if way.startswith("tls"):
                    transport["endpoint"]["tls"] = {
                        "key": str(self.server.key),
                        "certificate": str(self.server.certificate),
                        "ca_certificates": [str(self.authority.certificate)],
                    }
            if way == "static":
                pair[0]["auth"] = {**pair[0]["auth"], "cookie": {}}
                pair[0]["cookie"] = {"store": {"type": "memory"}}
            transports += pair
        worker = {**config["workers"][0], "transports": transports}
        return {**config, "workers": [{**worker, "options": {"pythonpath": ["code"]}}]}

    def _auth_item(self, way: str) -> dict[str, Any]:
        """The ``auth`` item of the listeners for a way."""
        if way.endswith("dynamic"):
            item = {
                "type": "dynamic",
                "authenticator": PROCEDURE,
                "authenticator-realm": REALM,
                "authenticator-role": self.ASKING,
            }
            return {method: item for method in self._auth}
        if way == "function":
            item = {"type": "function", "create": "function_authenticator.create"}
            # Crossbar.io has none for these.
            methods = self._auth.keys() - {"anonymous", "tls"}
            return {method: {**item, "config": self._auth} for method in methods}
        return self._auth
