"""Every command of docs/scale.md that needs no other machine runs, and does what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from batch_steps import records

from harmonizer import edits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder, in which the commands of the page were run."""
    folder, programs = tmp_path_factory.mktemp("user"), tmp_path_factory.mktemp("programs")
    (folder / "pictures").mkdir()
    for name in ("one", "two"):
        shutil.copy(ROOT / "demo/composite.jpg", folder / f"pictures/{name}.jpg")
        shutil.copy(ROOT / "demo/mask.png", folder / f"pictures/{name}_mask.png")
    (programs / "harmonizer").write_text(f'#!/bin/sh\nexec {sys.executable} -m harmonizer "$@"\n')
    (programs / "harmonizer").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    script = "set -euo pipefail\n" + re.sub(r"^pip install.*\n", "", blocks, flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
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
