"""The part ``futures``: results that are there already need no Deferred or Future."""

from __future__ import annotations

import asyncio
import functools
import random
import re
import subprocess
import sys

import pytest

from autobahn_fbs._accelerate.events import may_be_coroutine_function, random_id


def test_ids_are_the_same_as_from_randint():
    random.seed(7)
    theirs = [random.randint(1, 2**53) for _ in range(1000)]
    random.seed(7)
    assert [random_id() for _ in range(1000)] == theirs


async def coroutine() -> None: ...


def plain() -> None: ...


def marked() -> None: ...


class Callable_:
    async def method(self) -> None: ...

    def plain(self) -> None: ...

    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        coroutine,
        plain,
        Callable_().method,
        Callable_().plain,
        Callable_(),
        functools.partial(coroutine),
        functools.partial(plain),
        lambda: None,
        print,
        Callable_,
    ],
)
@pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction' is deprecated")
def test_a_coroutine_function_is_always_recognized(function):
    is_coroutine = asyncio.iscoroutinefunction(function)
    assert may_be_coroutine_function(function) or not is_coroutine


def test_a_function_that_is_marked_as_a_coroutine_function_may_be_one():
    marked._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    assert may_be_coroutine_function(marked)


SCENE = """
import sys
import autobahn_fbs
if sys.argv[2] == "on":
    autobahn_fbs.accelerate()
import txaio
if sys.argv[1] == "asyncio":
    txaio.use_asyncio()
    import asyncio
    from autobahn.asyncio.wamp import ApplicationSession
else:
    txaio.use_twisted()
    from twisted.internet import defer, reactor
    from autobahn.twisted.wamp import ApplicationSession
from autobahn.wamp import message, role, types

log = []


class Transport:
    transport_details = None
    def send(self, msg):
        log.append(str(msg))
    def isOpen(self):
        return True
    def close(self):
        log.append("close")
    abort = close


class Session(ApplicationSession):
    def onUserError(self, fail, msg):
        log.append(f"error {type(fail.value).__name__}: {fail.value}; {msg[-60:]}")


def plain(*args, **kwargs):
    log.append(f"plain {args} {kwargs}")
    return 7

def failing(*args):
    raise ValueError("on purpose")

async def coroutine(*args):
    log.append("coroutine begins")
    if sys.argv[1] == "asyncio":
        await asyncio.sleep(0)
    log.append("coroutine ends")

async def coroutine_failing(*args):
    raise KeyError("on purpose")

def future(*args):
    future = txaio.create_future()
    txaio.resolve(future, 1)
    return future

def future_failing(*args):
    return txaio.create_future_error(RuntimeError("on purpose"))

def wrong_arguments(one, two, three, four):
    pass

def main():
    session = Session(types.ComponentConfig("realm1"))
    session._transport = Transport()
    session._session_id = 1
    session._router_roles = {"broker": role.RoleBrokerFeatures(x_acknowledged_event_delivery=True)}
    from autobahn.wamp.request import Handler, Subscription
    functions = [plain, failing, coroutine, coroutine_failing, future, future_failing,
                 wrong_arguments, lambda *args: None]
    for number, function in enumerate(functions):
        handler = Handler(function, None, None)
        session._subscriptions[number + 1] = [
            Subscription(number + 1, "com.example", session, handler)
        ]
        for acknowledged in (False, True):
            log.append(f"-- {number} {acknowledged}")
            session.onMessage(message.Event(number + 1, 5, args=[1],
                                            x_acknowledged_delivery=acknowledged))

if sys.argv[1] == "asyncio":
    async def run():
        main()
        await asyncio.sleep(0.05)
    asyncio.run(run())
else:
    main()
print("\\n".join(log))
"""


@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
def test_event_handlers_of_all_kinds_have_the_same_outcome(framework: str) -> None:
    if framework == "twisted":
        pytest.importorskip("twisted")
    outcomes = []
    for switch in ("off", "on"):
        done = subprocess.run(
            [sys.executable, "-c", SCENE, framework, switch],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        outcomes.append(re.sub("0x[0-9a-f]+", "0x", done.stdout))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].count("on purpose") >= 6
