"""What the page needs to show every change at once: a small picture, its colours, and a table for each edit.

With statistics frozen a cascade is a function of colour. So the page keeps the picture's colours, counted in cells,
and sends them with each changed edit: they are enough to measure statistics anew, and the service keeps nothing.
"""

from __future__ import annotations

import functools
import io

import numpy as np
import numpy.typing as npt

import whitebox_filters as wf
from harmonizer.edits import Edit
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.render import Renderer

CELLS = 24  # along each axis of the colour cube
COLUMNS = 5
"""Of the colours: red, green and blue in [0, 1], and how many pixels of the frame and of the foreground they are of."""

Colours = npt.NDArray[np.float32]


def encode_preview(picture: Picture, opacity: Pixels, side: int) -> bytes:
    """The picture as PNG of 8 bits, at most `side` pixels long, its values as they are; alpha is the mask (HW)."""
    from PIL import Image

    pixels, alpha = convert_depth(picture.pixels, np.uint8), convert_depth(opacity, np.uint8)
    # Scaled apart: Pillow would weigh colours by alpha, and lose those outside the mask.
    layers = [Image.fromarray(layer) for layer in (pixels, alpha)]
    for layer in layers:
        layer.thumbnail((side, side), Image.Resampling.BOX)
    layers[0].putalpha(layers[1])
    file = io.BytesIO()
    layers[0].save(file, "PNG", compress_level=1)
    return file.getvalue()


def encode_mask(opacity: Pixels) -> bytes:
    """A mask (HW, float32 in [0, 1]) as grey PNG of 8 bits."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(convert_depth(opacity, np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def count_colours(picture: Picture, opacity: Pixels) -> Colours:
    """The mean colours of all cells that the picture has, and their counts: (N, COLUMNS)."""
    pixels = convert_depth(picture.pixels, np.float32).reshape(-1, 3)
    cells = (pixels * CELLS).astype(np.int32).clip(max=CELLS - 1)
    index = (cells[:, 0] * CELLS + cells[:, 1]) * CELLS + cells[:, 2]
    visible = None if picture.alpha is None else (picture.alpha.ravel() > 0).astype(np.float32)
    columns = [*pixels.T, np.ones(len(index), np.float32), opacity.ravel()]
    weights = columns if visible is None else [column * visible for column in columns]
    sums = np.stack([np.bincount(index, column, CELLS**3) for column in weights], axis=1)
    sums = sums[sums[:, 3] > 0]
    return np.hstack([sums[:, :3] / sums[:, 3:4], sums[:, 3:]]).astype(np.float32)


def bake(edit: Edit, size: int) -> bytes:
    """An edit, all statistics in it, as size^3 triples of 8 bits, red fastest, by the compiled filters."""
    renderer = Renderer(edit.cascade)
    image = renderer.plan(_lattice(size), list(edit.theta.values()), statistics=edit.statistics)
    return convert_depth(image, np.uint8).tobytes()


@functools.lru_cache(maxsize=4)
def _lattice(size: int) -> Colours:
    """Every colour of the table (size * size, size, 3): blue changes slowest, then green."""
    steps = np.linspace(0, 1, size, dtype=np.float32)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return np.ascontiguousarray(np.stack([red, green, blue], axis=-1).reshape(size * size, size, 3))


def measure(edit: Edit, colours: Colours) -> Edit:
    """The edit with statistics where it has none, measured on colours of `count_colours`.

    Raises whitebox_filters.ImageError and ThetaError.
    """
    missing = [
        filter.statistic is not None and step.statistic is None
        for filter, step in zip(edit.cascade.filters, edit.steps, strict=True)
    ]
    if not any(missing):
        return edit
    weights = colours[:, 4 if edit.region == "mask" and colours[:, 4].any() else 3]
    renderer = Renderer(wf.Cascade(edit.cascade.names, statistics="mask"))
    theta, image = list(edit.theta.values()), np.ascontiguousarray(colours[None, :, :3].clip(0, 1))
    mask = np.ascontiguousarray(weights[None] / weights.max())
    measured = renderer.plan.statistics(image, theta, mask, edit.statistics)
    return edit.with_statistics(measured)
