"""Masks from a folder of pictures, one a frame, all of them read in one way."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from harmonizer.alpha import varies
from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures import io, roles
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.video.frames import Alpha


def read_folder(folder: Path, files: Sequence[Path], size: tuple[int, int]) -> Iterator[Alpha]:
    """The masks of `files`, each (H, W) of `size`, float32 in [0, 1].

    What a mask is holds for all of them, since a fade begins with pictures that are opaque, transparent, or nearly
    black: they are the alpha channels if these vary over the folder, else the grey values. Values of 8 bits are
    opacity out of 255, unless none in the folder is above 1: then they are flags, and a HarmonizerWarning says so.
    Raises ImageFileError and MaskError.
    """
    uses_alpha = _alpha_varies(files)
    are_flags: bool | None = None  # unknown while all pictures are black
    for index, file in enumerate(files):
        picture = _mask(file, uses_alpha)
        if are_flags is None and picture.pixels.any():
            are_flags = all(_highest(_mask(other, uses_alpha).pixels) <= 1 for other in files[index:])
            if are_flags:
                message = (
                    f"no mask of {folder} has a value above 1; 1 is taken for the foreground, 0 for the background"
                )
                warnings.warn(message, HarmonizerWarning, stacklevel=2)
        levels = (picture.pixels > 0) if are_flags else picture.pixels
        yield roles.opacity(Picture(convert_depth(levels, np.float32)), size, str(file))


def _alpha_varies(files: Sequence[Path]) -> bool:
    """Whether the alpha channels of pictures differ between any two pixels of any two of them."""
    constants: set[float] = set()
    for file in files:
        alpha = io.read_image(file, is_mask=True).alpha if _may_have_alpha(file) else None
        if alpha is not None and varies(alpha):
            return True
        constants.add(1.0 if alpha is None else float(convert_depth(alpha[:1, :1], np.float32)[0, 0]))
    return len(constants) > 1


def _may_have_alpha(file: Path) -> bool:
    """Whether a picture's header announces transparency, or is beyond Pillow: then only its pixels can tell."""
    try:
        with Image.open(file) as picture:
            return picture.has_transparency_data
    except (OSError, ValueError, Image.DecompressionBombError):
        return True


def _mask(file: Path, uses_alpha: bool) -> Picture:
    """The picture, or its alpha channel as a grey one."""
    picture = io.read_image(file, is_mask=True)
    if not uses_alpha:
        return replace(picture, alpha=None)
    scale = 1 if picture.pixels.dtype.kind == "f" else np.iinfo(picture.pixels.dtype).max
    alpha = np.full(picture.pixels.shape[:2], scale, picture.pixels.dtype) if picture.alpha is None else picture.alpha
    return Picture(np.repeat(alpha[..., None], 3, axis=2))


def _highest(pixels: Pixels) -> float:
    """The highest value of 8 bits; other depths never hold flags."""
    return float(pixels.max()) if pixels.dtype == np.uint8 else np.inf
