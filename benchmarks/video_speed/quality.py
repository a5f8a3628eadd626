"""What an engine costs in quality: scores on pictures whose truth is known, and how far theta moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from harmonizer.evaluation.evaluate import evaluate, summarize
from harmonizer.evaluation.learners import blind, of_harmonizer
from harmonizer.evaluation.samples import Sample, read_samples, resize
from harmonizer.pipeline import Harmonizer
from video_speed.cases import DEFAULT, Quality

SIDE = 256
SETS = {
    "iHarmony4": ("iharmony4_sample", "iharmony4"),
    "webcam": ("webcam", "iharmony4"),
    "Eq. 8": ("photos", "photos"),
}


def read_sets(data: Path, most: int | None) -> dict[str, list[Sample]]:
    """The samples of each set at 256 x 256, `most` of each."""
    return {
        name: [resize(sample, SIDE) for sample in islice(read_samples(data / folder, layout), most)]
        for name, (folder, layout) in SETS.items()
    }


def measure(harmonizers: Mapping[str, Harmonizer], sets: Mapping[str, Sequence[Sample]]) -> dict[str, Quality]:
    """Of each contender; theta is compared with DEFAULT's."""
    learners = {name: blind(of_harmonizer(harmonizer)) for name, harmonizer in harmonizers.items()}
    scores = {name: list(evaluate(learners, samples)) for name, samples in sets.items()}
    summaries = {name: summarize(evaluations) for name, evaluations in scores.items()}
    thetas = {
        name: np.array([[*each.theta[name].values()] for evaluations in scores.values() for each in evaluations])
        for name in harmonizers
    }
    return {
        name: Quality(
            float(np.mean(np.abs(thetas[name] - thetas[DEFAULT]))),
            {title: summary[name]["fmse"] for title, summary in summaries.items()},
        )
        for name in harmonizers
    }
