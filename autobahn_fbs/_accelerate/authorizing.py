"""The result of Crossbar.io's `Router.authorize`, without a Deferred if it is known immediately.

It is known immediately for static permissions, which depend only on the role, the URI and the
action, and for authorizations in the router's cache. If something has to be logged, or a class is
not Crossbar.io's own, this leaves the work to the router.
"""

from __future__ import annotations

import sys
from typing import Any

#: The maximum number of URIs remembered for each role.
LIMIT = 4096

_MEMO = "_autobahn_fbs_authorizations"


def make_authorize() -> Any:
    """The function for the modules that are loaded now."""
    role_module: Any = sys.modules["crossbar.router.role"]
    router_module: Any = sys.modules["crossbar.router.router"]
    off = sys.modules["txaio.tx"]._no_op
    static_role = role_module.RouterRoleStaticAuth
    static_authorize = static_role.authorize
    router_class = router_module.Router
    router_authorize = router_class.authorize

    def look_up(role: Any, session: Any, uri: str, action: str, options: Any) -> dict[str, Any]:
        memo: dict[tuple[str, str], dict[str, Any]] = vars(role).setdefault(_MEMO, {})
        if len(memo) >= LIMIT:
            memo.clear()
        found: dict[str, Any] = static_authorize(role, session, uri, action, options)
        memo[uri, action] = dict(found)
        return found

    def authorize(router: Any, session: Any, uri: str, action: str, message: Any) -> Any:
        """The authorization, a new dict; or the Deferred from `Router.authorize`."""
        authrole = session._authrole
        role = router._roles.get(authrole)
        if (
            type(role) is not static_role
            or router.log.debug is not off
            or role.log.debug is not off
            or type(router).authorize is not router_authorize
            or static_role.authorize is not static_authorize
        ):
            return router.authorize(session, uri, action, options=message.marshal_options())
        key = (session._realm, authrole, uri, action)
        authorization: dict[str, Any] = router._authorization_cache.get(key)
        if authorization:
            fresh = False
        else:
            fresh = True
            memo = vars(role).get(_MEMO)
            found = memo.get((uri, action)) if memo is not None else None
            if found is not None:
                authorization = found.copy()
            else:
                try:
                    options = message.marshal_options()
                    authorization = look_up(role, session, uri, action, options)
                except Exception:  # occurs again, where it is expected
                    return router.authorize(session, uri, action, options=message.marshal_options())
        # The same steps as in Router.authorize once it has the answer.
        if authrole == "trusted" and action in ("call", "publish"):
            authorization["disclose"] = True
        if fresh and authorization.get("cache", False):
            router._authorization_cache[key] = authorization
        return authorization

    return authorize


def then(known: Any, success: Any, error: Any) -> None:
    """Continues with the result of `authorize`, like ``txaio.add_callbacks`` with a Deferred."""
    if type(known) is dict:
        try:
            success(known)
        except BaseException:
            # Nobody waits for it. When the Deferred is freed, it is logged as unhandled.
            from twisted.internet.defer import fail
            from twisted.python.failure import Failure

            fail(Failure())
    else:
        known.addCallbacks(success, error)
