"""Which results look more real: Bradley-Terry scores of the methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import choix
import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from harmonizer.errors import StudyError
from harmonizer.study import bootstrap
from harmonizer.study.bootstrap import Interval
from harmonizer.study.store import Answer

Wins = npt.NDArray[np.float64]
"""How often the method of the row was chosen over that of the column."""

STEPS = 10_000  # at most, of the iteration; it takes more where few answers connect the methods


@dataclass(frozen=True)
class MethodScore:
    """A method beside the others; where scores are a and b, a wins with the chance 1 / (1 + exp(b - a))."""

    method: str
    wins: int
    comparisons: int
    score: Interval  # the scores of all methods have the mean 0


@dataclass(frozen=True)
class Ranking:
    """All methods, the best first, and how many resamples of the participants have no finite scores."""

    participants: int
    scores: tuple[MethodScore, ...]
    resamples: int
    disconnected: int


def rank(answers: Sequence[Answer]) -> Ranking:
    """Score the methods by answers of the kind `compare`.

    Resamples of the participants that have no finite scores are left out of the intervals. Where these are more than
    an interval leaves outside, scores have no interval. Raises StudyError where the answers have no finite scores.
    """
    methods, each = _count(answers)
    wins = each.sum(axis=0)
    _check_connected(methods, wins)
    scores = _fit(wins)
    if scores is None:
        raise StudyError("so few answers connect some methods that no scores can be computed; ask more participants")
    weights = bootstrap.draw(len(each)) if len(each) > 1 else np.empty((0, 1), np.int64)
    samples = [sample for sample in np.tensordot(weights, each, axes=1) if _components(sample)[0] == 1]
    fits = [fit for sample in samples if (fit := _fit(sample, scores)) is not None]
    disconnected = len(weights) - len(fits)
    if disconnected > (1 - bootstrap.CONFIDENCE) * len(weights):
        fits = []
    fitted = np.array(fits).reshape(len(fits), len(methods))
    table = [
        MethodScore(
            method,
            int(wins[index].sum()),
            int(wins[index].sum() + wins[:, index].sum()),
            bootstrap.interval(float(scores[index]), fitted[:, index], len(each)),
        )
        for index, method in enumerate(methods)
    ]
    table.sort(key=lambda entry: -entry.score.value)
    return Ranking(len(each), tuple(table), len(weights), disconnected)


def _count(answers: Sequence[Answer]) -> tuple[list[str], Wins]:
    """The methods, and the wins of each participant: (P, n, n)."""
    if not answers:
        raise StudyError("nobody has compared two results yet; there is nothing to rank")
    pairs = []
    for answer in answers:
        shown = (str(answer.task.question.first), str(answer.task.question.second))
        pairs.append(shown if answer.values["choice"] == "first" else shown[::-1])
    methods = sorted({method for pair in pairs for method in pair})
    participants = list(dict.fromkeys(answer.task.participant for answer in answers))
    wins = np.zeros((len(participants), len(methods), len(methods)))
    for answer, (winner, loser) in zip(answers, pairs, strict=True):
        wins[participants.index(answer.task.participant), methods.index(winner), methods.index(loser)] += 1
    return methods, wins


def _components(wins: Wins, *, strong: bool = True) -> tuple[int, npt.NDArray[np.int32]]:
    """How many groups of methods do not connect, and the group of each method.

    Within a group that connects strongly, a chain of wins leads from each method to each other: only then are all
    scores finite.
    """
    count, labels = connected_components(wins > 0, connection="strong" if strong else "weak")
    return int(count), labels


def _check_connected(methods: Sequence[str], wins: Wins) -> None:
    count, labels = _components(wins, strong=False)
    reason = "no result of one group was compared with one of another"
    if count == 1:
        count, labels = _components(wins)
        reason = "between two groups, the results of one were always chosen"
    if count > 1:
        groups = [
            [method for method, label in zip(methods, labels, strict=True) if label == each] for each in range(count)
        ]
        named = "; ".join(", ".join(group) for group in groups)
        raise StudyError(f"the comparisons do not connect, so there are no finite scores: {reason}: {named}")


def _fit(wins: Wins, start: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64] | None:
    """The maximum of the likelihood; None where the iteration does not settle: a few answers beside thousands."""
    try:
        return choix.ilsr_pairwise_dense(wins, initial_params=start, max_iter=STEPS)
    except RuntimeError:
        return None
