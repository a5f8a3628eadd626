"""What is measured: sizes, sets of filters and their arguments, the frame, the masks, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from baselines import Frame, Names, Theta
from oracle import BAND_FILTERS, filter_sets
from PIL import Image

PHOTO = Path(__file__).parents[2] / "demo" / "composite.jpg"

Size = tuple[int, int]  # width, height
SIZES: dict[str, Size] = {"1080p": (1920, 1080), "720p": (1280, 720), "4K": (3840, 2160)}
"""The first one is that of the ratios, and the only one where the second mask is measured."""
LARGEST = (7680, 4320)

FULL, QUARTER = "full frame", "a quarter of the frame"
SIX = 6  # filters in the ratios, and wherever one number stands for all
SEED = 0
REACH = 0.5  # of theta


def sets() -> dict[int, Names]:
    """The sets of filters by their number, each holding the one before it."""
    titled = filter_sets()
    sixteen = titled["sixteen"]
    chosen = (
        ("brightness",),
        titled["brightness, saturation"],
        titled["+ temperature, contrast"],
        titled["the paper's six"],
        titled["eight"],
        sixteen,
        sixteen + BAND_FILTERS[:16],
        sixteen + BAND_FILTERS,
    )
    return {len(names): names for names in chosen}


def arguments(names: Names) -> Theta:
    """Theta, drawn once for all filters, so that a filter has the same in each set."""
    most = max(sets().values(), key=len)
    drawn = np.random.default_rng(SEED).uniform(-REACH, REACH, len(most))
    theta = dict(zip(most, drawn.tolist(), strict=True))
    return tuple(theta[name] for name in names)


def photo(size: Size) -> Frame:
    """The demo's photograph at this size."""
    with Image.open(PHOTO) as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC)).copy()


def mask(name: str, size: Size) -> Frame:
    """All white, or an ellipse with soft edges in the middle, over a quarter of the frame."""
    width, height = size
    if name == FULL:
        return np.full((height, width), 255, np.uint8)
    radius = np.sqrt(1 / (4 * np.pi))  # of the ellipse, in widths and heights
    y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    inside = (radius - np.hypot(x, y)) * height  # in pixels
    return np.asarray(np.clip(inside + 0.5, 0, 1) * 255).astype(np.uint8)


class Case(NamedTuple):
    """One cell of the tables."""

    size: str
    mask: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks for
    contender: str


@dataclass(frozen=True)
class Memory:
    """One frame of the largest size in a process of its own; bytes, and the seconds of a second call."""

    extra: int  # at the peak of the first call, over what was there with frame and mask
    frame: int
    mask: int
    seconds: float


@dataclass(frozen=True)
class Limits:
    """What one core does at most, in a second, each alone."""

    operations: float  # of float32, a fused multiply-add counted as two
    look_ups: float  # of a byte in a table by an index of 32 bits, stored
    sums: float  # of levels of a frame, added up


@dataclass(frozen=True)
class Work:
    """What a cascade asks for, a pixel, and the seconds that a frame takes on one core."""

    bytes: int
    look_ups: int
    sums: int
    operations: float
    seconds: float

    def least(self, limits: Limits) -> float:
        """Seconds a pixel of a core at its limits, if nothing overlaps."""
        tables = self.look_ups / limits.look_ups + self.sums / limits.sums
        return tables + self.operations / limits.operations


@dataclass
class Results:
    """All that the page shows: seconds of every call, or why there are none."""

    sizes: dict[str, Size]
    counts: tuple[int, ...]
    seconds: dict[Case, list[float]] = field(default_factory=dict)
    skipped: dict[Case, str] = field(default_factory=dict)
    on_tensors: dict[str, list[float]] = field(default_factory=dict)  # by contender, without conversion
    memory: dict[str, Memory] = field(default_factory=dict)  # by contender
    first_frame: list[float] = field(default_factory=list)  # from import on, in fresh processes
    limits: Limits | None = None
    work: dict[int, Work] = field(default_factory=dict)  # by number of filters
    command: str = ""

    @property
    def main(self) -> str:
        """The size of the ratios."""
        return next(iter(self.sizes))

    def median(self, case: Case) -> float | None:
        """Seconds of a frame, None where not measured."""
        return float(np.median(self.seconds[case])) if case in self.seconds else None
