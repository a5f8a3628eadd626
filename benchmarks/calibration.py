"""How sure a network is, and whether it acts so: the size of its changes beside what was needed.

A part of benchmarks/full_size.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from report import grid

from harmonizer.evaluation.samples import Sample
from harmonizer.pictures.picture import Pixels

QUARTERS = ("smallest quarter", "second", "third", "largest quarter")

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """What was done to a foreground, as means over its values on the scale 0-255."""

    change: float  # squared: harmonized less composite
    agreement: float  # of the change and of what was needed, real less composite: their product
    need: float  # squared
    doubt: float  # the mean distance of the thetas of two regressors

    @property
    def left(self) -> float:
        """The fMSE after harmonization."""
        return self.need - 2 * self.agreement + self.change


def measure_change(sample: Sample, harmonized: Pixels, doubt: float) -> Change:
    """Compare what was done with what was needed where the mask is above one half."""
    inside = sample.foreground
    composite, real, result = (
        picture[inside].astype(np.float64) for picture in (sample.composite, sample.real, harmonized)
    )
    change, need = result - composite, real - composite
    return Change(float((change**2).mean()), float((change * need).mean()), float((need**2).mean()), doubt)


def best_multiple(changes: Sequence[Change]) -> float:
    """By what all changes would have to be multiplied to leave least: 1 is the right size, less is too much done."""
    total = sum(each.change for each in changes)
    return sum(each.agreement for each in changes) / total if total else float("nan")


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's: 1 where both grow together, -1 where one falls as the other grows."""
    ranks = np.array([np.argsort(np.argsort(values)) for values in (first, second)], np.float64)
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def quarter_table(changes: Sequence[Change], key: Callable[[Change], float], title: str) -> str:
    """A row for each quarter of the pictures in the order of `key`."""
    order = np.argsort([key(each) for each in changes], kind="stable")
    rows = []
    for name, places in zip(QUARTERS, np.array_split(order, len(QUARTERS)), strict=True):
        members = [changes[place] for place in places]
        need, left = (sum(values) for values in zip(*((each.need, each.left) for each in members), strict=True))
        improved = np.mean([each.left < each.need for each in members])
        cells = [
            f"{np.mean([each.change**0.5 for each in members]):.1f}",
            f"{np.mean([each.need**0.5 for each in members]):.1f}",
            f"{best_multiple(members):.2f}",
            f"{left / need:.2f}" if need else "–",
            f"{improved:.0%}",
        ]
        rows.append([name, *cells])
    return grid(
        [title, "root mean square of the change", "of what was needed", "best multiple", "left", "improved"], rows
    )


def verdict(changes: Sequence[Change]) -> str:
    """Whether doubt tells error, and whether the network does less where it doubts."""
    doubt = [each.doubt for each in changes]
    error = rank_correlation(doubt, [each.left for each in changes])
    size = rank_correlation(doubt, [each.change for each in changes])
    less = "It changes less where it is unsure" if size < -0.1 else "It does not change less where it is unsure"
    return (
        f"{less}: the rank correlation of doubt with the size of the change is {size:+.2f}, with the error that is "
        f"left {error:+.2f}. All changes together would leave least if multiplied by {best_multiple(changes):.2f}."
    )
