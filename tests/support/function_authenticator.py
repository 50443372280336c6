"""Crossbar.io asks these who a client is: a Python function in its worker, or a procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.wamp.exception import ApplicationError

import autobahn_fbs

NOT_KNOWN = "com.example.error.not_known"
WRONG_TICKET = "com.example.error.wrong_ticket"

#: Called with a realm, an authid and the details of a session; gives a principal.
Authenticator = Callable[[str, str, dict[str, Any]], dict[str, Any]]


def create(known: dict[str, Any], controller: Any = None) -> Authenticator:
    """An authenticator that uses the ``auth`` item of a listener with fixed principals."""

    def authenticate(realm: str, authid: str, details: dict[str, Any]) -> dict[str, Any]:
        method = details["authmethod"]
        # The details for the client in WELCOME.
        extra: dict[str, Any] = {"method": method, "session": details["session"]}
        extra["counters"] = dict(autobahn_fbs.counters())
        if method == "anonymous":
            return {"role": known["anonymous"]["role"], "extra": extra}
        if method == "tls":
            authid = details["transport"]["client_cert"]["subject"]["cn"]
            extra["issuer"] = details["transport"]["client_cert"]["issuer"]["cn"]
        people = known[method].get("users") or known[method]["principals"]
        if authid not in people:
            raise ApplicationError(NOT_KNOWN, f"nobody knows {authid}")
        person = {**people[authid], "authid": authid, "extra": extra}
        if method == "ticket" and details["ticket"] != person["ticket"]:
            raise ApplicationError(WRONG_TICKET, "that is not the ticket")
        if method == "cryptosign":
            person["pubkey"] = person["authorized_keys"][0]
        return person

    return authenticate
