"""Every command of docs/scale.md that needs no other machine runs, and does what the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from batch_steps import records

from harmonizer import edits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run_script, shell_blocks):
    """A user's folder, in which the commands of the page were run."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "pictures").mkdir()
    for name in ("one", "two"):
        shutil.copy(ROOT / "demo/composite.jpg", folder / f"pictures/{name}.jpg")
        shutil.copy(ROOT / "demo/mask.png", folder / f"pictures/{name}_mask.png")
    done = run_script(re.sub(r"^pip install.*\n", "", "".join(shell_blocks(PAGE)), flags=re.MULTILINE), folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_folder_and_its_summary(folder):
    place, said = folder
    assert (place / "harmonized/one.jpg").read_bytes() == (place / "harmonized/two.jpg").read_bytes()
    assert "2 done" in said


def test_the_manifest(folder):
    place, _ = folder
    found = records(place, "from_rows.csv")
    assert set(found) == {"first.png", "second.tif"}
    assert found["second.tif"].theta["shadow"] == 0.3
    assert edits.read(place / "from_rows/second.json").theta == found["second.tif"].theta
    assert (place / "from_rows/first.cube").exists()


def test_the_page_names_every_column_and_status(folder):
    from harmonizer.batch.report import COLUMNS

    for column in COLUMNS:
        assert column.removeprefix("ms_").partition("_")[0] in PAGE, column
