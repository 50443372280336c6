"""What all tests share: hypothesis profiles and the serializers in their four settings."""

from __future__ import annotations

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

# What is about the checkout and not about the package. Where the tests alone are, beside an
# installed package, these are left out.
OF_THE_CHECKOUT = [
    "test_benchmarks.py",
    "test_core.py",
    "test_distributions.py",
    "test_docs.py",
    "test_fuzz_smoke.py",
    "test_generated.py",
    "test_project.py",
    "test_verifier_parity.py",
    "test_wire_pages.py",
    "test_workflows.py",
]
IN_CHECKOUT = (Path(__file__).resolve().parent.parent / "csrc").is_dir()
collect_ignore = [] if IN_CHECKOUT else OF_THE_CHECKOUT

DIALECTS = ("autobahn", "schema")


def pytest_report_header() -> str | None:
    """Says what is left out."""
    return None if IN_CHECKOUT else f"NOT TESTED outside a checkout: {', '.join(OF_THE_CHECKOUT)}"


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
