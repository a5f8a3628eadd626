"""How the site is made of the pages: collecting them, formulas, and the check of links."""

from __future__ import annotations

import pytest
from markdown import markdown
from website.links import check
from website.notebooks import to_markdown
from website.stage import MissingError, stage

PAGE = '<html><body><h1 id="top-of-it">A</h1>{}</body></html>'


def files(folder, **texts):
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_md", ".md").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def repository(tmp_path):
    return files(
        tmp_path / "repository",
        README_md="[code](docs/../package/code.py) [page](docs/page.md#part)\n\n```\n[no](link.md)\n```\n",
        docs__page_md="# Part\n\n[home](../README.md#a)",
        package__code_py="x = '[no](link.md)'\n",
        docs__website__site_css="",
    )


@pytest.fixture(autouse=True)
def style(repository):
    (repository / "docs/website").mkdir(exist_ok=True)
    (repository / "docs/website/site.css").touch()


def test_pages_keep_their_places_and_code_gets_a_page(repository, tmp_path):
    assert stage(repository, tmp_path / "out") == ["docs/page.md", "index.md", "package/code.py.md"]
    home = (tmp_path / "out/index.md").read_text()
    assert home.startswith("[code](package/code.py.md) [page](docs/page.md#part)")
    assert "[no](link.md)" in home  # in a block of code
    assert (tmp_path / "out/docs/page.md").read_text().endswith("[home](../index.md#a)")
    assert "x = '[no](link.md)'" in (tmp_path / "out/package/code.py.md").read_text()


def test_a_folder_gets_a_page_that_lists_its_code(repository, tmp_path):
    (repository / "README.md").write_text("[all](package)")
    assert "package/code.py.md" in stage(repository, tmp_path / "out")
    assert "* [code.py](package/code.py.md)" in (tmp_path / "out/package.md").read_text()


def test_a_link_to_what_is_not_there_is_an_error(repository, tmp_path):
    (repository / "README.md").write_text("[gone](docs/gone.md)")
    with pytest.raises(MissingError, match=r"README\.md leads to docs/gone\.md"):
        stage(repository, tmp_path / "out")


def test_links_of_a_site(tmp_path):
    (tmp_path / "a.html").write_text(
        PAGE.format('<a href="b.html#top-of-it">b</a> <a href="https://example.org/x">c</a>')
    )
    (tmp_path / "b.html").write_text(PAGE.format('<a href="a.html">a</a> <a href="#top-of-it">here</a>'))
    assert check(tmp_path) == []


@pytest.mark.parametrize(
    ("link", "mistake"),
    [
        ('<a href="c.html">', "there is no such file"),
        ('<a href="#gone">', "there is no such anchor"),
        ('<img src="gone.png">', "there is no such file"),
        ('<a href="https://nowhere">', "this is no address"),
        ('<a href="htps://example.org">', "this is no address"),
        ('<script src="https://cdn.example.org/x.js">', "from elsewhere"),
        ('<link href="//fonts.example.org/x.css">', "from elsewhere"),
    ],
)
def test_a_mistake_in_a_link_is_found(tmp_path, link, mistake):
    (tmp_path / "a.html").write_text(PAGE.format(link))
    assert any(mistake in line for line in check(tmp_path))


def test_formulas_become_mathml():
    html = markdown("is $`x_1`$ but `$`\n\n```math\n\\frac{a}{b}\n```\n", extensions=["website.formulas"])
    assert html.count("<math") == 2
    assert "<msub>" in html
    assert "<mfrac>" in html
    assert "<code>$</code>" in html


def test_examples_in_docstrings_are_code():
    html = markdown("Does.\n\n>>> f(1)  # doctest: +SKIP\n2\n\nRaises.", extensions=["website.doctests", "fenced_code"])
    assert "blockquote" not in html
    assert "&gt;&gt;&gt; f(1)\n2\n</code>" in html
    assert "<p>Raises.</p>" in html


def test_a_notebook_is_text_code_and_what_it_gave(tmp_path):
    (tmp_path / "a.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# A\\n"]},'
        '{"cell_type": "code", "source": ["1 + 1"], "outputs": [{"data": {"text/plain": ["2"]}}]},'
        '{"cell_type": "code", "source": ["draw()"], "outputs": [{"data": {"image/png": "AAAA", "text/plain": "x"}}]}]}'
    )
    text = to_markdown(tmp_path / "a.ipynb", tmp_path / "a")
    assert "```python\n1 + 1\n```\n\n```text\n2\n```" in text
    assert "](a/2_0.png)" in text
    assert (tmp_path / "a/2_0.png").read_bytes() == b"\0\0\0"
