"""``futures``: no Deferred, Future or list of them if the result is already known."""

from __future__ import annotations

from typing import Any

from ..authorizing import make_authorize, then
from ..changes import Change, Derived, Edit, Late
from ..events import fire, may_be_coroutine_function, random_id
from ..part import Group, Part


class _Authorize(Late):
    """The replacement for `Router.authorize`, once Crossbar.io's modules are loaded."""

    def value(self) -> Any:
        there = all(isinstance(each, type) for each in (super().value(), _ROLE.value()))
        return make_authorize() if there else self


_ROLE = Late("crossbar.router.role", "RouterRoleStaticAuth")


_ROUTER = {
    "_autobahn_fbs_authorize": _Authorize("crossbar.router.router", "Router"),
    "_autobahn_fbs_then": then,
}
_ROUTER_RELIES = (
    "crossbar.router.role:RouterRoleStaticAuth",
    "crossbar.router.router:Router.authorize",
    "crossbar.router.router:Router.send",
    "txaio.tx:_TxApi.add_callbacks",
    "txaio.tx:_no_op",
)


def _authorizing(target: str, message: str, uri: str, action: str) -> tuple[Change, ...]:
    """The edits of a function that requests an authorization and continues when it has it."""
    return (
        Edit(
            target,
            f"self._router.authorize(session, {message}.{uri}, "
            f'"{action}", options={message}.marshal_options())',
            f"_autobahn_fbs_authorize("
            f'self._router, session, {message}.{uri}, "{action}", {message})',
            _ROUTER,
        ),
        Edit(
            target,
            "txaio.add_callbacks(d, on_authorize_success, on_authorize_error)",
            "_autobahn_fbs_then(d, on_authorize_success, on_authorize_error)",
        ),
    )


_PUBLISH = "crossbar.router.broker:Broker.processPublish"

# Waits for the chunks of an event's receivers only if there are several.
_CHUNKS = (
    Edit(
        _PUBLISH,
        "all_d = txaio.create_future()\n                            all_dl.append(all_d)",
        "all_d = txaio.create_future() if not 0 < len(receivers) <= chunk_size else None\n"
        "                            all_d is None or all_dl.append(all_d)",
    ),
    Edit(_PUBLISH, "txaio.resolve(all_d, None)", "all_d is None or txaio.resolve(all_d, None)"),
    Edit(
        _PUBLISH, "return txaio.gather(all_dl)", "return txaio.gather(all_dl) if all_dl else None"
    ),
)

# Calls an event handler, and returns None instead of a Deferred or Future with its result.
_CALL_AIO = Derived(
    "txaio.aio", "_AsyncioApi.as_future", "return create_future_success(res)", "return None"
)
_CALL_TX = Derived(
    "twisted.internet.defer",
    "maybeDeferred",
    ("return succeed(returned)", "return succeed(result)"),
    "return None",
)

PART = Part(
    "futures",
    "no Deferred or Future is made for a result that is already known",
    (
        Group(
            "crossbar.router.broker, PUBLISH",
            (*_authorizing(_PUBLISH, "publish", "topic", "publish"), *_CHUNKS),
            relies=_ROUTER_RELIES,
        ),
        Group(
            "crossbar.router.dealer, CALL",
            _authorizing("crossbar.router.dealer:Dealer.processCall", "call", "procedure", "call"),
            relies=_ROUTER_RELIES,
        ),
        Group(
            "autobahn.wamp.protocol, EVENT",
            (
                Edit(
                    "autobahn.wamp.protocol:ApplicationSession.onMessage",
                    """\
                        future = txaio.as_future(
                            handler.fn, *invoke_args, **invoke_kwargs
                        )
                        txaio.add_callbacks(future, _success, _error)
""",
                    """\
                        _autobahn_fbs_fire(
                            txaio, msg, _success, _error, handler.fn, invoke_args,
                            invoke_kwargs, _autobahn_fbs_call_aio, _autobahn_fbs_call_tx
                        )
""",
                    {
                        "_autobahn_fbs_fire": fire,
                        "_autobahn_fbs_call_aio": _CALL_AIO,
                        "_autobahn_fbs_call_tx": _CALL_TX,
                    },
                ),
            ),
            relies=(
                "txaio.aio:_AsyncioApi.as_future",
                "txaio.aio:_AsyncioApi.add_callbacks",
                "txaio.tx:_TxApi.as_future",
                "txaio.tx:_TxApi.add_callbacks",
                "twisted.internet.defer:maybeDeferred",
            ),
        ),
        Group(
            "txaio.tx, coroutine functions",
            (
                Edit(
                    "txaio.tx:_TxApi.as_future",
                    "if iscoroutinefunction(fun):",
                    "if _autobahn_fbs_may_be_coroutine(fun) and iscoroutinefunction(fun):",
                    {"_autobahn_fbs_may_be_coroutine": may_be_coroutine_function},
                ),
            ),
        ),
        Group(
            "autobahn.util, ids",
            (
                Edit(
                    "autobahn.util:id",
                    "return random.randint(1, 9007199254740992)",
                    "return _autobahn_fbs_random_id()",
                    {"_autobahn_fbs_random_id": random_id},
                ),
            ),
        ),
    ),
)
