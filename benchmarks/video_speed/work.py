"""Where the processor's time goes in the whole pipeline, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

from harmonizer import Harmonizer
from harmonizer.video import CodecName, shots
from harmonizer.video.coding.codecs import CODECS
from harmonizer.video.coding.colour import Converter, read_colour
from harmonizer.video.frames import to_opacity


def measure(harmonizer: Harmonizer, clip: Path, masks: Path, frames: int) -> dict[str, float]:
    """CPU seconds of all threads a frame, by stage: each stage does all of its `frames` before the next begins.

    The parts of predicting and filtering are those of the pipeline, called one by one.
    """
    seconds: dict[str, float] = {}

    def clock(name: str, work: Callable[..., Any], *columns: Iterable[Any]) -> list[Any]:
        start = time.process_time()
        done = list(map(work, *columns))
        seconds[name] = (time.process_time() - start) / len(done)
        return done

    predictor, plan = harmonizer.predictor, harmonizer.plan
    decoded = clock("decode H.264", lambda frame: frame, islice(_decode(clip), frames))
    decoded_masks = clock("decode the mask", lambda frame: frame, islice(_decode(masks), frames))
    converter, mask_converter = (Converter(read_colour(each[0])) for each in (decoded, decoded_masks))
    greys = clock("mask to grey", lambda frame: to_opacity(mask_converter.to_grey(frame)), decoded_masks)
    pixels = clock("to RGB", converter.to_rgb, decoded)
    _warm_up(harmonizer, pixels[0], greys[0])
    clock("look for cuts", lambda frame: shots.detect_change(None, frame), pixels)
    inputs = clock("thumbnail", predictor.prepare, pixels, greys)
    thetas = clock("network", lambda pair: predictor.predict_prepared(*pair), inputs)
    statistics = clock("statistics", plan.statistics, pixels, thetas, greys)
    filtered = clock("filters", lambda p, t, m, s: plan(p, t, m, None, s), pixels, thetas, greys, statistics)
    coded = clock("to YUV", lambda frame: converter.to_yuv(frame, "yuv420p"), filtered)
    start = time.process_time()
    _encode(coded)
    seconds["encode H.264"] = (time.process_time() - start) / len(coded)
    return seconds


def _decode(path: Path) -> Iterable[av.VideoFrame]:
    """The frames by one thread, so that no others are decoded in advance."""
    with av.open(str(path)) as file:
        file.streams.video[0].codec_context.thread_count = 1
        yield from file.decode(video=0)


def _warm_up(harmonizer: Harmonizer, frame: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
    theta = harmonizer.predictor.predict(frame, mask)
    harmonizer.plan(frame, theta, mask, None, harmonizer.plan.statistics(frame, theta, mask))


def _encode(frames: list[av.VideoFrame]) -> None:
    codec = CODECS[CodecName.h264]
    context = cast(av.VideoCodecContext, av.CodecContext.create(codec.encoder, "w"))
    context.width, context.height, context.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 24), Fraction(24)
    context.options = codec.settings(None)
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, Fraction(1, 24)
        context.encode(frame)
    context.encode(None)
