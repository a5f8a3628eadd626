"""Which evaluations the results page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASELINES = ("reinhard", "mkl", "statistics")


@dataclass(frozen=True)
class Run:
    """One evaluation: a folder of DIR, how to read it and at what size, and the learners."""

    folder: str
    title: str
    layout: str
    size: str
    learners: tuple[str, ...]

    @property
    def report(self) -> str:
        return f"{self.folder}_{self.layout}_{self.size}.json"

    def command(self, data: Path, reports: Path, weights: Path | None) -> list[str]:
        """Arguments of `harmonizer`."""
        learners = [word for learner in self.learners for word in ("--learner", learner)]
        own = ["--weights", str(weights)] if weights else []
        source = ["--data", str(data / self.folder), "--layout", self.layout, "--size", self.size]
        return ["evaluate", *source, *learners, *own, "--json", str(reports / self.report)]


def runs(network: str) -> list[Run]:
    """Those of Table 1, at 256 x 256, and those of Table 2, at full size."""
    learners = (*BASELINES, network, "oracle")
    full = (*BASELINES, network, f"{network}+pcm", "oracle")
    without_oracle = (*BASELINES, network)
    real = [
        ("iharmony4_sample", "5 of iHarmony4"),
        ("iharmony4_more", "10 more of iHarmony4"),
        ("webcam", "webcam, foreground from another hour"),
        ("webcam_chamonix", "another webcam"),
    ]
    return [
        *(Run(folder, title, "iharmony4", "256", learners) for folder, title in real),
        Run("triples_256", "3 triples", "triples", "256", learners),
        Run("scenes", "held-out places, foreground from another hour or exposure", "scenes", "256", without_oracle),
        # Made by the filters themselves, these say nothing about the oracle.
        Run("photos", "held-out photographs, Eq. 8", "photos", "256", without_oracle),
        Run("photos", "held-out photographs, colours of others", "transfers", "256", without_oracle),
        *(Run(folder, title, "iharmony4", "full", full) for folder, title in real),
    ]


Reports = list[tuple[Run, dict[str, Any]]]
"""Each evaluation with what `harmonizer evaluate` reported of it."""
