"""Makes the demo's pictures from two photographs that scikit-image carries, and from mask.png, the cut-out.

The foreground is lit differently by a colour matrix in linear light and a tone curve, as another camera under another
light would record it: none of the filters of this project, so that no setting of theirs undoes it exactly.

Run it with scikit-image installed: python demo/make_composite.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image

HERE = Path(__file__).parent
# Rows: what red, green and blue of the new light take from red, green and blue; cooler, and under-exposed.
LIGHT = 0.5 * np.array([[0.70, 0.04, 0.00], [0.03, 0.95, 0.03], [0.00, 0.08, 1.40]])
TONE = 0.3  # share of the S-curve 3t^2 - 2t^3 in the tone curve
CUT_OUT_SIDE = 384

Image8 = npt.NDArray[np.uint8]
Float = npt.NDArray[np.floating[Any]]


def relight(image: Image8) -> Float:
    """The photograph under the other light: HWC sRGB uint8 to sRGB in [0, 1]."""
    srgb = image / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lit = np.clip(linear @ LIGHT.T, 0, 1)
    tone = np.where(lit <= 0.0031308, 12.92 * lit, 1.055 * lit ** (1 / 2.4) - 0.055)
    return (1 - TONE) * tone + TONE * (3 * tone**2 - 2 * tone**3)


def paste(over: Float, under: Float, alpha: Float) -> Image8:
    """`over` where alpha is 1, `under` where it is 0; all in [0, 1]."""
    return np.round(255 * (over * alpha + under * (1 - alpha))).astype(np.uint8)


def main() -> None:
    """Write real.jpg, composite.jpg, foreground.png and background.jpg beside this script."""
    real = skimage.data.astronaut()
    mask = Image.open(HERE / "mask.png").convert("L")
    alpha = np.asarray(mask)[..., None] / 255
    save(Image.fromarray(real), "real.jpg")
    save(Image.fromarray(paste(relight(real), real / 255, alpha)), "composite.jpg")

    cut_out = Image.fromarray(real)
    cut_out.putalpha(mask)
    cut_out = cut_out.resize((CUT_OUT_SIDE, CUT_OUT_SIDE), Image.Resampling.LANCZOS)
    # Colours that nobody sees cost two thirds of the file.
    visible = np.asarray(cut_out).copy()
    visible[visible[..., 3] == 0] = 0
    Image.fromarray(visible).save(HERE / "foreground.png", optimize=True)
    launch = Image.fromarray(skimage.data.rocket())
    square = launch.crop((0, 0, launch.height, launch.height))
    save(square.resize((CUT_OUT_SIDE, CUT_OUT_SIDE), Image.Resampling.LANCZOS), "background.jpg")


def save(image: Image.Image, name: str) -> None:
    """Write a JPEG whose loss is far below what the demo measures."""
    image.save(HERE / name, quality=95, subsampling="4:4:4")


if __name__ == "__main__":
    main()
