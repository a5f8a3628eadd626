"""Compiled cascades on the CPU: all cores, one pass over the pixels however many filters there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.backends import fuse, plan
from whitebox_filters.backends.frames import Frame, Mask, check_out, open_frame, open_mask
from whitebox_filters.backends.levels import Levels
from whitebox_filters.backends.stages import Stages
from whitebox_filters.backends.survey import copy_background, survey
from whitebox_filters.errors import BackendError
from whitebox_filters.native.workers import Workers
from whitebox_filters.statistics import of_means

if TYPE_CHECKING:
    from whitebox_filters.cascade import Cascade


class Plan:
    """A cascade made ready for NumPy pictures; it holds no state, so that threads may share it."""

    def __init__(self, cascade: Cascade) -> None:
        """Plan the passes of a cascade."""
        self._cascade = cascade
        self._natures = [plan.nature(filter) for filter in cascade.filters]
        self._head = plan.head_length(cascade.filters)
        self._tail = len(cascade) - (plan.head_length(cascade.filters[::-1]) if self._head < len(cascade) else 0)

    def __str__(self) -> str:
        return plan.describe(self._cascade, "the CPU", adding=True)

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
        return self.render(image, theta, mask, out, statistics)[0]

    def render(
        self,
        image: npt.NDArray[Any],
        theta: Any,
        mask: Any = None,
        out: npt.NDArray[Any] | None = None,
        statistics: Sequence[Any] | None = None,
    ) -> tuple[npt.NDArray[Any], list[Any]]:
        """As a call, and the statistics that the filters took: as `statistics` gives them, from the same passes."""
        frame = _open(image)
        target = np.empty(image.shape, image.dtype) if out is None else check_out(out, image)
        goal = open_frame(target, writable=True)
        with Workers(frame.size) as workers:
            stages, seen, used = self._prepare(workers, frame, theta, mask, goal, statistics)
            stages.render(workers, frame, seen, goal)
        return target, used

    def statistics(
        self, image: npt.NDArray[Any], theta: Any, mask: Any = None, statistics: Sequence[Any] | None = None
    ) -> list[Any]:
        """What each filter measures on the way, None for those that measure nothing; arguments as for a call.

        A call with the same arguments and these `statistics` returns the same bits at any number of cores.
        """
        frame = _open(image)
        with Workers(frame.size) as workers:
            return self._prepare(workers, frame, theta, mask, None, statistics)[2]

    def _prepare(
        self,
        workers: Workers,
        frame: Frame,
        theta: Any,
        mask: Any,
        target: Frame | None,
        statistics: Sequence[Any] | None,
    ) -> tuple[Stages, Mask | None, list[Any]]:
        """The stages of the pixel pass, the mask, and the statistics that were taken; the background is in `target`."""
        filters, in_mask = self._cascade.filters, self._cascade.region == "mask"
        values, used = self._cascade.check_theta(theta), list(self._cascade.check_statistics(statistics))
        measured = [filter.statistic is not None and used[index] is None for index, filter in enumerate(filters)]
        coefficients = [
            None if measured[index] else fuse.filter_coefficients(filter, values[index], used[index])
            for index, filter in enumerate(filters)
        ]
        stages = Stages(frame.dtype)
        tail = zip(filters[self._tail :], coefficients[self._tail :], self._natures[self._tail :], strict=True)
        ending = [(filter, known, nature) for filter, known, nature in tail if known is not None]
        if target is not None and len(ending) == len(filters) - self._tail:
            stages.foresee(ending)  # the other threads wake meanwhile
        summed = frame.dtype == np.uint8 and not in_mask and any(measured[: self._head + 1])
        seen = survey(workers, frame, open_mask(mask, frame), summed=summed)
        if target is not None:
            copy_background(workers, frame, seen.mask, target)
        levels = None if seen.totals is None else Levels(workers, frame, seen.totals)
        for index, filter in enumerate(filters):
            known = coefficients[index]
            if known is None:
                assert filter.statistic is not None
                if stages.is_table and levels is not None:
                    means = levels.means(stages.table())
                else:
                    means = stages.measure(workers, frame, seen.mask if in_mask else None)
                used[index] = of_means(np, means, filter.statistic)
                known = fuse.filter_coefficients(filter, values[index], used[index])
            stages.append(filter, known, self._natures[index])
        return stages, seen.mask, used


def _open(image: Any) -> Frame:
    if not isinstance(image, np.ndarray):
        raise BackendError(f"backend 'numba' takes a NumPy array; got {type(image).__name__}")
    images.check_image(image)
    return open_frame(image)
