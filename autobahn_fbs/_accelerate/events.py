"""Small functions that replace slower ones of Autobahn and txaio."""

from __future__ import annotations

import random
from inspect import CO_COROUTINE
from types import FunctionType, MethodType
from typing import Any


def fire(
    txaio: Any,
    msg: Any,
    success: Any,
    error: Any,
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    call_aio: Any,
    call_tx: Any,
) -> None:
    """Calls an event handler, like ``txaio.as_future`` with ``txaio.add_callbacks``.

    If it returns a plain value, `success` isn't called unless the event has to be acknowledged,
    because `success` does nothing else.
    """
    api = getattr(txaio.as_future, "__self__", None)
    if api is not None and not msg.x_acknowledged_delivery and txaio.using_asyncio:
        future = call_aio(api, function, *args, **kwargs)
    elif api is None or msg.x_acknowledged_delivery or may_be_coroutine_function(function):
        future = txaio.as_future(function, *args, **kwargs)
    else:
        future = call_tx(function, *args, **kwargs)
    if future is not None:
        txaio.add_callbacks(future, success, error)


def may_be_coroutine_function(function: Any) -> bool:
    """False if ``asyncio.iscoroutinefunction`` is false, which takes twenty times as long."""
    if type(function) is MethodType:
        function = function.__func__
    return (
        type(function) is not FunctionType
        or bool(function.__code__.co_flags & CO_COROUTINE)
        or bool(function.__dict__)
    )


def random_id() -> int:
    """``random.randint(1, 2**53)``: the same numbers from the same generator, faster."""
    number = random.getrandbits(54)
    while number >= 9007199254740992:
        number = random.getrandbits(54)
    return number + 1
