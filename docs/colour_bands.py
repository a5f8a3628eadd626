"""Makes docs/colour_bands.jpg: a rainbow through each filter of the colour bands, at theta = -1 and 1.

python docs/colour_bands.py [--out FILE]
"""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from whitebox_filters import get
from whitebox_filters.filters.colour_bands import ADJUSTMENTS, CENTRES

WIDTH, HEIGHT, MARGIN, GAP = 360, 21, 64, 8


def rainbow() -> npt.NDArray[np.float64]:
    """(HEIGHT, WIDTH, 3): every hue from left to right, and from vivid at the top to grey at the bottom."""
    return np.array(
        [
            [colorsys.hsv_to_rgb(x / WIDTH, 0.9 * (1 - y / (HEIGHT - 1)), 0.8) for x in range(WIDTH)]
            for y in range(HEIGHT)
        ]
    )


def cell(name: str) -> npt.NDArray[np.float64]:
    """The rainbow at theta = -1, as it is, and at theta = 1, one below the other."""
    return np.concatenate([get(name)(rainbow(), theta) for theta in (-1.0, 0.0, 1.0)])


def picture() -> Image.Image:
    """A row for each band, a column for each adjustment."""
    step_x, step_y = WIDTH + GAP, 3 * HEIGHT + GAP
    sheet = Image.new("RGB", (MARGIN + len(ADJUSTMENTS) * step_x, 20 + len(CENTRES) * step_y), "white")
    pen = ImageDraw.Draw(sheet)
    for column, adjustment in enumerate(ADJUSTMENTS):
        pen.text((MARGIN + column * step_x + WIDTH // 2, 4), adjustment, "black", anchor="mt")
        for row, band in enumerate(CENTRES):
            y = 20 + row * step_y
            pen.text((4, y + 3 * HEIGHT // 2), band, "black", anchor="lm")
            pixels = np.rint(255 * cell(f"{band}_{adjustment}")).astype(np.uint8)
            sheet.paste(Image.fromarray(pixels), (MARGIN + column * step_x, y))
    return sheet


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".jpg"))
    picture().save(arguments.parse_args().out, quality=88, optimize=True)
