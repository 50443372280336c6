"""What all tests share: hypothesis profiles and the serializers in their four settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import txaio

# Autobahn's own serializers take their clock from txaio, which wants a framework first.
txaio.use_asyncio()

from hypothesis import HealthCheck, settings  # noqa: E402

from autobahn_fbs import FlatBuffersObjectSerializer  # noqa: E402

_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("default", max_examples=25, **_COMMON)
settings.register_profile("ci", max_examples=150, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=5000, **_COMMON)
settings.load_profile("default")

# Test modules with a ROOT look at the checkout around them. Where the tests alone are, beside an
# installed package, they are left out.
HERE = Path(__file__).resolve().parent
LOOKS_AT_ROOT = re.compile(r"^ROOT = |^from \w+ import .*\bROOT\b", re.M)
IN_CHECKOUT = (HERE.parent / "setup.py").is_file()
collect_ignore = [
    path.name
    for path in sorted(HERE.glob("test_*.py"))
    if not IN_CHECKOUT and LOOKS_AT_ROOT.search(path.read_text("utf-8"))
]

DIALECTS = ("autobahn", "schema")


def pytest_report_header() -> str | None:
    """Says what is left out."""
    return f"NOT TESTED outside a checkout: {', '.join(collect_ignore)}" if collect_ignore else None


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
