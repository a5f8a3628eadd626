"""Every command of docs/video.md that names files runs, one after the other, then its script, as the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from clips import mask

from harmonizer.video.coding.reader import Reader

PAGE = (Path(__file__).parents[3] / "docs/video.md").read_text(encoding="utf-8")


def commands():
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield shlex.split(line, comments=True)


def frames(path):
    with Reader(path) as video:
        return np.array([frame.pixels for frame in video], int)


def test_the_commands_of_the_page(files, run, monkeypatch):
    monkeypatch.chdir(files)
    for program, *arguments in commands():
        if program == "harmonizer":
            assert arguments[0] == "video"
            recalled = "--theta-in" in arguments
            assert run(*arguments[1:], **({"weights": None} if recalled else {}))[::2] == (0, ""), arguments
        else:
            assert program == "ffmpeg"
            subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *arguments], check=True)
    shadow = [json.loads(line)["theta"][5] for line in Path("lifted.jsonl").read_text().splitlines()[1:]]
    assert set(shadow) == {0.3}
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    first = Path("theta.jsonl").read_text().splitlines()
    exec(block, {})
    changed = [old != new for old, new in zip(first, Path("theta.jsonl").read_text().splitlines(), strict=True)]
    assert changed == [False] + [0.1 <= json.loads(line)["time"] < 0.2 for line in first[1:]]
    assert any(changed)
    # Of frames as small as these, x264 makes now one thing, now another.
    assert np.abs(frames("edited.mp4") - frames("out.mp4")).mean() < 4
    before, ours, graded = (frames(name) for name in ("clip.mp4", "out.mp4", "graded.mp4"))
    inside = np.array([mask(index) for index in range(len(before))]) > 0
    assert np.abs(ours - before)[inside].mean() > 20
    assert np.abs(graded - ours)[inside].mean() < 8
    assert np.abs(graded - before)[:, 42:].mean() < 2.5  # after two encoders, and two conversions of chroma
