"""What the faults are tried on: small pictures, clips, photographs to train on, a study."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from harmonizer import io
from harmonizer.evaluation.bench import masks, picture
from harmonizer.pictures.picture import Picture

Levels = npt.NDArray[np.uint8]


def pair(folder: Path, name: str, seed: int, size: tuple[int, int]) -> tuple[Path, Path]:
    """A picture and its mask, NAME.png and NAME_mask.png, of a size (H, W)."""
    image, mask = folder / f"{name}.png", folder / f"{name}_mask.png"
    io.write_image(image, Picture(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)))
    io.write_image(mask, Picture(np.dstack([masks(size)["a quarter"]] * 3)))
    return image, mask


def pairs(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """A folder of so many."""
    folder.mkdir()
    for number in range(count):
        pair(folder, f"p{number:05d}", number, size)
    return folder


def clip(folder: Path, count: int, size: tuple[int, int]) -> tuple[Path, Path]:
    """composite.mp4 and mask.mp4 of so many frames (H, W), which move."""
    image, mask = picture(size), np.dstack([masks(size)["a quarter"]] * 3)
    paths = folder / "composite.mp4", folder / "mask.mp4"
    for path, first in zip(paths, (image, mask), strict=True):
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", 25, {"crf": "18", "preset": "ultrafast"})
            stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
            stream.time_base = Fraction(1, 25)
            for number in range(count):
                pixels = np.ascontiguousarray(np.roll(first, number % size[1], axis=1))
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            output.mux(stream.encode(None))
    return paths


def count_frames(path: Path) -> int:
    """How many a file has."""
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


def photographs(folder: Path, count: int = 40, size: tuple[int, int] = (60, 80)) -> Path:
    """Pictures with masks and their index.csv, to train on."""
    folder.mkdir()
    with (folder / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "mask"])
        for number in range(count):
            random = np.random.default_rng(number)
            coarse = Image.fromarray(random.integers(30, 220, (6, 8, 3), dtype=np.uint8))
            smooth = np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC), np.float64)
            Image.fromarray((smooth + random.normal(0, 20, (*size, 1))).clip(0, 255).astype(np.uint8)).save(
                folder / f"{number}.jpg"
            )
            Image.fromarray(masks(size)["a quarter"]).save(folder / f"{number}.png")
            rows.writerow([f"{number}.jpg", f"{number}.png"])
    return folder


def recipe(path: Path, steps: int) -> Path:
    """A small network that is trained for so many steps, ten milestones among them."""
    values = {
        "pretrained": False,
        "network": {"encoder": "mobilenetv3_small_050", "input_size": 48},
        "steps": steps,
        "batch_size": 8,
        "sizes": [[1.0, 48]],
        "warmup": 2,
    }
    path.write_text(json.dumps(values))
    return path


def study(folder: Path, composites: int = 12) -> Path:
    """A study of so many pictures to adjust."""
    for number in range(composites):
        place = folder / "adjust" / f"cat{number}"
        place.mkdir(parents=True)
        image, mask = pair(place, "x", number, (24, 32))
        image.rename(place / "composite.png")
        mask.rename(place / "mask.png")
    (folder / "study.json").write_text(json.dumps({"filters": ["brightness", "contrast"]}))
    return folder
