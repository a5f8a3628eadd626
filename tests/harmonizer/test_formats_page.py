"""docs/formats.md says what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from harmonizer.pictures import io
from harmonizer.pictures.coding.encode import ENCODERS
from harmonizer.pictures.picture import Picture

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
EXTENSIONS = {
    "JPEG": [".jpg", ".jpeg"], "PNG": [".png"], "TIFF": [".tif", ".tiff"], "WebP": [".webp"], "AVIF": [".avif"],
    "HEIC": [".heic"], "JPEG XL": [".jxl"], "OpenEXR": [".exr"],
}  # fmt: skip
ROWS = {
    cells[0]: dict(zip(("read", "written", "alpha", "profile", "exif", "iptc", "resolution"), cells[1:], strict=True))
    for line in PAGE.splitlines()
    if line.startswith("| ") and (cells := [cell.strip() for cell in line.strip("| ").split(" | ")])[0] in EXTENSIONS
}
WRITTEN = {name: row for name, row in ROWS.items() if row["written"] != "no"}


def test_every_format_has_a_row():
    assert set(ROWS) == set(EXTENSIONS)


def test_what_is_written_is_what_the_table_says():
    assert {extension for name in WRITTEN for extension in EXTENSIONS[name]} == set(ENCODERS)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.filterwarnings("ignore::harmonizer.HarmonizerWarning")
def test_alpha_and_iptc_are_kept_where_the_table_says_so(tmp_path, image, mask, name):
    path = tmp_path / f"a{EXTENSIONS[name][0]}"
    io.write_image(path, Picture(image, mask, iptc=b"\x1c\x02\x74\0\x01x"))
    read = io.read_image(path)
    assert (read.alpha is not None) == (WRITTEN[name]["alpha"] == "kept")
    assert (read.iptc is not None) == (WRITTEN[name]["iptc"] == "kept")


def test_both_commands_do_the_same(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    pictures = []
    for line in re.search(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1].splitlines():
        code, _, error = run(*shlex.split(line)[1:])
        assert (code, error) == (0, "")
        pictures.append(io.read_image("out.png").pixels)
    np.testing.assert_array_equal(*pictures)
