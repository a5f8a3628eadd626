"""The script that makes docs/gallery.md and its pictures from the registry."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import whitebox_filters as wf

DOCS = Path(__file__).parents[2] / "docs"


def script():
    specification = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_shows_every_filter_of_the_registry():
    page = script().page()
    for name in wf.names():
        assert f"\n### {name}\n" in page
        assert f"![{name}](gallery/{name}.jpg)" in page


def test_a_filter_is_drawn_small(tmp_path):
    gallery = script()
    gallery.draw(wf.get("tint"), gallery.photo(), tmp_path / "tint.jpg")
    assert 1_000 < (tmp_path / "tint.jpg").stat().st_size < 60_000


def test_only_hues_tell_what_a_filter_that_keeps_greys_does():
    gallery = script()
    assert gallery.is_neutral(wf.get("saturation"), None)
    assert not gallery.is_neutral(wf.get("tint"), None)
    assert not gallery.is_neutral(wf.get("gamma"), None)
