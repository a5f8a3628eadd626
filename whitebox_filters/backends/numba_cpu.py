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
        return plan.describe(self._cascade, "the CPU")

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
        frame = _open(image)
        target = np.empty(image.shape, image.dtype) if out is None else check_out(out, image)
        alpha = open_mask(mask, frame)
        stages, _ = self._prepare(frame, theta, alpha, statistics)
        stages.render(frame, alpha, open_frame(target, writable=True))
        return target

    def statistics(
        self, image: npt.NDArray[Any], theta: Any, mask: Any = None, statistics: Sequence[Any] | None = None
    ) -> list[Any]:
        """What each filter measures on the way, None for those that measure nothing; arguments as for a call.

        A call with the same arguments and these `statistics` returns the same bits at any number of cores.
        """
        frame = _open(image)
        return self._prepare(frame, theta, open_mask(mask, frame), statistics)[1]

    def _prepare(
        self, frame: Frame, theta: Any, alpha: Mask | None, statistics: Sequence[Any] | None
    ) -> tuple[Stages, list[Any]]:
        """The stages of the pixel pass, with the statistics that they took."""
        values, used = self._cascade.check_theta(theta), list(self._cascade.check_statistics(statistics))
        stages = Stages(frame.dtype)
        weights = alpha if self._cascade.region == "mask" else None
        counts: npt.NDArray[np.float64] | None = None
        for index, filter in enumerate(self._cascade.filters):
            if used[index] is None and filter.statistic is not None:
                if stages.is_table and weights is None:
                    counts = frame.count_levels() if counts is None else counts
                    means = (counts * stages.table()).sum(axis=1) / counts[0].sum()
                else:
                    means = stages.measure(frame, weights)
                used[index] = measure(np, means[:, None, None], filter.statistic)
            coefficients = fuse.filter_coefficients(filter, values[index], used[index])
            stages.append(filter, coefficients, separate=self._separate[index])
        return stages, used


def _open(image: Any) -> Frame:
    if not isinstance(image, np.ndarray):
        raise BackendError(f"backend 'numba' takes a NumPy array; got {type(image).__name__}")
    images.check_image(image)
    return open_frame(image)
