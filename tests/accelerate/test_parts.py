"""A part recognizes its functions, can be undone completely, and is off if one differs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from autobahn_fbs import _accelerate
from autobahn_fbs._accelerate.parts import load
from support.accelerated import why_off

PARTS = _accelerate.part_names()

# Everything that can be imported here, in both frameworks: txaio is free to be either.
IMPORTS = """
import importlib, json, sys
from autobahn_fbs import _accelerate
from autobahn_fbs._accelerate.parts import load

def import_all():
    import txaio
    txaio.use_twisted()
    for name in _accelerate.part_names():
        for group in load(name).groups:
            for module in sorted(group.modules()):
                if "asyncio" in module or group.is_absent():
                    continue
                importlib.import_module(module)

def functions():
    found = {}
    for name in _accelerate.part_names():
        for group in load(name).groups:
            for change in group.changes:
                module = sys.modules.get(change.module)
                if module is None:
                    continue
                owner = module
                *path, last = change.name.split(".")
                for each in path:
                    owner = vars(owner)[each]
                value = vars(owner)[last]
                found[change.target] = (id(value), id(getattr(value, "__code__", None)))
    names = sorted(n for m in list(sys.modules.values()) for n in vars(m) if "autobahn_fbs_" in n)
    return found, names
"""


def python(code: str, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS + code, *words], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_applying_and_undoing_twice_leaves_nothing_behind():
    found = python("""
import_all()
before = functions()
states = []
for _ in range(2):
    _accelerate.accelerate()
    states.append(_accelerate.status())
    changed = functions()
    _accelerate.decelerate()
    assert functions() == before
assert changed != before
print(json.dumps(states))
""")
    assert found[0] == found[1]
    for part, groups in found[0].items():
        for group, (state, reason) in groups.items():
            expected = why_off(part, group)
            possible = {("refused", expected)} if expected else {("on", None)}
            assert (state, reason) in possible | {("waiting", None)}, (part, group)
    assert [state for part in found[0].values() for state, _ in part.values()].count("on") >= 5


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_off_where_one_function_is_altered_and_says_so_once(part):
    there = [group for group in load(part).groups if not group.is_absent()]
    group = next((group for group in there if "asyncio" not in group.name), None)
    if group is None:
        pytest.skip(f"nothing that {part} is about is installed")
    target = group.changes[0].target
    status, said = python(
        """
import logging
from autobahn_fbs._accelerate import part
said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("autobahn_fbs.accelerate").addHandler(handler)
part.KNOWN[sys.argv[1]] = {"0123456789abcdef": "another"}
_accelerate.accelerate()
import_all()
print(json.dumps([_accelerate.status(), said]))
""",
        target,
    )
    state, reason = status[part][group.name]
    assert state == "refused"
    assert reason == (why_off(part, group.name) or f"{target} is not a known version")
    assert said.count(f"{part} is off in {group.name}: {reason}") == 1
    for name, groups in status.items():
        for other, (state, why) in groups.items():
            may_be_off = state != "refused" or target in why or why == why_off(name, other)
            assert may_be_off, (name, other, why)


def test_no_two_parts_replace_the_same_function():
    from autobahn_fbs._accelerate.changes import Edit, Replace, Rewrite

    replaced: list[str] = []
    edited: set[str] = set()
    for part in map(load, PARTS):
        for group in part.groups:
            replaced += [each.target for each in group.changes if isinstance(each, Replace)]
            edited |= {each.target for each in group.changes if isinstance(each, (Edit, Rewrite))}
    assert len(set(replaced)) == len(replaced)
    assert not edited & set(replaced)
