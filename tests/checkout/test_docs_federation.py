"""The page on the costs of linked routers has the stored costs."""

from __future__ import annotations

import json
import re

import pytest

from support.checkout import ROOT

COSTS = {
    (cost["scene"], cost["contender"]): cost["spent"]
    for cost in json.loads((ROOT / "benchmarks" / "federation.json").read_text())["costs"]
}
PAGE = (ROOT / "docs" / "federation.rst").read_text().partition("Where the time goes")[0]
ROWS = re.findall(r"^    ((?:events|calls), .*?)  +(\d.*)$", PAGE, re.M)


def scene_of(label: str) -> str:
    """A row's scene, as federation.py calls it."""
    for text, word in (("WebSocket", "small websocket"), ("back", "turned"), (" kB", "kB")):
        label = label.replace(text, word)
    return label.replace(",", "")


def test_the_table_has_all_scenes_that_are_not_fan_out() -> None:
    scenes = [scene for scene, contender in COSTS if contender == "cbor" and "fan" not in scene]
    assert [scene_of(label) for label, _ in ROWS] == scenes


@pytest.mark.parametrize(("label", "figures"), ROWS, ids=[label for label, _ in ROWS])
def test_a_row_of_the_table_has_the_stored_costs(label: str, figures: str) -> None:
    def spent(contender: str, who: str) -> float:
        micros: float = COSTS[scene_of(label), contender][who]
        return micros

    def of(contender: str, who: str) -> list[str]:
        micros = spent(contender, who)
        return [f"{micros:.0f}", f"{micros / spent('cbor', who):.2f}"]

    faster = ("flatbuffers", "accelerated")
    assert figures.split() == [
        f"{spent('cbor', 'nodes'):.0f}",
        *(text for name in ("cbor-link", *faster) for text in of(name, "nodes")),
        of("accelerated-cbor", "nodes")[1],
        f"{spent('cbor', 'client'):.0f}",
        *(text for name in faster for text in of(name, "client")),
    ]
