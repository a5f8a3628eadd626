"""Formulas in Markdown, as GitHub and GitLab write them, become MathML, which browsers draw without a script."""

from __future__ import annotations

import re

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

BLOCK = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = r"\$`([^`\n]+)`\$"
BEFORE_CODE = 200  # the priority of code spans is 190, that of fenced blocks 25


class Formulas(Extension):
    """Blocks of the language `math`, and spans between a dollar sign with a backtick and a backtick with one."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (its name in Markdown)
        md.preprocessors.register(_Blocks(md), "formulas", 26)
        md.inlinePatterns.register(_Spans(INLINE, md), "formulas", BEFORE_CODE)


class _Blocks(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return BLOCK.sub(self._stash, "\n".join(lines)).split("\n")

    def _stash(self, found: re.Match[str]) -> str:
        # Focusable, since a long one scrolls on a small screen.
        formula = convert(found[1].strip(), display="block")
        return self.md.htmlStash.store(f'<div class="formula" tabindex="0">{formula}</div>')


class _Spans(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # noqa: ARG002, N802
        return self.md.htmlStash.store(convert(m[1])), m.start(0), m.end(0)


def makeExtension(**options: object) -> Formulas:  # noqa: N802 (its name in Markdown)
    return Formulas(**options)
