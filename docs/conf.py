"""Sphinx's configuration: ``sphinx-build -W -n docs OUT``. The package has to be importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import autobahn_fbs

project = "autobahn_fbs"
author = "the autobahn_fbs contributors"
project_copyright = author
version = release = autobahn_fbs.__version__

exclude_patterns = ["speed.rst"]  # included in performance.rst
extensions = ["sphinx.ext.autodoc", "readme_links", "wire_schema"]
nitpicky = True
# Other projects' names: looking them up would need their sites while building.
nitpick_ignore_regex = [
    ("py:.*", r"(autobahn|collections|os|typing)\..*"),
    ("py:class", r"Message|Buffer|callable|.*\.Cls"),
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"

toc_object_entries_show_parents = "hide"
highlight_language = "sh"
smartquotes_action = "D"  # dashes; quotes are code here

html_theme = "furo"
html_title = f"autobahn_fbs {release}"
html_static_path = ["_static"]
html_css_files = ["wire.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
