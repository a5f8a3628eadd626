"""Every command of docs/service.md runs, against a service of its own, and answers what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import whitebox_filters as wf
from harmonizer import edits, io, jobs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/service.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(url, tmp_path_factory):
    """A user's folder, in which the page's requests were sent."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    folder = tmp_path_factory.mktemp("user")
    (folder / "demo").symlink_to(ROOT / "demo")
    requests = "".join(block for block in BLOCKS if "curl" in block).replace("http://127.0.0.1:8000", url)
    script = "set -euo pipefail\n" + requests.replace("curl ", "curl --fail --silent --show-error ")
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def demo_result(harmonizer):
    picture, mask = io.read_composite(ROOT / "demo/composite.jpg", ROOT / "demo/mask.png")
    return picture.pixels, mask, *jobs.harmonize(harmonizer, picture.pixels, mask)


def test_the_first_two_answer_picture_and_edit(folder, demo_result):
    *_, result, edit = demo_result
    np.testing.assert_array_equal(io.read_image(folder / "out.png").pixels, result.image)
    assert edits.read(folder / "edit.json") == edit


def test_the_third_renders_another_theta(folder, demo_result):
    pixels, mask, _, edit = demo_result
    lifted, _ = jobs.apply(edit, pixels, mask, {"shadow": 0.3})
    apart = np.abs(io.read_image(folder / "lifted.jpg").pixels.astype(int) - lifted.image)
    assert apart.mean() < 2  # JPEG


def test_the_fourth_makes_a_lut(folder, demo_result):
    np.testing.assert_allclose(wf.read_cube(folder / "grade.cube"), demo_result[3].bake_lut(33), atol=1e-6)


def test_a_cut_out_is_placed(folder):
    placed = io.read_image(folder / "placed.png").pixels
    background = io.read_image(ROOT / "demo/background.jpg").pixels
    assert placed.shape == background.shape
    np.testing.assert_array_equal(placed[:40], background[:40])
    assert (placed[200:350, 200:350] != background[200:350, 200:350]).any()


def test_the_page_names_every_request(url):
    import httpx

    formats = re.search(r"`format`: (.*?);", PAGE, re.DOTALL)[1]
    document = httpx.get(f"{url}/openapi.json").json()
    for path in document["paths"]:
        assert path in PAGE, path
    for format in httpx.get(f"{url}/v1/filters").json()["formats"]:
        assert format in formats
