"""Composite and mask to harmonized picture: predict theta, render."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from harmonizer.engines import EngineName
from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures.picture import Pixels
from harmonizer.predictor import Predictor
from harmonizer.render import Renderer, Result, open_mask
from whitebox_filters import Cascade


class Harmonizer(Renderer):
    """A renderer of the filters whose arguments its predictor predicts. Holds no state between calls.

    >>> harmonizer = Harmonizer.load()  # doctest: +SKIP
    >>> result = harmonizer.harmonize(composite, mask)  # doctest: +SKIP
    """

    def __init__(self, predictor: Predictor) -> None:
        """Build the cascade that the predictor's checkpoint names."""
        super().__init__(Cascade(predictor.config.filters, statistics=predictor.config.statistics))
        self.predictor = predictor

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        engine: EngineName | str = EngineName.onnxruntime,
        threads: int | None = None,
    ) -> Harmonizer:
        """Load a checkpoint folder; None takes the one that is shipped. Raises the errors of `Predictor.load`."""
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
        alpha = open_mask(image, mask)
        values = None if theta is None else self.cascade.check_theta(theta)
        if not _has_foreground(alpha):
            values = np.zeros(len(self.cascade))
        elif values is None:
            values = self.predictor.predict(image, alpha)
        return self.render(image, values, alpha)

    def predict(self, image: Pixels, mask: Pixels) -> dict[str, float]:
        """Theta in [-1, 1] by filter name, without rendering; arguments, warnings and errors as for `harmonize`."""
        alpha = open_mask(image, mask)
        values = self.predictor.predict(image, alpha) if _has_foreground(alpha) else np.zeros(len(self.cascade))
        return dict(zip(self.cascade.names, values.tolist(), strict=True))


def _has_foreground(alpha: Pixels) -> bool:
    """Whether a mask shows any foreground. Warns if it does not, or if it shows no background."""
    if not alpha.any():
        warnings.warn("the mask is empty: there is no foreground to harmonize", HarmonizerWarning, stacklevel=3)
        return False
    if alpha.all():
        message = "the mask covers the whole picture: there is no background to harmonize it with"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)
    return True
