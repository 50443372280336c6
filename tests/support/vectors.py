"""The single messages of wamp-proto's test suite.

For each: the expected attributes, the FlatBuffers bytes, and raw messages with the verdict that
they should get.
"""

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
