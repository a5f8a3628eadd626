"""Examples in docstrings, which begin with >>>, are shown as code; in Markdown they would be quotations."""

from __future__ import annotations

import re

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
FLAGS = re.compile(r"  # doctest: .*$", re.MULTILINE)


class Doctests(Extension):
    """A paragraph that begins with >>> becomes a fenced block of the language pycon."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (its name in Markdown)
        md.preprocessors.register(_Fences(md), "doctests", 27)  # before fenced blocks are read


class _Fences(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return EXAMPLE.sub(_fenced, "\n".join(lines)).split("\n")


def _fenced(found: re.Match[str]) -> str:
    return f"```pycon\n{FLAGS.sub('', found[0])}\n```"


def makeExtension(**options: object) -> Doctests:  # noqa: N802 (its name in Markdown)
    return Doctests(**options)
