"""Every command of docs/editing.md runs, one after the other, and does what the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import imageio_ffmpeg
import jsonschema
import numpy as np
import pytest

import whitebox_filters as wf
from harmonizer.pictures import io

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/editing.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run_script, shell_blocks):
    """A user's folder, in which all commands of the page have been run; the repository is not written to."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "demo").symlink_to(ROOT / "demo")
    find_ffmpeg = f'ffmpeg() {{ {shlex.quote(imageio_ffmpeg.get_ffmpeg_exe())} "$@"; }}\n'
    done = run_script(find_ffmpeg + "".join(shell_blocks(PAGE)), folder)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    return folder


def pixels(path):
    return io.read_image(path).pixels


def test_the_first_three_commands(folder):
    assert (folder / "same.png").read_bytes() == (folder / "out.png").read_bytes()
    assert (pixels(folder / "lifted.png") != pixels(folder / "out.png")).any()
    assert json.loads((folder / "lifted.json").read_text())["filters"][-1] == {"name": "shadow", "theta": 0.3}


def test_other_programs(folder):
    composite, out = pixels(ROOT / "demo/composite.jpg"), pixels(folder / "out.png")
    moved = np.rint((pixels(folder / "delta.png").astype(float) - 32768) * 2 / 257)
    np.testing.assert_array_equal(composite + moved, out)
    mask = io.read_mask(folder / "mask.png", out.shape[:2])
    np.testing.assert_array_equal(mask, io.read_mask(ROOT / "demo/mask.png", out.shape[:2]))
    decode = ["-v", "error", "-i", ROOT / "demo/composite.jpg", "-pix_fmt", "rgb24", folder / "decoded.png"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *decode], check=True)
    expected = wf.apply_lut(pixels(folder / "decoded.png"), wf.read_cube(folder / "grade.cube"))
    assert (np.abs(pixels(folder / "graded.png").astype(int) - expected) <= 1).mean() >= 0.999


def test_pipes(folder):
    assert (folder / "piped.png").read_bytes() == (folder / "out.png").read_bytes()
    assert (folder / "piped.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert (folder / "harmonized.mp4").stat().st_size > 1000
    frame = np.frombuffer((folder / "frames.rgba").read_bytes(), np.uint8).reshape(384, 384, 4)
    foreground = io.read_image(ROOT / "demo/foreground.png")
    np.testing.assert_array_equal(frame[..., 3], foreground.alpha)
    assert (frame[..., :3] != foreground.pixels).any()


def test_the_edit_that_is_shown_is_one():
    shown = json.loads(re.search(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL).group(1))
    jsonschema.validate(shown, json.loads((ROOT / "docs/edit.schema.json").read_text(encoding="utf-8")))
