"""What a run writes: the harmonized video, and the other outputs that the user asks for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from harmonizer import atomic
from harmonizer.atomic import FileGroup
from harmonizer.errors import OutputError
from harmonizer.pictures import io
from harmonizer.pictures.picture import convert_depth
from harmonizer.video import CodecName
from harmonizer.video.coding.writer import Writer, check_output
from harmonizer.video.frames import Frame, Graded, Grading, VideoInfo
from harmonizer.video.luts import LutWriter
from harmonizer.video.timeline import TimelineWriter

Write = Callable[[Graded], None]
"""Takes the filtered frames, one after the other."""


@dataclass(frozen=True)
class Outputs:
    """Where the harmonized video goes, how all videos are encoded, and what else is asked for; None: nowhere."""

    video: Path
    codec: CodecName = CodecName.h264
    quality: int | None = None  # None: the codec's default
    theta: Path | None = None  # the timeline
    lut: Path | None = None  # .cube, one a shot
    delta: Path | None = None  # a video of 0.5 + (harmonized - composite) / 2
    mask: Path | None = None  # a video

    def check(self, *inputs: Path | None) -> None:
        """Raise OutputError, before the work, unless each can be written, and each is a file of its own.

        None is one of the `inputs` either.
        """
        videos = [path for path in (self.video, self.delta, self.mask) if path]
        others = [path for path in (self.theta, self.lut) if path]
        for path in videos:
            check_output(path)
        if self.theta:
            atomic.check_place(self.theta)
        if self.lut:
            io.check_lut(self.lut)
        places = [atomic.target(path) for path in (*videos, *others)]
        if len(set(places)) < len(places):
            raise OutputError("two outputs are one file; give each a name of its own")
        for path, source in product((*videos, *others), filter(None, inputs)):
            if _is_same_file(path, source):
                raise OutputError(f"{path} would replace the input {source}; give the output another name")

    def open(self, info: VideoInfo, source: Path, grading: Grading, stack: ExitStack) -> Write:
        """Open all outputs and return what writes a frame to them; the files appear when `stack` closes without error.

        Only the harmonized video gets what `source` holds beside its picture. Raises OutputError.
        """
        group = stack.enter_context(FileGroup())

        def encode(path: Path, picture: Callable[[Graded], Frame], sound: Path | None = None) -> Write:
            writer = stack.enter_context(Writer(path, group, info, sound, self.codec, self.quality))
            return lambda graded: writer.write(picture(graded), shot_change=graded.shot_change)

        sinks = [encode(self.video, lambda graded: graded.frame, source)]
        if self.delta:
            sinks.append(encode(self.delta, _delta))
        if self.mask:
            sinks.append(encode(self.mask, _mask))
        if self.theta:
            timeline = TimelineWriter(self.theta, group, grading.cascade, grading.smoothing)
            sinks.append(stack.enter_context(timeline).write)
        if self.lut:
            sinks.append(stack.enter_context(LutWriter(self.lut, group, grading.cascade)).write)

        def write(graded: Graded) -> None:
            for sink in sinks:
                sink(graded)

        return write


def _is_same_file(first: Path, second: Path) -> bool:
    """Whether two names lead to one file that is there."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return False


def _delta(graded: Graded) -> Frame:
    """0.5 + (after - before) / 2 in the frame's depth, rounded down, where 0.5 is level 128 or 32768."""
    frame, before = graded.frame, graded.before
    assert before is not None
    change = frame.pixels.astype(np.int32) - before
    half = (np.iinfo(before.dtype).max + 1) // 2
    return replace(frame, pixels=(half + (change >> 1)).astype(before.dtype))


def _mask(graded: Graded) -> Frame:
    """The mask of a frame as a grey picture, in the frame's depth."""
    frame = graded.frame
    assert frame.alpha is not None
    grey = convert_depth(frame.alpha, frame.pixels.dtype)
    return replace(frame, pixels=np.repeat(grey[..., None], 3, axis=2))
