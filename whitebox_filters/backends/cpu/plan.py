"""Compiled cascades on the CPU: all cores, one pass over the pixels however many filters there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.backends import fuse, passes
from whitebox_filters.backends.cpu.frames import Frame, Mask, check_out, open_frame, open_mask
from whitebox_filters.backends.cpu.means import LevelMeans
from whitebox_filters.backends.cpu.prepass import copy_background, run_prepass
from whitebox_filters.backends.cpu.stages import Stages
from whitebox_filters.errors import BackendError
from whitebox_filters.native.workers import Workers
from whitebox_filters.statistics import of_means

if TYPE_CHECKING:
    from whitebox_filters.chain import Chain


class Plan:
    """A cascade compiled for NumPy pictures. It holds no state, so threads may share it."""

    def __init__(self, cascade: Chain) -> None:
        """Plan the passes of a cascade."""
        self._cascade = cascade
        self._head = passes.head_length(cascade.filters)
        self._tail = len(cascade) - (passes.head_length(cascade.filters[::-1]) if self._head < len(cascade) else 0)

    def __str__(self) -> str:
        return passes.describe(self._cascade, "the CPU", by_sums=True)

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
        only what lies between the first and the last column of the mask in each row is computed. A mask of bool, uint8
        or float32 is read as it is; others are converted first.
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
        """As a call, and the statistics that the filters used, as `statistics` returns them, from the same passes."""
        frame = _open(image)
        result = np.empty(image.shape, image.dtype) if out is None else check_out(out, image)
        target = open_frame(result, writable=True)
        with Workers(frame.size) as workers:
            stages, opened, used = self._prepare(workers, frame, theta, mask, target, statistics)
            stages.render(workers, frame, opened, target)
        return result, used

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
        """The stages of the pixel pass, the mask, and the statistics that the filters use.

        With a `target`, what lies outside the mask is copied into it meanwhile.
        """
        filters, in_mask = self._cascade.filters, self._cascade.region == "mask"
        values, used = self._cascade.check_theta(theta), list(self._cascade.check_statistics(statistics))
        measured = [filter.statistic is not None and used[index] is None for index, filter in enumerate(filters)]
        coefficients = [
            None if measured[index] else fuse.filter_coefficients(filter, values[index], used[index])
            for index, filter in enumerate(filters)
        ]
        stages = Stages(frame.dtype)
        tail = zip(filters[self._tail :], coefficients[self._tail :], strict=True)
        last = [(filter, row) for filter, row in tail if row is not None]
        if target is not None and len(last) == len(filters) - self._tail:
            stages.prepare_output_table(last)  # while the other threads wake up
        summed = frame.dtype == np.uint8 and not in_mask and any(measured[: self._head + 1])
        prepass = run_prepass(workers, frame, open_mask(mask, frame), summed=summed)
        if target is not None:
            copy_background(workers, frame, prepass.mask, target)
        level_means = None if prepass.totals is None else LevelMeans(workers, frame, prepass.totals)
        for index, filter in enumerate(filters):
            row = coefficients[index]
            if row is None:
                assert filter.statistic is not None
                if stages.is_table and level_means is not None:
                    means = level_means.after(stages.curves())
                else:
                    means = stages.measure(workers, frame, prepass.mask if in_mask else None)
                used[index] = of_means(np, means, filter.statistic)
                row = fuse.filter_coefficients(filter, values[index], used[index])
            stages.append(filter, row)
        return stages, prepass.mask, used


def _open(image: Any) -> Frame:
    if not isinstance(image, np.ndarray):
        raise BackendError(f"backend 'numba' takes a NumPy array; got {type(image).__name__}")
    images.check_image(image)
    return open_frame(image)
