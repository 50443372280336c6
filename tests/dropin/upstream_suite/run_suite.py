"""Run by test_upstream_suite.py: Autobahn's own tests with the drop-in installed.

``python run_suite.py asyncio|twisted [accelerated]`` runs them under pytest (asyncio) or trial
(Twisted), with this package's two serializers added to those that Autobahn's general serializer
tests go through, and prints the outcome of each test as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

FRAMEWORK = sys.argv[1]
os.environ.pop("USE_TWISTED", None)
os.environ.pop("USE_ASYNCIO", None)
os.environ[f"USE_{FRAMEWORK.upper()}"] = "1"

import txaio  # noqa: E402

(txaio.use_asyncio if FRAMEWORK == "asyncio" else txaio.use_twisted)()

import autobahn_fbs  # noqa: E402

autobahn_fbs.install()
if "accelerated" in sys.argv:
    autobahn_fbs.accelerate()

import autobahn  # noqa: E402

ROOT = Path(autobahn.__path__[0])

#: The tests that each framework's run includes: those about serializers and transports.
ASYNCIO_FILES = ["wamp/test", "asyncio/test/test_aio_rawsocket.py"]
TWISTED_MODULES = ["autobahn.wamp.test", "autobahn.twisted.test", "autobahn.rawsocket.test",
                   "autobahn.test"]  # fmt: skip


#: Our serializers that the general tests have got.
used: list[Any] = []


def add_ours(module: Any) -> None:
    """Puts our serializers among those of the general tests, where upstream's are left out."""
    original = module.create_serializers

    def create_serializers(decimal_support: bool = False) -> list[Any]:
        serializers = list(original(decimal_support))
        if not decimal_support:  # those tests serialize raw values, not messages
            ours = [autobahn_fbs.FlatBuffersSerializer(batched=b) for b in (False, True)]
            used.extend(ours)
            serializers.extend(ours)
        return serializers

    module.create_serializers = create_serializers


class Outcomes:
    """A pytest plugin that records the result of each test."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.skipped: list[str] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        for module in {item.module for item in items}:
            if module.__name__.endswith("test_wamp_serializer"):
                add_ours(module)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        name = "::".join([Path(report.nodeid.split("::")[0]).stem, *report.nodeid.split("::")[1:]])
        if report.failed and name not in self.failed:
            self.failed.append(name)
        elif report.skipped:
            self.skipped.append(name)
        elif report.when == "call":
            self.passed.append(name)


def run_pytest() -> dict[str, list[str]]:
    import pytest

    outcomes = Outcomes()
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(
            ["-q", "-p", "no:cacheprovider", "--tb=short", "-c", os.devnull,
             *(str(ROOT / name) for name in ASYNCIO_FILES)],
            plugins=[outcomes],
        )  # fmt: skip
    return vars(outcomes)


def run_trial() -> dict[str, list[str]]:
    from twisted.trial.reporter import VerboseTextReporter
    from twisted.trial.runner import TestLoader, TrialRunner

    add_ours(importlib.import_module("autobahn.wamp.test.test_wamp_serializer"))

    outcomes = Outcomes()

    def short(test: Any) -> str:
        module, kind, name = test.id().rsplit(".", 2)
        return f"{module.rsplit('.', 1)[-1]}::{kind}::{name}"

    class Reporter(VerboseTextReporter):  # type: ignore[misc]
        def addSuccess(self, test: Any) -> None:
            super().addSuccess(test)
            outcomes.passed.append(short(test))

        def addSkip(self, test: Any, reason: Any) -> None:
            super().addSkip(test, reason)
            outcomes.skipped.append(short(test))

        def addFailure(self, test: Any, failure: Any) -> None:
            super().addFailure(test, failure)
            outcomes.failed.append(short(test))

        def addError(self, test: Any, error: Any) -> None:
            super().addError(test, error)
            outcomes.failed.append(test.id() if test.id().count(".") < 2 else short(test))

    with contextlib.redirect_stdout(sys.stderr):
        suite = TestLoader().loadByNames(TWISTED_MODULES, True)
        runner = TrialRunner(Reporter, stream=sys.stderr)
        runner.run(suite)
    return vars(outcomes)


if __name__ == "__main__":
    report: dict[str, Any] = run_pytest() if FRAMEWORK == "asyncio" else run_trial()
    report["messages"] = sum(serializer.stats()["messages"] for serializer in used)
    print(json.dumps(report))
