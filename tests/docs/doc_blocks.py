"""The blocks of code on every page of the documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"(<!-- excerpt: [^>]* -->\n\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", *(page.relative_to(ROOT).as_posix() for page in sorted((ROOT / "docs").rglob("*.md")))]


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its language, its text, and whether it is an excerpt of the source."""

    page: str
    language: str
    text: str
    is_excerpt: bool

    @property
    def synopses(self) -> list[str]:
        """Its command lines of `harmonizer`, without comments, if it is in no language: names stand for files."""
        if self.language:
            return []
        lines = (line.removeprefix("$ ").partition("  #")[0].strip() for line in self.text.splitlines())
        return [line for line in lines if re.match(r"harmonizer \w|.*-m harmonizer \w", line)]

    def __str__(self) -> str:
        return f"{self.page}, {self.language or 'no language'}: {self.text.splitlines()[0].strip()}"


def blocks() -> list[Block]:
    """All blocks, page by page."""
    return [
        Block(page, found[2], found[3], bool(found[1]))
        for page in PAGES
        for found in FENCE.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]
