"""CONTRIBUTING.md: what it says of adding a filter, followed word for word in a copy of what it touches."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_a_filter_is_added_as_the_page_says(tmp_path):
    shutil.copytree(ROOT / "whitebox_filters", tmp_path / "whitebox_filters")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("tests/whitebox", "docs"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    shutil.copy(ROOT / "docs" / "gallery.py", tmp_path / "docs")

    steps = section("Add a filter in ten minutes")
    written = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)^```", steps, re.MULTILINE | re.DOTALL)
    assert len(written) == 2
    for path, text in written:
        assert not (ROOT / path).exists()
        (tmp_path / path).write_text(text, encoding="utf-8")
    [commands] = re.findall(r"^```bash\n(.*?)^```", steps, re.MULTILINE | re.DOTALL)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    finished = subprocess.run(
        ["bash", "-eu", "-c", commands],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "2 passed" in finished.stdout
    assert (tmp_path / "midtones.jpg").stat().st_size > 1000


def test_every_target_and_file_that_the_page_names_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for page in ("CONTRIBUTING.md", "SECURITY.md", "docs/stability.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"
