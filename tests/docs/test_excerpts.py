"""Code that a page shows beside an equation is that of the source."""

from __future__ import annotations

import pytest
from doc_blocks import ROOT
from website.excerpts import EXCERPT, excerpt, renewed

PAGE = ROOT / "docs/how_it_works.md"


def test_each_excerpt_is_as_in_the_source():
    text = PAGE.read_text(encoding="utf-8")
    assert len(EXCERPT.findall(text)) >= 10
    assert renewed(text, ROOT) == text, "run: PYTHONPATH=docs python -m website.excerpts docs/how_it_works.md"


def test_a_changed_source_changes_the_page(tmp_path):
    (tmp_path / "code.py").write_text(
        'class A:\n    def f(self):\n        """Says."""\n        # why\n        return 2\n'
    )
    page = "<!-- excerpt: code.py A.f -->\n\n```py\ndef f(self):\n    return 1\n```\n"
    assert renewed(page, tmp_path) == page.replace("return 1", "return 2")


def test_a_name_that_is_gone_is_an_error(tmp_path):
    (tmp_path / "code.py").write_text("def f():\n    pass\n")
    with pytest.raises(LookupError, match="has no g"):
        excerpt(tmp_path / "code.py", "g")
