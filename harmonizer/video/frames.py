"""What goes through the pipeline: upright RGB frames, and a description of the stream that they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonizer.pictures.picture import Pixels, convert_depth
from whitebox_filters import Cascade

Alpha = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
"""Foreground opacity, HW: uint8 of full scale 255 where the source has 8 bits, else float32 in [0, 1]."""

Theta = npt.NDArray[np.float64]
"""Filter arguments (k,) in [-1, 1], in the cascade's order."""


def to_opacity(levels: Pixels) -> Alpha:
    """Opacity (H, W) of full scale 255 or 65535, as a frame carries it.

    uint8 stays as it is where filters take it for opacity. They take levels of 0 and 1 alone for flags, so these become
    float32, as uint16 always does.
    """
    is_mistakable = levels.dtype == np.uint8 and levels.max() == 1
    return convert_depth(levels, np.float32) if is_mistakable or levels.dtype != np.uint8 else levels


def without_noise(levels: Pixels) -> Pixels:
    """Grey (H, W) as it is, or black if it is uint8 and nowhere above level 1, which is noise of an encoder there."""
    return levels if levels.dtype != np.uint8 or levels.max() > 1 else np.zeros_like(levels)


@dataclass(frozen=True)
class Frame:
    """A frame as a player shows it: `pixels` HWC RGB in uint8 or uint16, `alpha` None where it has none."""

    index: int
    pts: int  # in units of the stream's time base
    duration: int  # the same; 0 where the file does not say
    time: float  # seconds from the stream's zero
    pixels: Pixels
    alpha: Alpha | None = None


@dataclass(frozen=True)
class Graded:
    """A frame with the theta that renders it. `raw` is the network's own theta, None where no network decided.

    Rendering puts the new pixels into `frame`, and into `statistics` what the filters measured, as `Cascade.__call__`
    takes it. `before` has the old pixels if an output needs them.
    """

    frame: Frame
    theta: Theta
    raw: Theta | None = None
    shot_change: bool = False  # whether a shot begins with the frame
    before: Pixels | None = None
    statistics: Sequence[Any] = ()


Decide = Callable[[Iterable[Frame]], Iterator[Graded]]
"""Decides theta for each frame; the frames carry their masks."""


@dataclass(frozen=True)
class Grading:
    """The filters of a video, and what decides theta frame by frame; `smoothing` describes how, for people."""

    cascade: Cascade
    decide: Decide
    smoothing: str


@dataclass(frozen=True)
class Colour:
    """How colours are coded, in the numbers of ITU-T H.273, which files hold and FFmpeg uses; 2 is unspecified."""

    matrix: int
    full_range: bool
    primaries: int
    transfer: int


@dataclass(frozen=True)
class Hdr10:
    """What HDR10 says of a whole film, in the notation of x264 and x265; None where the file does not say.

    `mastering_display` is G(x,y)B(x,y)R(x,y)WP(x,y)L(greatest,least) in units of 0.00002 and 0.0001 candela a square
    metre (SMPTE ST 2086), `light_level` the greatest light of a pixel and of a frame, in candela a square metre
    (CTA-861.3).
    """

    mastering_display: str | None = None
    light_level: str | None = None


@dataclass(frozen=True)
class VideoInfo:
    """A video stream, upright."""

    size: tuple[int, int]  # H, W
    time_base: Fraction
    rate: Fraction  # frames a second, the average where it varies
    sample_aspect: Fraction  # width of a pixel over its height
    pixel_format: str  # FFmpeg's name
    bits: int
    has_alpha: bool
    colour: Colour
    start: Fraction  # seconds by which the file's clock is ahead of 0
    frames: int | None  # about how many, for the progress; None where the file does not say
    hdr10: Hdr10 = Hdr10()
    unwritable: Sequence[str] = ()  # what the stream says of its picture that no output says, in words
