"""Makes a foreground and a background that move, with sound, and harmonizes them: out/harmonized.mp4.

Run it from the repository root: python demo/video.py. The cut-out of the demo drifts over a slow pan, under a light
that is too dim and too blue; a gliding tone is the sound. out/composite.mp4 is the same before: a timeline whose theta
was edited to 0 makes it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

HERE = Path(__file__).parent
OUT = Path("out")
SIDE, ZOOM, FRAMES, RATE = 384, 1.25, 120, 30
LIGHT = (0.55, 0.65, 0.85)  # of the foreground, against white
SAMPLE_RATE, LOW, HIGH = 44100, 220, 440  # Hz

Image8 = npt.NDArray[np.uint8]


def foreground() -> Iterator[Image8]:
    """The cut-out (HWC RGBA) drifting from left to right under the other light."""
    cut_out = np.asarray(Image.open(HERE / "foreground.png")).copy()
    cut_out[..., :3] = cut_out[..., :3] * LIGHT
    for share in np.linspace(-1, 1, FRAMES):
        canvas = np.zeros_like(cut_out)
        shift = round(share * SIDE / 6)
        canvas[:, max(shift, 0) : SIDE + min(shift, 0)] = cut_out[:, max(-shift, 0) : SIDE - max(shift, 0)]
        yield canvas


def background() -> Iterator[Image8]:
    """A pan (HWC RGB) over the photograph."""
    side = round(SIDE * ZOOM)
    photograph = Image.open(HERE / "background.jpg").resize((side, side), Image.Resampling.LANCZOS)
    for left in np.linspace(0, side - SIDE, FRAMES):
        box = (left, (side - SIDE) / 2, left + SIDE, (side + SIDE) / 2)
        yield np.asarray(photograph.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box))


def tone() -> Iterator[av.AudioFrame]:
    """A sine that glides up and fades in and out, as long as the clip."""
    time = np.arange(SAMPLE_RATE * FRAMES // RATE) / SAMPLE_RATE
    length = FRAMES / RATE
    wave = np.sin(2 * np.pi * (LOW * time + (HIGH - LOW) * time**2 / (2 * length))) * np.sin(np.pi * time / length) / 4
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame


def write(path: Path, frames: Iterable[Image8], codec: str, sound: bool) -> None:
    """Encode frames of one size, with or without the tone."""
    with av.open(str(path), "w") as output:
        picture: Any = output.add_stream(codec, RATE)
        picture.width = picture.height = SIDE
        picture.pix_fmt = "rgba" if codec == "png" else "yuv420p"
        voice: Any = output.add_stream("aac", SAMPLE_RATE, layout="mono") if sound else None
        for frame in frames:
            name = "rgba" if frame.shape[2] == 4 else "rgb24"
            output.mux(picture.encode(av.VideoFrame.from_ndarray(frame, name)))
        output.mux(picture.encode(None))
        if voice:
            for part in (*tone(), None):
                output.mux(voice.encode(part))


def run(*arguments: str | Path) -> None:
    """Run `harmonizer video`, printing the command."""
    print("$ harmonizer video", *arguments, flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "harmonizer", "video", *arguments], check=True)


def main() -> None:
    """Write the clips and the timelines."""
    OUT.mkdir(exist_ok=True)
    write(OUT / "foreground.mov", foreground(), "png", sound=True)
    write(OUT / "background.mp4", background(), "libx264", sound=False)
    pair = (OUT / "foreground.mov", "--background", OUT / "background.mp4", "-o")
    run(*pair, OUT / "harmonized.mp4", "--theta-out", OUT / "theta.jsonl")
    header, *lines = map(json.loads, (OUT / "theta.jsonl").read_text().splitlines())
    unchanged = [line | {"theta": [0.0] * len(header["filters"])} for line in lines]
    (OUT / "unchanged.jsonl").write_text("\n".join(map(json.dumps, [header, *unchanged])) + "\n")
    run(*pair, OUT / "composite.mp4", "--theta-in", OUT / "unchanged.jsonl")


if __name__ == "__main__":
    main()
