"""The code blocks of the documentation: their places, contents and marks.

A comment before a block says how the block is handled if no test here runs it:

``.. run by: FILE``
    FILE, such as ``.ci/run``, has every line of it, word for word.
``.. not run: REASON``
    Nothing runs it, for a reason.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from support.checkout import ROOT

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.rst", "docs/*.rst", "docs/*/*.rst", "fuzz/*.rst", "benchmarks/*.rst")
    for path in ROOT.glob(pattern)
)

_DIRECTIVE = re.compile(r"^\.\. (?:code-block|code|sourcecode):: *(\S*)$")
_MARK = re.compile(r"^\.\. (run by|not run): (.+)$", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block. `language` is empty for a block after a paragraph that ends with ``::``."""

    page: str
    line: int
    language: str
    code: str
    mark: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_program(self) -> bool:
        """Whether it starts sessions and runs until they are gone."""
        return self.language == "python" and re.search(r"\brun\(", self.code) is not None

    @property
    def is_component(self) -> bool:
        """Whether it makes a session that the reader is to start."""
        return self.language == "python" and "Component(" in self.code and not self.is_program


def _paragraph(lines: list[str], end: int) -> str:
    """The lines just before `end`, back to an empty one."""
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    start = end
    while start > 0 and lines[start - 1].strip():
        start -= 1
    return "\n".join(lines[start:end])


def _start_of_paragraph(lines: list[str], index: int) -> int:
    while index > 0 and lines[index - 1].strip():
        index -= 1
    return index


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    found = []
    for index, line in enumerate(lines):
        directive = _DIRECTIVE.match(line.strip())
        if directive:
            language, before = directive[1], index
        elif line.rstrip().endswith("::") and not line.lstrip().startswith(".."):
            language, before = "", _start_of_paragraph(lines, index)
        else:
            continue
        indent = len(line) - len(line.lstrip())
        body = []
        for following in lines[index + 1 :]:
            if following.strip() and len(following) - len(following.lstrip()) <= indent:
                break
            body.append(following)
        mark = _MARK.match(_paragraph(lines, before).strip())
        found.append(
            Block(
                page,
                index + 1,
                language,
                textwrap.dedent("\n".join(body)).strip("\n"),
                mark[1] if mark else "",
                " ".join(mark[2].split()) if mark else "",
            )
        )
    return found


def output_of(block: Block) -> list[str] | None:
    """The lines that a page shows as the output of a block: those of a ``text`` block after it."""
    blocks = blocks_of(block.page)
    following = blocks[blocks.index(block) + 1 :][:1]
    if not following or following[0].language != "text":
        return None
    between = (ROOT / block.page).read_text("utf-8").splitlines()
    between = between[block.line + len(block.code.splitlines()) + 1 : following[0].line - 1]
    return None if any(line.strip() for line in between) else following[0].code.splitlines()


EVERY = [block for page in PAGES for block in blocks_of(page)]
