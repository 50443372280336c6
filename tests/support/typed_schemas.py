"""The schemas of tests/typed, those of other packages, and flatc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autobahn_fbs.typed.sources import find_flatc

SCHEMAS = Path(__file__).resolve().parent.parent / "typed" / "schemas"

FLATC = find_flatc()
needs_flatc = pytest.mark.skipif(FLATC is None, reason="NOT TESTED: needs flatc")

#: Binary schemas and buffers of google/flatbuffers, which are not part of this repository: the
#: folder that FLATBUFFERS_TEST_DATA names.
FOREIGN = Path(os.environ.get("FLATBUFFERS_TEST_DATA", "no such folder"))
needs_foreign = pytest.mark.skipif(
    not FOREIGN.is_dir(), reason="NOT TESTED: needs google/flatbuffers' test data"
)
