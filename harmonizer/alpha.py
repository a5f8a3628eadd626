"""Alpha channels: when they say something, and what they hide.

Alpha is (H, W), straight (not premultiplied): uint8 or uint16 of full scale, or float in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from harmonizer.pictures.picture import Pixels
from whitebox_filters.images import LEVELS

if TYPE_CHECKING:
    from harmonizer.edits import Edit
    from harmonizer.render import Result


def says_something(alpha: Pixels) -> bool:
    """Whether any pixel is not opaque: a channel that is opaque everywhere is as if it were not there."""
    return bool(alpha.min() < LEVELS.get(alpha.dtype, 1))


def varies(alpha: Pixels) -> bool:
    """Whether the channel has a shape: a constant one shows no foreground."""
    return bool(alpha.min() < alpha.max())


def cover_hidden(pixels: Pixels, alpha: Pixels) -> Pixels:
    """A picture (H, W, 3) whose pixels with alpha 0 have the mean colour of the others, so that they steer nothing.

    Nobody can see these pixels, and programs write any colour there. The picture itself where there are none, or
    nothing else.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return pixels
    mean = pixels[~hidden].mean(axis=0, dtype=np.float64)
    covered = pixels.copy()
    covered[hidden] = np.rint(mean) if pixels.dtype in LEVELS else mean
    return covered


def harmonize_visible(
    job: Callable[[Pixels, Pixels], tuple[Result, Edit]], pixels: Pixels, mask: Pixels, alpha: Pixels | None
) -> tuple[Result, Edit]:
    """Do a job on what can be seen of a picture: `mask` counts as 0 where alpha is, and pixels there stay as they are.

    `job` takes picture (H, W, 3) and mask (H, W), as those of `harmonizer.jobs` do.
    """
    if alpha is None or alpha.all():
        return job(pixels, mask)
    hidden = alpha == 0
    result, edit = job(cover_hidden(pixels, alpha), np.where(hidden, mask.dtype.type(0), mask))
    result.image[hidden] = pixels[hidden]
    return result, edit
