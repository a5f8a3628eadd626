"""What participants did with the filters: the paper's Fig. 2, and the Gaussians that training draws from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmonizer.errors import StudyError
from harmonizer.study import bootstrap
from harmonizer.study.bootstrap import Interval
from harmonizer.study.store import Answer


@dataclass(frozen=True)
class FilterUse:
    """How one filter was used: theta in [-1, 1] of every answer, and its importance from 1 to 5."""

    name: str
    participants: int
    theta: tuple[float, ...]
    importance: Interval  # of the mean

    @property
    def mean(self) -> float:
        """Of theta."""
        return float(np.mean(self.theta))

    @property
    def variance(self) -> float:
        """Of theta, unbiased; NaN for one answer."""
        return float(np.var(self.theta, ddof=1)) if len(self.theta) > 1 else float("nan")

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Of theta: a quarter, a half and three quarters of the answers lie below."""
        low, middle, high = np.quantile(self.theta, [0.25, 0.5, 0.75]).tolist()
        return low, middle, high


def summarize(answers: Sequence[Answer]) -> list[FilterUse]:
    """The use of each filter, in the order in which the filters were asked about.

    `answers` are of the kind `adjust`. Raises StudyError if there is none.
    """
    if not answers:
        raise StudyError("nobody has adjusted a composite yet; there is nothing to summarize")
    names = dict.fromkeys(name for answer in answers for name in answer.values["theta"])
    return [_summarize(name, [answer for answer in answers if name in answer.values["theta"]]) for name in names]


def _summarize(name: str, answers: Sequence[Answer]) -> FilterUse:
    ratings: dict[str, list[int]] = {}
    for answer in answers:
        ratings.setdefault(answer.task.participant, []).append(answer.values["importance"][name])
    sums, counts = (np.array([of(each) for each in ratings.values()], np.float64) for of in (sum, len))
    theta = tuple(float(answer.values["theta"][name]) for answer in answers)
    return FilterUse(name, len(ratings), theta, bootstrap.mean(sums, counts))


def format_priors(uses: Sequence[FilterUse]) -> str:
    """The Gaussians of Eq. 9 as JSON that `harmonizer train --priors` reads.

    A participant's theta mends a composite. Eq. 9 draws the theta that spoils a photograph, which the opposite theta
    mends: so the mean changes its sign. Raises StudyError for a filter that was adjusted once: it has no variance.
    """
    if once := [use.name for use in uses if len(use.theta) < 2]:
        raise StudyError(f"one answer has no variance; priors need two or more answers of {', '.join(once)}")
    priors = {use.name: {"mean": 0.0 - use.mean, "std": use.variance**0.5} for use in uses}
    return json.dumps(priors, indent=2) + "\n"
