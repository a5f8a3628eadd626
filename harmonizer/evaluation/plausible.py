"""Chooses what is evaluated: rows of an index, colour maps, and pairs of pictures that make a plausible composite."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

import numpy as np

from harmonizer.evaluation.transfer import ColourMap, Colours
from harmonizer.files.csv_rows import Row
from harmonizer.pictures.picture import Pixels

CANDIDATES = 16
PIXELS = 4000
CLIPPED_TRANSFER = 0.1  # the share of the foreground that a transfer may push out of the gamut
GAIN = 2.5  # by how much a transfer may stretch or squeeze the contrast of an axis
AXES = np.array([[1.0, 1, 1], [1, -1, 0], [0.5, 0.5, -1]]).T / 3  # lightness, red-green, yellow-blue
NOISE = 0.01  # deviations below it are noise, not contrast
CAST = 0.12  # how far the mean colour may move on the wheel, on which pure red, green and blue lie at 1
MOST_TRANSFER = 4000.0  # mean squared change, 0-255
LEAST, MOST_SCENE = 30.0, 10_000.0  # the same: less is nothing to do, more is beyond what a filter can mend
BLACK, WHITE = 15, 240
CLIPPED_FOREGROUND = 0.5  # from this share of black and white pixels on too little is left to recover


def order(name: str) -> bytes:
    """A hash of the name to sort by: an order that looks random and is the same everywhere."""
    return hashlib.sha256(name.encode()).digest()


def even_subset(rows: Sequence[Row], count: int) -> list[Row]:
    """At most `count` rows, in their order, with as many from each source as from the others while it has any left.

    The source is the text before the colon in the column `source`. Within a source, a hash of `mask` decides.
    """
    by_source: dict[str, list[int]] = {}
    for index in sorted(range(len(rows)), key=lambda index: order(rows[index]["mask"])):
        by_source.setdefault(rows[index].get("source", "").split(":")[0], []).append(index)
    rounds = zip_longest(*(by_source[source] for source in sorted(by_source)))
    chosen = [index for turn in rounds for index in turn if index is not None]
    return [rows[index] for index in sorted(chosen[:count])]


def foreground_colours(picture: Pixels, foreground: Pixels) -> Colours:
    """At most PIXELS colours (P, 3) in [0, 1] of a uint8 HWC picture, evenly from the foreground (HW bool)."""
    colours = picture[foreground]
    return colours[:: -(-len(colours) // PIXELS) or 1] / 255


def references(name: str, colours: Colours, others: Mapping[str, Colours]) -> list[str]:
    """CANDIDATES other foregrounds, drawn by a hash of the names, sorted by how close their mean hue is."""
    candidates = sorted(others, key=lambda other: order(f"{name} {other}"))[:CANDIDATES]
    hue = _mean_chroma(colours)
    return sorted(candidates, key=lambda other: abs(float(np.angle(_mean_chroma(others[other]) * np.conj(hue)))))


def choose_transfer(
    name: str, colours: Colours, others: Mapping[str, Colours], method: Callable[[Colours, Colours], ColourMap]
) -> ColourMap | None:
    """The map to the first of the `references` with a plausible result; None where there is none."""
    for other in references(name, colours, others):
        colour_map = method(colours, others[other])
        if is_plausible(colours, colour_map(colours)):
            return colour_map
    return None


def is_plausible(before: Colours, after: Colours) -> bool:
    """Whether the result of a transfer (P, 3) could be a photograph, and differs enough from the original.

    Few pixels may leave [0, 1]; the contrast of lightness, red-green and yellow-blue may neither grow nor shrink by
    more than GAIN; the mean colour may move on the wheel by CAST; the mean squared change lies between LEAST and
    MOST_TRANSFER.
    """
    clipped = np.clip(after, 0, 1)
    outside = (np.abs(after - clipped) > 0.5 / 255).any(axis=1).mean()
    gain = ((after @ AXES).std(axis=0) + NOISE) / ((before @ AXES).std(axis=0) + NOISE)
    change = float(np.mean(np.square(255 * (clipped - before))))
    steady = bool((gain < GAIN).all() and (gain > 1 / GAIN).all())
    cast = abs(_mean_chroma(clipped) - _mean_chroma(before))
    return bool(outside <= CLIPPED_TRANSFER) and steady and cast <= CAST and LEAST <= change <= MOST_TRANSFER


def is_worthwhile(pasted: Pixels, real: Pixels) -> bool:
    """Whether a pasted foreground (P, 3) uint8 can be harmonized to the real one (P, 3), and needs to be.

    At most CLIPPED_FOREGROUND of each is black or white, and their mean squared difference lies between LEAST and
    MOST_SCENE.
    """
    if max(share_clipped(pasted), share_clipped(real)) > CLIPPED_FOREGROUND:
        return False
    return LEAST <= float(np.mean(np.square(pasted.astype(np.float64) - real))) <= MOST_SCENE


def share_clipped(pixels: Pixels) -> float:
    """The share of pixels (P, 3) uint8 of which all channels are black or all are white; 1 of no pixels."""
    if not len(pixels):
        return 1.0
    return float(((pixels.max(axis=1) <= BLACK) | (pixels.min(axis=1) >= WHITE)).mean())


def _mean_chroma(colours: Colours) -> complex:
    """The mean colour on the colour wheel: its angle is the hue."""
    wheel = np.exp(2j * np.pi * np.arange(3) / 3)
    return complex(colours.mean(axis=0) @ wheel)
