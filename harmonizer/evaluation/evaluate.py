"""Scores of learners on composites whose real picture is known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonizer import atomic
from harmonizer.evaluation.learners import Contender
from harmonizer.evaluation.metrics import Scores, score
from harmonizer.evaluation.samples import Sample
from harmonizer.pictures.picture import Pixels

if TYPE_CHECKING:
    from rich.table import Table

METRICS = ("mse", "fmse", "psnr", "psnr_released", "ssim")
# The foreground's share of the picture, as iHarmony4's papers split it.
BUCKETS = {"foreground 0-5 %": 0.05, "foreground 5-15 %": 0.15, "foreground 15-100 %": 1.0}

Summary = dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """One picture's scores by learner; under "composite" those of doing nothing, always."""

    name: str
    subset: str
    coverage: float  # the foreground's share of the picture
    scores: dict[str, Scores]
    theta: dict[str, dict[str, float]]  # of the learners that use filters


def evaluate(learners: Mapping[str, Contender], samples: Iterable[Sample]) -> Iterator[Evaluation]:
    """Harmonize each sample at its own size; score it over all pixels, and over those with mask > 127.

    The learners that `open_learner` and `blind` return do not get the real picture.
    """
    for sample in samples:
        scores, theta = {"composite": _score(sample.composite, sample)}, {}
        for name, learner in learners.items():
            result = learner(sample)
            scores[name] = _score(result.image, sample)
            if result.theta:
                theta[name] = dict(result.theta)
        yield Evaluation(sample.name, sample.subset, float(sample.foreground.mean()), scores, theta)


def summarize(evaluations: Sequence[Evaluation]) -> dict[str, Summary]:
    """By learner the means over the pictures, and `improved`: the share whose fMSE is less than the composite's."""
    summary = {}
    for learner in evaluations[0].scores if evaluations else ():
        scores = [evaluation.scores[learner] for evaluation in evaluations]
        improved = [evaluation.scores[learner].fmse < evaluation.scores["composite"].fmse for evaluation in evaluations]
        means = {metric: float(np.mean([getattr(each, metric) for each in scores])) for metric in METRICS}
        summary[learner] = {"pictures": len(scores), **means, "improved": float(np.mean(improved))}
    return summary


def groups(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """The pictures by subset, by the foreground's share of the picture, and all; empty groups are left out."""
    grouped: dict[str, list[Evaluation]] = {}
    for evaluation in sorted(evaluations, key=lambda each: each.subset):
        grouped.setdefault(evaluation.subset, []).append(evaluation)
    floor = -1.0
    for bucket, ceiling in BUCKETS.items():
        members = [evaluation for evaluation in evaluations if floor < evaluation.coverage <= ceiling]
        grouped |= {bucket: members} if members else {}
        floor = ceiling
    return grouped | {"all": list(evaluations)}


def write_report(path: Path, evaluations: Sequence[Evaluation], **settings: Any) -> None:
    """Write settings, summaries by group and learner, and every picture's scores as JSON; null where undefined.

    The file appears whole or not at all. Raises OutputError.
    """
    summary = {name: summarize(members) for name, members in groups(evaluations).items()}
    report = {**settings, "summary": summary, "pictures": [asdict(evaluation) for evaluation in evaluations]}
    atomic.write_file(path, json.dumps(_finite(report), indent=1, allow_nan=False).encode())


def table(evaluations: Sequence[Evaluation]) -> Table:
    """A row for each subset and learner, and for all: mean scores, share improved."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("pictures", "learner"):
        table.add_column(name)
    for name in ("MSE", "fMSE", "PSNR", "SSIM", "improved"):
        table.add_column(name, justify="right")
    for group, members in groups(evaluations).items():
        if group in BUCKETS:
            continue
        for learner, means in summarize(members).items():
            numbers = [f"{means['mse']:.2f}", f"{means['fmse']:.2f}", f"{means['psnr']:.2f}", f"{means['ssim']:.4f}"]
            improved = "" if learner == "composite" else f"{means['improved']:.0%}"
            title = f"{group} ({len(members)})" if learner == "composite" else ""
            table.add_row(title, learner, *numbers, improved)
    return table


def _score(image: Pixels, sample: Sample) -> Scores:
    # The composites' backgrounds differ from the real ones by JPEG alone; as usual the real one is pasted back.
    foreground = sample.foreground
    return score(np.where(foreground[..., None], image, sample.real), sample.real, foreground)


def _finite(value: Any) -> Any:
    """JSON knows neither NaN nor infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
