"""Every block of code in the documentation runs in a test, or the reason why it does not stands here."""

from __future__ import annotations

import re

import pytest
from doc_blocks import ROOT, blocks

# The test that runs the blocks of a language on a page.
RUN_BY = {
    ("docs/backends.md", "text"): "tests/docs/test_blocks.py",
    ("docs/comfyui.md", "sh"): "tests/comfyui/test_comfyui_workflows.py",
    ("docs/editing.md", "json"): "tests/harmonizer/test_edits_docs.py",
    ("docs/editing.md", "sh"): "tests/harmonizer/test_edits_docs.py",
    ("docs/evaluation.md", "toml"): "tests/harmonizer/test_own_learner.py",
    ("docs/formats.md", "sh"): "tests/harmonizer/test_formats_page.py",
    ("docs/plugins.md", "toml"): "tests/whitebox/test_plugins.py",
    ("docs/scale.md", "sh"): "tests/batch/test_scale_docs.py",
    ("docs/service.md", "sh"): "tests/server/test_service_docs.py",
    ("docs/start.md", "sh"): "tests/docs/test_start_page.py",
    ("docs/start.md", "text"): "tests/docs/test_start_page.py",
    ("docs/study.md", "sh"): "tests/study/test_study_docs.py",
    ("docs/video.md", "python"): "tests/harmonizer/video/test_video_docs.py",
    ("docs/video.md", "sh"): "tests/harmonizer/video/test_video_docs.py",
}
PYTHON = "tests/whitebox/test_docs.py"  # runs the Python of every page; it names those that it leaves out
EXCERPTS = "tests/docs/test_excerpts.py"
SYNOPSES = "tests/docs/test_synopses.py"

# What runs in no test of its page, by its page and how it begins, and why.
NOT_RUN = {
    ("README.md", "make demo"): ".ci/run runs these",
    ("README.md", "pip install"): "tests/packaging installs both distributions; the Makefile their extras",
    ("README.md", "composite, mask"): "a drawing",
    ("docs/architecture.md", ""): "drawings",
    ("docs/comfyui.md", "pip install"): "tests/packaging installs both distributions",
    ("docs/evaluation.md", "python benchmarks/development.py"): "needs data sets that may not be passed on; "
    "benchmarks/results/development.md is what it wrote",
    ("docs/plugins.md", "from whitebox_filters.testing"): "tests/whitebox/test_plugins.py makes this call",
    ("docs/scale.md", "pip install"): "needs a second machine; tests/batch runs Ray on one",
    ("docs/studio.md", "pip install"): "waits for a person; tests/browser opens the page of such a service",
    ("docs/study.md", "filter "): "what people answer differs",
    ("docs/study.md", "method "): "what people answer differs",
    ("docs/video.md", "pip install"): "make demo-video runs these",
    ("docs/video.md", '{"format"'): "two lines of a file, shortened; test_timeline.py reads whole ones",
}


def test_each_block_has_a_test_or_a_reason():
    unknown = [str(block) for block in blocks() if not any(_covers(block))]
    assert unknown == []


def _covers(block):
    yield (block.page, block.language) in RUN_BY
    yield block.language == "python" and block.page != "docs/video.md"
    yield block.is_excerpt or block.language == "math"  # of formulas see test_site.py
    yield bool(block.synopses)
    yield any(block.page == page and block.text.lstrip().startswith(begin) for page, begin in NOT_RUN)


def test_no_entry_is_left_over():
    found = blocks()
    assert set(RUN_BY) <= {(block.page, block.language) for block in found}
    for page, begin in NOT_RUN:
        assert any(block.page == page and block.text.lstrip().startswith(begin) for block in found), (page, begin)


@pytest.mark.parametrize("page", sorted({page for page, _ in RUN_BY}))
def test_the_test_that_is_named_reads_the_page(page):
    names = {name for (other, _), name in RUN_BY.items() if other == page}
    for name in names:
        assert re.search(rf'{re.escape(page)}|"docs" / "{page.removeprefix("docs/")}"', (ROOT / name).read_text()), name


def test_what_a_plan_prints_is_on_the_page():
    import whitebox_filters as wf

    [shown] = [block.text for block in blocks() if (block.page, block.language) == ("docs/backends.md", "text")]
    assert str(wf.Cascade().compile("numba")).startswith(shown)
