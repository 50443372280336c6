"""Links of the README to files, which a code host follows, become links to pages."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def link_to_pages(app: Sphinx, document: nodes.document) -> None:
    """Replaces links such as ``docs/typed.rst`` and ``SECURITY.rst``."""
    for link in list(document.findall(nodes.reference)):
        file = link.get("refuri", "")
        if file.endswith(".rst") and ":" not in file:
            page = "/" + file.removeprefix("docs/").removesuffix(".rst").lower()
            name = nodes.inline("", link.astext())
            where = {"refdomain": "std", "reftype": "doc", "reftarget": page}
            link.replace_self(pending_xref("", name, refexplicit=True, refwarn=True, **where))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", link_to_pages)
    return {"version": "1", "parallel_read_safe": True}
