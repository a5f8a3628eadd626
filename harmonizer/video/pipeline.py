"""A video in, a harmonized video out: decode, predict, filter and encode, each in a thread of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from harmonizer.errors import HarmonizerWarning, VideoError
from harmonizer.predictor import Predictor
from harmonizer.video import CodecName, cuts, masks
from harmonizer.video.frames import Frame, Graded
from harmonizer.video.prefetch import running
from harmonizer.video.reader import Reader
from harmonizer.video.smoothing import Smoother
from harmonizer.video.timeline import TimelineWriter
from harmonizer.video.writer import Writer
from whitebox_filters import Cascade

# Damaged files hold frames of one time.
SHORTEST = 1e-3

Decide = Callable[[Iterable[Frame]], Iterator[Graded]]
"""Gives each frame, which carries its mask, its theta."""

Report = Callable[[int, int | None], None]
"""Called after each frame with the number of frames done, and of all where that is known."""


def harmonize_video(
    composite: Path,
    output: Path,
    *,
    cascade: Cascade,
    decide: Decide,
    mask: Path | None = None,
    background: Path | None = None,
    codec: CodecName = CodecName.h264,
    quality: int | None = None,
    timeline: TimelineWriter | None = None,
    report: Report | None = None,
) -> int:
    """Harmonize a video file and return the number of its frames.

    `mask` is what `masks.open_masks` takes, None the alpha of `composite`; with a `background`, a video or picture,
    `composite` is the foreground and is pasted first. Neither `output` nor the timeline appears unless all went well.
    Raises VideoError, MaskError, OutputError, TimelineError, CheckpointError, and FilterError of whitebox_filters.
    """
    with ExitStack() as stack:
        video = stack.enter_context(Reader(composite))
        frames: Iterator[Frame] = running(video, stack)
        if mask is not None:
            frames = masks.with_masks(frames, masks.open_masks(mask, video.info.size, stack), mask)
        elif not video.info.has_alpha:
            raise VideoError(f"{composite} has no alpha channel to take the mask from; give a mask as second argument")
        if background is not None:
            frames = masks.with_backgrounds(frames, masks.open_background(background, video.info.size, stack))
        graded = running(decide(running(frames, stack)), stack)
        filtered = running(filter_frames(graded, cascade), stack)
        if timeline:
            stack.enter_context(timeline)
        writer = stack.enter_context(Writer(output, video.info, composite, codec, quality))
        done = 0
        for item in filtered:
            writer.write(item.frame)
            if timeline:
                timeline.write(item)
            done += 1
            if report:
                report(done, video.info.frames)
    return done


def predict(frames: Iterable[Frame], predictor: Predictor, smooth: Smoother) -> Iterator[Graded]:
    """Theta of each frame from the network, smoothed over time, beginning anew at each cut.

    A frame with an empty mask shows nothing to harmonize: it keeps the theta of the last frame, 0 at first.
    """
    state, shot, last, seen = None, None, 0.0, False
    theta = np.zeros(len(predictor.config.filters))
    for frame in frames:
        assert frame.alpha is not None
        shot, cut = cuts.watch(shot, frame.pixels)
        state = None if cut else state
        raw = predictor.predict(frame.pixels, frame.alpha) if frame.alpha.any() else None
        if raw is not None:
            state = smooth(state, raw, max(frame.time - last, SHORTEST))
            theta, last, seen = state.theta, frame.time, True
        yield Graded(frame, theta, raw, cut)
    if not seen:
        message = "the mask is empty in all frames: there is no foreground to harmonize"
        warnings.warn(message, HarmonizerWarning, stacklevel=1)


def filter_frames(graded: Iterable[Graded], cascade: Cascade) -> Iterator[Graded]:
    """Each frame through the cascade with its theta, blended by its mask (Eqs. 4 and 5)."""
    plan = cascade.compile("numba")
    for item in graded:
        frame = item.frame
        yield replace(item, frame=replace(frame, pixels=plan(frame.pixels, item.theta, frame.alpha)))
