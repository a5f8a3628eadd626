"""The one place where a picture is rendered: the filters of a cascade with theta, blended by the mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonizer.pictures.picture import Pixels
from whitebox_filters import Cascade, ImageError
from whitebox_filters.images import check_image, to_alpha


@dataclass(frozen=True)
class Result:
    """A rendered picture, HWC RGB of the composite's dtype and size, and what made it.

    `theta` is in [-1, 1], by filter name in the order of `cascade`. `statistics` holds in the same order what each
    filter measured of the composite, as `Cascade.__call__` takes it, None for filters that measure nothing.
    """

    image: Pixels
    theta: dict[str, float]
    cascade: Cascade
    statistics: Sequence[Any]


class Renderer:
    """A cascade that is compiled for pictures in memory. Holds no state between calls, so threads may share it."""

    def __init__(self, cascade: Cascade) -> None:
        """Compile the cascade."""
        self.cascade = cascade
        self.plan = cascade.compile("numba")

    def render(
        self,
        image: Pixels,
        theta: Mapping[str, float] | Sequence[float] | npt.NDArray[np.floating[Any]],
        alpha: Pixels,
        statistics: Sequence[Any] | None = None,
        out: Pixels | None = None,
    ) -> Result:
        """Filter a composite and blend it by its mask (Eqs. 4 and 5). Where the mask is 0, pixels keep their bits.

        `image` is HWC RGB: uint8, uint16, or float32 / float64 in [0, 1]. `theta` is in [-1, 1], in order or by name
        for every filter. `alpha` (H, W) is the opacity of the foreground: bool, uint8, uint16 or float in [0, 1].
        `statistics` freezes what filters measure, None where they are to measure it. `out`, of the image's shape and
        dtype, takes the pixels, and may be `image` itself.
        Raises ImageError, ThetaError, BackendError and FilterError of whitebox_filters.
        """
        values = self.cascade.check_theta(theta)
        pixels, used = self.plan.render(image, values, alpha, out, statistics)
        return Result(pixels, dict(zip(self.cascade.names, values.tolist(), strict=True)), self.cascade, used)


def open_mask(image: Pixels, mask: Pixels) -> Pixels:
    """The mask of a composite as opacity (H, W), float32 in [0, 1]; both are checked.

    They are as for `Renderer.render`. Raises whitebox_filters.ImageError.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"an image is a NumPy array; got {type(image).__name__}. Convert it with numpy.asarray")
    check_image(image)
    return to_alpha(np.asarray(mask), image.shape[:2], np.dtype(np.float32))
