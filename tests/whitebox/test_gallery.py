"""docs/gallery.md shows the registry as it is."""

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


def test_the_page_is_what_the_script_makes_of_the_registry():
    """Where this fails, run it: python docs/gallery.py."""
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == script().page()


def test_every_filter_has_its_picture_and_the_pictures_are_small():
    pictures = list((DOCS / "gallery").iterdir())
    assert sorted(path.name for path in pictures) == [f"{name}.jpg" for name in wf.names()]
    assert sum(path.stat().st_size for path in pictures) < 2_000_000


def test_only_hues_tell_what_a_filter_that_keeps_greys_does():
    gallery = script()
    assert gallery.is_neutral(wf.get("saturation"), None)
    assert not gallery.is_neutral(wf.get("tint"), None)
    assert not gallery.is_neutral(wf.get("gamma"), None)
