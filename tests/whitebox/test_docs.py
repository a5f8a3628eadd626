"""Every Python block of the documentation runs, each on its own."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import whitebox_filters
import whitebox_filters.testing

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.exists()]
WITH_COMMANDS = {"video.md"}  # blocks that work on what the page's commands wrote; the test of those runs them
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block.group(1), id=f"{page.name}-{number}")
    for page in PAGES
    if page.name not in WITH_COMMANDS
    for number, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), start=1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs(block, compiled_code, tmp_path):
    """In a process of its own, since a block may register a filter."""
    if (ROOT / "demo").exists():
        (tmp_path / "demo").symlink_to(ROOT / "demo")
    script = tmp_path / "block.py"
    script.write_text(block, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path)} | compiled_code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_the_filter_pages_have_blocks():
    assert {"filters.md", "backends.md"} <= {page.name for page in PAGES}
    assert any(parameter.id.startswith("filters.md") for parameter in BLOCKS)


@pytest.mark.parametrize("module", [whitebox_filters, whitebox_filters.testing], ids=lambda module: module.__name__)
def test_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
