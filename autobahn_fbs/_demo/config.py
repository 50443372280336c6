"""The logins, and a router's configuration that accepts them.

Everything is new for each run: the secrets are random and valid as long as the router runs.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

REALM = "demo"

#: The serializers that the router offers on both of its transports.
OFFERED = ["flatbuffers", "cbor", "msgpack", "json"]

_ROLE = "member"
_GUEST = "guest"


@dataclass(frozen=True)
class Login:
    """The credentials of a session, and the role that it gets.

    `method` is WAMP's authmethod; `options` are the arguments of Autobahn's
    ``create_authenticator``; `wrong` is the same with an invalid credential, None if there is no
    such thing.
    """

    method: str
    role: str
    options: dict[str, Any]
    wrong: dict[str, Any] | None = None


@dataclass(frozen=True)
class Site:
    """The logins that a router accepts, and the part of its configuration that accepts them."""

    logins: dict[str, Login]
    auth: dict[str, Any]


def make_site() -> Site:
    """Logins for anonymous, ticket, WAMP-CRA and cryptosign, with fresh secrets."""
    from autobahn.wamp.cryptosign import CryptosignKey

    ticket, secret = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    key, stranger = secrets.token_bytes(32), secrets.token_bytes(32)
    logins = [
        Login("anonymous", _GUEST, {}),
        Login(
            "ticket",
            _ROLE,
            {"authid": "tina", "ticket": ticket},
            {"authid": "tina", "ticket": "not the ticket"},
        ),
        Login(
            "wampcra",
            _ROLE,
            {"authid": "carl", "secret": secret},
            {"authid": "carl", "secret": "not the secret"},
        ),
        Login(
            "cryptosign",
            _ROLE,
            {"authid": "sina", "privkey": key.hex()},
            {"authid": "sina", "privkey": stranger.hex()},
        ),
    ]
    public_key = CryptosignKey.from_bytes(key).public_key()
    auth = {
        "anonymous": {"type": "static", "role": _GUEST},
        "ticket": {"type": "static", "principals": {"tina": {"ticket": ticket, "role": _ROLE}}},
        "wampcra": {"type": "static", "users": {"carl": {"secret": secret, "role": _ROLE}}},
        "cryptosign": {
            "type": "static",
            "principals": {"sina": {"authorized_keys": [public_key], "role": _ROLE}},
        },
    }
    return Site({login.method: login for login in logins}, auth)


def _transport(kind: str, port: int, auth: dict[str, Any], largest: int | None) -> dict[str, Any]:
    transport: dict[str, Any] = {
        "type": kind,
        "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port},
        "serializers": OFFERED,
        "auth": auth,
    }
    if largest is not None:
        transport["options"] = {"max_message_size": largest}
    return transport


def node_config(
    auth: dict[str, Any], websocket: int, rawsocket: int, largest: int | None = None
) -> dict[str, Any]:
    """A Crossbar.io node: one realm, a WebSocket and a RawSocket listener on two loopback ports.

    :param auth: Crossbar.io's ``auth`` item, used for both listeners.
    :param largest: the maximum message size of both, in bytes; None is Crossbar.io's default.
    """
    everything = {
        "uri": "",
        "match": "prefix",
        "allow": {"call": True, "register": True, "publish": True, "subscribe": True},
        "disclose": {"caller": True, "publisher": True},
    }
    roles = [{"name": name, "permissions": [everything]} for name in (_GUEST, _ROLE)]
    return {
        "version": 2,
        "workers": [
            {
                "type": "router",
                "realms": [{"name": REALM, "roles": roles}],
                "transports": [
                    _transport("websocket", websocket, auth, largest),
                    _transport("rawsocket", rawsocket, auth, largest),
                ],
            }
        ],
    }
