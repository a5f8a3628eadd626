"""What decides theta for each frame of a video: the network or a timeline, and values that a person sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from harmonizer.edits import change_theta
from harmonizer.pipeline import Harmonizer
from harmonizer.video import pipeline, timeline
from harmonizer.video.frames import Frame, Graded, Grading, Theta
from harmonizer.video.smoothing import Smoother, ema, one_euro


def from_network(weights: Path | None = None, alpha: float | None = None) -> Grading:
    """Theta from the network of a checkpoint, smoothed by Eq. 14 with `alpha`, or with None by the One Euro filter.

    Raises CheckpointError.
    """
    # The other stages keep the other cores busy, and with a second thread a prediction costs a third more CPU time.
    harmonizer = Harmonizer.load(weights, threads=1)
    smooth: Smoother = one_euro if alpha is None else partial(ema, alpha=alpha)
    name = "One Euro" if alpha is None else f"EMA, alpha {alpha:g} on the current frame"
    return Grading(harmonizer.cascade, partial(pipeline.predict, predictor=harmonizer.predictor, smooth=smooth), name)


def from_timeline(path: Path) -> Grading:
    """Theta from a timeline. Raises TimelineError."""
    saved = timeline.read_timeline(path)
    return Grading(saved.cascade, saved.replay, saved.smoothing)


def with_fixed_theta(grading: Grading, changes: Mapping[str, float]) -> Grading:
    """The same grading, in which some filters have one theta, in [-1, 1], for the whole video.

    Raises EditError for a filter that is not in the cascade, whitebox_filters.ThetaError outside [-1, 1].
    """
    change_theta(grading.cascade, dict.fromkeys(grading.cascade.names, 0.0), changes)
    note = "".join(f"; {name} set to {theta:g}" for name, theta in changes.items())
    decide = partial(_decide_fixed, grading=grading, changes=changes)
    return replace(grading, decide=decide, smoothing=grading.smoothing + note)


def _decide_fixed(frames: Iterable[Frame], grading: Grading, changes: Mapping[str, float]) -> Iterator[Graded]:
    for graded in grading.decide(frames):
        theta: Theta = graded.theta.copy()
        for name, value in changes.items():
            theta[grading.cascade.names.index(name)] = value
        yield replace(graded, theta=theta)
