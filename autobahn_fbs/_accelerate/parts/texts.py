"""``texts``: log texts that aren't logged aren't formatted.

``self.log.debug("...", func=hltype(self.send), msg=msg)`` evaluates its arguments before it calls
`debug`, which does nothing at most levels. This part puts such a call behind an ``if`` that checks
whether `debug` is the function that does nothing. If it isn't, the same function is called with the
same arguments. Texts, formats and levels are therefore the same, even if the level is raised at run
time.
"""

from __future__ import annotations

import ast

from ..changes import Late, Rewrite
from ..part import Group, Part
from ..source import Function

#: The function in txaio's loggers for a level that is off, on asyncio and on Twisted.
_NAMES = {
    "_autobahn_fbs_off_aio": Late("txaio.aio", "_no_op"),
    "_autobahn_fbs_off_tx": Late("txaio.tx", "_no_op"),
}
_LOG = "_autobahn_fbs_log"

_LEVELS = ("debug", "trace")

#: Functions that only format their arguments.
_TEXT_MAKERS = (
    *("hl", "hlflag", "hlid", "hltype", "hluserid", "hlval", "pformat", "_LazyHexFormatter"),
    *("len", "repr", "str", "type"),
)

_PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.JoinedStr, ast.FormattedValue),
    *(ast.IfExp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.List, ast.Dict),
    *(ast.Starred, ast.Slice, ast.keyword, ast.expr_context, ast.operator, ast.unaryop, ast.boolop),
    ast.cmpop,
)


def _only_makes_text(node: ast.AST) -> bool:
    """Whether evaluating an expression has no visible effect."""
    if isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in _TEXT_MAKERS
        known = known or (isinstance(node.func, ast.Attribute) and node.func.attr == "format")
        if not known:
            return False
    elif not isinstance(node, _PLAIN):
        return False
    return all(map(_only_makes_text, ast.iter_child_nodes(node)))


class _Guard(ast.NodeTransformer):
    """Puts log calls behind an ``if``."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _LEVELS
            and ast.unparse(call.func.value) in ("self.log", "log")
            and all(map(_only_makes_text, [*call.args, *call.keywords]))
        ):
            return node
        log = call.func
        test = ast.parse(f"({_LOG} := 0) is not {{0}} and {_LOG} is not {{1}}".format(*_NAMES))
        test_node = test.body[0].value  # type: ignore[attr-defined]
        test_node.values[0].left.value = log
        call.func = ast.Name(_LOG, ast.Load())
        for each in (call.func, *ast.walk(test_node)):
            if not hasattr(each, "lineno") or each is call.func or each not in ast.walk(log):
                ast.copy_location(each, log)
        return ast.copy_location(ast.If(test=test_node, body=[node], orelse=[]), node)


def guard_log_calls(function: Function) -> None:
    """Puts the log calls of a function, of levels debug and trace, behind an ``if``."""
    _Guard().visit(function)


def _group(module: str, *functions: str) -> Group:
    return Group(
        module,
        tuple(Rewrite(f"{module}:{name}", guard_log_calls, _NAMES) for name in functions),
        relies=(
            *("txaio.aio:_no_op", "txaio.aio:_TxaioLogWrapper"),
            *("txaio.tx:_no_op", "txaio.tx:Logger"),
        ),
    )


PART = Part(
    "texts",
    "log texts are formatted only when they are logged",
    (
        _group("autobahn.wamp.protocol", "ApplicationSession.onMessage"),
        _group(
            "autobahn.wamp.websocket",
            "WampWebSocketProtocol.onMessage",
            "WampWebSocketProtocol.send",
        ),
        _group(
            "autobahn.websocket.protocol",
            "WebSocketProtocol.consumeData",
            "WebSocketProtocol.logRxFrame",
            "WebSocketProtocol.logRxOctets",
            "WebSocketProtocol.logTxFrame",
            "WebSocketProtocol.logTxOctets",
            "WebSocketProtocol.onFrameData",
            "WebSocketProtocol.sendData",
        ),
        _group(
            "autobahn.asyncio.rawsocket",
            "RawSocketProtocol.data_received",
            "WampRawSocketMixinGeneral.send",
            "WampRawSocketMixinGeneral.stringReceived",
        ),
        _group(
            "autobahn.twisted.rawsocket",
            "WampRawSocketClientProtocol.dataReceived",
            "WampRawSocketProtocol.send",
            "WampRawSocketProtocol.stringReceived",
            "WampRawSocketServerProtocol.dataReceived",
        ),
        _group("autobahn.twisted.websocket", "WebSocketAdapterProtocol.dataReceived"),
        _group("crossbar.router.broker", "Broker.processPublish", "Broker.processSubscribe"),
        _group(
            "crossbar.router.dealer",
            "Dealer.processCall",
            "Dealer.processInvocationError",
            "Dealer.processRegister",
            "Dealer.processYield",
        ),
        _group(
            "crossbar.router.role",
            "RouterRole.authorize",
            "RouterRoleDynamicAuth.authorize",
            "RouterRoleStaticAuth.authorize",
            "RouterTrustedRole.authorize",
        ),
        _group(
            "crossbar.router.router",
            "Router.authorize",
            "Router.send",
            "Router.validate",
        ),
        _group(
            "crossbar.router.session",
            "RouterApplicationSession.send",
            "RouterSession.onMessage",
        ),
    ),
)
