"""The part ``texts``: texts that aren't logged aren't formatted, and logged ones are the same."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from autobahn_fbs._accelerate.parts.texts import guard_log_calls


def guarded(code: str) -> str:
    tree = ast.parse(textwrap.dedent(code))
    function: Any = tree.body[0]
    guard_log_calls(function)
    ast.fix_missing_locations(tree)
    compile(tree, "code", "exec")
    return ast.unparse(tree)


@pytest.mark.parametrize(
    "call",
    [
        "self.log.debug('text')",
        "self.log.trace('{a}', a=hltype(self.send))",
        "self.log.debug('{a}', a=pformat(x['y']), b=hlval(len(z)), c=f'{self.d}')",
        "log.debug('{}'.format(x))",
    ],
)
def test_calls_that_only_make_text_are_guarded(call):
    assert "if (" in guarded(f"def f(self):\n    {call}")


@pytest.mark.parametrize(
    "call",
    [
        "self.log.info('text')",
        "self.log.debug('{a}', a=self.next())",
        "self.log.debug('{a}', a=[each for each in x])",
        "self.log.debug('{a}', a=(yield))",
        "x = self.log.debug('text')",
        "self.other.debug('text')",
    ],
)
def test_calls_that_do_something_are_left_alone(call):
    code = f"def f(self):\n    {call}"
    assert guarded(code) == ast.unparse(ast.parse(code))


RAISED = """
import io, json, sys
import autobahn_fbs
if sys.argv[1] == "on":
    autobahn_fbs.accelerate(["texts"])
import txaio
txaio.use_asyncio()
from autobahn.asyncio.rawsocket import WampRawSocketClientProtocol
from autobahn.wamp import message
from autobahn.wamp.serializer import JsonSerializer

lines = []
import logging
handler = logging.Handler()
handler.emit = lambda record: lines.append(record.getMessage())
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.DEBUG)

class Transport:
    def write(self, data):
        pass

protocol = WampRawSocketClientProtocol()
protocol._session, protocol._serializer = object(), JsonSerializer()
protocol.transport = Transport()
made = []

class Message(message.Published):
    def __str__(self):
        made.append(1)
        return "text of a message"

for level in ("info", "debug", "info", "trace", "none"):
    txaio.set_global_log_level(level)
    lines.append(f"-- {level}")
    protocol.send(Message(1, 2))
print(json.dumps([lines, len(made)]))
"""


def test_a_level_that_is_raised_at_run_time_is_logged_from_then_on():
    outcomes = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", RAISED, switch],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            ).stdout
        )
        for switch in ("off", "on")
    ]
    assert outcomes[0] == outcomes[1]
    lines, made = outcomes[1]
    assert made == 2
    assert [line for line in lines if "text of a message" in line]
