"""Composite and mask to harmonized picture: predict theta, run the cascade."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harmonizer.engines import EngineName
from harmonizer.errors import HarmonizerWarning
from harmonizer.picture import Pixels
from harmonizer.predictor import Predictor
from whitebox_filters import Cascade, ImageError
from whitebox_filters.images import check_image, to_alpha


@dataclass(frozen=True)
class Result:
    """A harmonized picture, HWC RGB of the composite's dtype and size, and what made it.

    That is theta in [-1, 1] by filter name, and in order for each filter the statistic that it took of the composite,
    as `Cascade.__call__` takes it, None for filters without; empty where nothing was measured.
    """

    image: Pixels
    theta: dict[str, float]
    statistics: Sequence[Any] = ()


class Harmonizer:
    """A predictor and the cascade of its filters. Holds no state between calls.

    >>> harmonizer = Harmonizer.load()  # doctest: +SKIP
    >>> result = harmonizer.harmonize(composite, mask)  # doctest: +SKIP
    """

    def __init__(self, predictor: Predictor) -> None:
        """Build the cascade that the predictor's checkpoint names."""
        self.predictor = predictor
        self.cascade = Cascade(predictor.config.filters, statistics=predictor.config.statistics)
        self.plan = self.cascade.compile("numba")

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        engine: EngineName | str = EngineName.onnxruntime,
        threads: int | None = None,
    ) -> Harmonizer:
        """Load a checkpoint folder; None takes the one that is shipped. Raises as `Predictor.load`, which see."""
        return cls(Predictor.load(path, engine, threads))

    def harmonize(
        self, image: Pixels, mask: Pixels, *, theta: Mapping[str, float] | Sequence[float] | None = None
    ) -> Result:
        """Make the foreground of a composite look as if taken together with the rest (Eqs. 4 and 5).

        `image` is HWC RGB: uint8, uint16, or float32 / float64 in [0, 1]; `mask` HW: bool, uint8, uint16 or float in
        [0, 1]. `theta` in [-1, 1], in order or by name for every filter, is used instead of the predicted one.
        Pixels where the mask is 0 are returned as they are. An empty mask returns the picture as it is, with theta 0;
        it and a mask that covers the whole picture give a HarmonizerWarning.
        Raises whitebox_filters.ImageError, whitebox_filters.ThetaError, and CheckpointError.
        """
        if not isinstance(image, np.ndarray):
            raise ImageError(f"an image is a NumPy array; got {type(image).__name__}. Convert it with numpy.asarray")
        check_image(image)
        alpha = to_alpha(np.asarray(mask), image.shape[:2], np.dtype(np.float32))
        values = None if theta is None else self.cascade.check_theta(theta)
        if not alpha.any():
            warnings.warn("the mask is empty: there is no foreground to harmonize", HarmonizerWarning, stacklevel=2)
            return Result(image.copy(), dict.fromkeys(self.cascade.names, 0.0))
        if alpha.all():
            message = "the mask covers the whole picture: there is no background to harmonize it with"
            warnings.warn(message, HarmonizerWarning, stacklevel=2)
        if values is None:
            values = self.predictor.predict(image, alpha)
        named = dict(zip(self.cascade.names, values.tolist(), strict=True))
        statistics = self.plan.statistics(image, values, alpha)
        return Result(self.plan(image, values, alpha, statistics=statistics), named, statistics)
