"""Compiled cascades on the CPU: all cores, one pass over the pixels however many filters there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.backends import fuse, plan
from whitebox_filters.backends.frames import Frame, Mask, check_out, open_frame, open_mask
from whitebox_filters.backends.stages import Stages
from whitebox_filters.errors import BackendError
from whitebox_filters.images import FloatArray
from whitebox_filters.statistics import measure

if TYPE_CHECKING:
    from whitebox_filters.cascade import Cascade


class Plan:
    """A cascade made ready for NumPy pictures; it holds no state, so that threads may share it."""

    def __init__(self, cascade: Cascade) -> None:
        """Plan the passes of a cascade."""
        self._cascade = cascade
        self._separate = [plan.is_separate(filter) for filter in cascade.filters]

    def __str__(self) -> str:
        return plan.describe(self._cascade.filters, "the CPU")

    def __call__(
        self,
        image: npt.NDArray[Any],
        theta: Any,
        mask: Any = None,
        out: npt.NDArray[Any] | None = None,
        statistics: Sequence[Any] | None = None,
    ) -> npt.NDArray[Any]:
        """Filter an image (H, W, 3) of uint8, uint16, float32 or float64 and blend with `mask` (Eqs. 4 and 5).

        `theta`, `mask` and `statistics` are as for `Cascade.__call__`. Returns `out`, which has the image's shape and
        dtype and may be the image itself, or a new array. Where the mask is 0 the pixels are the input's, bit for bit;
        only rows and columns that the mask touches are computed. A mask of bool, uint8 or float32 is read as it is;
        others are converted first.
        Raises BackendError, ImageError, ThetaError, FilterError.
        """
        values, frozen = self._cascade.check_theta(theta), self._cascade.check_statistics(statistics)
        if not isinstance(image, np.ndarray):
            raise BackendError(f"backend 'numba' takes a NumPy array; got {type(image).__name__}")
        images.check_image(image)
        target = np.empty(image.shape, image.dtype) if out is None else check_out(out, image)
        frame = open_frame(image)
        alpha = open_mask(mask, frame)
        stages = self._prepare(frame, values, alpha, frozen)
        stages.render(frame, alpha, open_frame(target, writable=True))
        return target

    def _prepare(self, frame: Frame, theta: FloatArray, alpha: Mask | None, statistics: Sequence[Any]) -> Stages:
        """The stages of the pixel pass, with all that must be measured first."""
        stages = Stages(frame.dtype)
        weights = alpha if self._cascade.region == "mask" else None
        counts: npt.NDArray[np.float64] | None = None
        for index, filter in enumerate(self._cascade.filters):
            value = statistics[index]
            if value is None and filter.statistic is not None:
                if stages.is_table and weights is None:
                    counts = frame.count_levels() if counts is None else counts
                    means = (counts * stages.table()).sum(axis=1) / counts[0].sum()
                else:
                    means = stages.measure(frame, weights)
                value = measure(np, means[:, None, None], filter.statistic)
            coefficients = fuse.filter_coefficients(filter, theta[index], value)
            stages.append(filter, coefficients, separate=self._separate[index])
        return stages
