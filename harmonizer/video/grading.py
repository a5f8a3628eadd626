"""What decides theta for each frame of a video: the network or a timeline, and values that a person sets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from harmonizer.edits import change_theta
from harmonizer.errors import HarmonizerWarning
from harmonizer.pipeline import Harmonizer
from harmonizer.predictor import Predictor
from harmonizer.video import shots, timeline
from harmonizer.video.frames import Frame, Graded, Grading, Theta
from harmonizer.video.smoothing import Smoother, ema, one_euro

# Damaged files hold frames of one time.
SHORTEST = 1e-3


def from_network(weights: Path | None = None, alpha: float | None = None) -> Grading:
    """Theta from the network of a checkpoint, smoothed by Eq. 14 with `alpha`, or with None by the One Euro filter.

    Raises CheckpointError.
    """
    # The other stages keep the other cores busy, and with a second thread a prediction costs a third more CPU time.
    harmonizer = Harmonizer.load(weights, threads=1)
    smooth: Smoother = one_euro if alpha is None else partial(ema, alpha=alpha)
    name = "One Euro" if alpha is None else f"EMA, alpha {alpha:g} on the current frame"
    return Grading(harmonizer.cascade, partial(predict, predictor=harmonizer.predictor, smooth=smooth), name)


def predict(frames: Iterable[Frame], predictor: Predictor, smooth: Smoother) -> Iterator[Graded]:
    """Theta of each frame from the network, smoothed over time within each shot.

    A frame with an empty mask has nothing to harmonize: it keeps the theta of the frame before it, 0 at first.
    """
    state, shot, last, has_foreground = None, None, 0.0, False
    theta = np.zeros(len(predictor.config.filters))
    for frame in frames:
        assert frame.alpha is not None
        shot, shot_change = shots.detect_change(shot, frame.pixels)
        state = None if shot_change else state
        raw = predictor.predict(frame.pixels, frame.alpha) if frame.alpha.any() else None
        if raw is not None:
            state = smooth(state, raw, max(frame.time - last, SHORTEST))
            theta, last, has_foreground = state.theta, frame.time, True
        yield Graded(frame, theta, raw, shot_change)
    if not has_foreground:
        message = "the mask is empty in all frames: there is no foreground to harmonize"
        warnings.warn(message, HarmonizerWarning, stacklevel=1)


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
