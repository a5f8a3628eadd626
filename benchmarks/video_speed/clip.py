"""A clip to harmonize: a DAVIS sequence brought to size, there and back until it is long enough, and its masks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from PIL import Image

from harmonizer.video.coding.colour import BT709, Converter
from harmonizer.video.frames import Colour

SEQUENCE = "camel"
RATE = 24
LIMITED = Colour(BT709, False, BT709, BT709)


def make_clip(davis: Path, folder: Path, size: tuple[int, int], frames: int) -> tuple[Path, Path]:
    """clip.mp4 and mask.mp4 in `folder`: H.264 by x264's own defaults (preset medium, CRF 23), 4:2:0, BT.709."""
    clip, masks = folder / "clip.mp4", folder / "mask.mp4"
    names = sorted((davis / "JPEGImages" / "480p" / SEQUENCE).glob("*.jpg"))
    with av.open(str(clip), "w") as video, av.open(str(masks), "w") as opacities:
        outputs = [(file, file.add_stream("libx264", RATE)) for file in (video, opacities)]
        for _, stream in outputs:
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.colorspace, stream.codec_context.color_range = BT709, 1
        converter = Converter(LIMITED)
        for name in islice(_there_and_back(names), frames):
            annotation = davis / "Annotations" / "480p" / SEQUENCE / f"{name.stem}.png"
            mask = Image.open(annotation).convert("L").point(lambda level: 255 * (level > 0)).convert("RGB")
            pictures = (
                Image.open(name).resize(size, Image.Resampling.BICUBIC),
                mask.resize(size, Image.Resampling.BILINEAR),
            )
            for (file, stream), picture in zip(outputs, pictures, strict=True):
                coded = converter.to_yuv(np.asarray(picture), "yuv420p")
                coded.pts, coded.time_base = None, Fraction(1, RATE)
                file.mux(stream.encode(coded))
        for file, stream in outputs:
            file.mux(stream.encode(None))
    return clip, masks


def describe(clip: Path) -> str:
    """Size, frames and bit rate."""
    with av.open(str(clip)) as file:
        stream = file.streams.video[0]
        megabits = clip.stat().st_size * 8 / 1e6 / (stream.frames / RATE)
        return f"{stream.frames} frames of {stream.width} x {stream.height}, H.264 at {megabits:.1f} Mbit/s"


def _there_and_back(names: list[Path]) -> Iterator[Path]:
    while True:
        yield from names
        yield from names[-2:0:-1]
