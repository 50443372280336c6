"""The directive ``wire-schema``: what a schema file declares, in sections of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

import wire_pages  # noqa: E402  # both from tools/
from generate import SCHEMAS  # noqa: E402


class WireSchema(SphinxDirective):
    """``.. wire-schema:: pubsub``: the tables, enums and unions of ``schemas/pubsub.fbs``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        stem = self.arguments[0]
        for source in (SCHEMAS / f"{stem}.fbs", TOOLS / "wire_pages.py"):
            self.env.note_dependency(str(source))
        return self.parse_text_to_nodes(wire_pages.page(stem), allow_section_headings=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("wire-schema", WireSchema)
    return {"version": "1", "parallel_read_safe": True}
