"""Shared by all tests: hypothesis profiles, and the serializers with their four settings.

Each folder is named after the topic and the requirements of its tests. ``checkout`` needs the whole
repository, ``router`` needs Crossbar.io; if these are missing, the folder is skipped.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer

_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("default", max_examples=25, **_COMMON)
settings.register_profile("ci", max_examples=150, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=5000, **_COMMON)
settings.load_profile("default")

collect_ignore: list[str] = []
if not (Path(__file__).resolve().parents[1] / "setup.py").is_file():
    collect_ignore.append("checkout")
if find_spec("crossbar") is None:
    collect_ignore.append("router")

DIALECTS = ("autobahn", "schema")


def pytest_report_header() -> list[str]:
    """Reports what is skipped."""
    return [f"NOT TESTED here: tests/{name}" for name in collect_ignore]


@pytest.fixture(scope="session", params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Both dialects of the union's type tag."""
    return str(request.param)


@pytest.fixture(scope="session", params=[False, True], ids=["plain", "batched"])
def batched(request: pytest.FixtureRequest) -> bool:
    """Without and with the length before each message."""
    return bool(request.param)


@pytest.fixture(scope="session")
def any_serializer(dialect: str, batched: bool) -> FlatBuffersObjectSerializer:
    """An object serializer in each of its four settings."""
    return FlatBuffersObjectSerializer(batched=batched, dialect=dialect)


@pytest.fixture(scope="session")
def objser() -> FlatBuffersObjectSerializer:
    """The object serializer in its default setting."""
    return FlatBuffersObjectSerializer()
