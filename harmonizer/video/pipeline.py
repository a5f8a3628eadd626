"""A video in, a harmonized video out: decoding, prediction, filters and encoding each have a thread."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from harmonizer.errors import HarmonizerWarning, VideoError
from harmonizer.render import Renderer
from harmonizer.video import masks
from harmonizer.video.coding.reader import Reader
from harmonizer.video.frames import Frame, Graded, Grading
from harmonizer.video.outputs import Outputs
from harmonizer.video.prefetch import read_ahead

Report = Callable[[int, int | None], None]
"""Called after each frame with the number of frames done, and the number of all frames, None if unknown."""


def harmonize_video(
    composite: Path,
    outputs: Outputs,
    grading: Grading,
    *,
    mask: Path | None = None,
    background: Path | None = None,
    report: Report | None = None,
) -> tuple[int, int]:
    """Harmonize a video file and return the numbers of its frames and shots.

    `mask` is a path that `masks.open_masks` takes; None means the alpha of `composite`. With a `background`, which is
    a video or a picture, `composite` is the foreground and is pasted onto it first. If anything fails, no output
    appears.
    Raises VideoError, MaskError, OutputError, TimelineError, CheckpointError, and FilterError of whitebox_filters.
    """
    with ExitStack() as stack:
        video = stack.enter_context(Reader(composite))
        frames: Iterator[Frame] = read_ahead(video, stack)
        if mask is not None:
            layer = composite if video.info.has_alpha else None
            frames = masks.with_masks(frames, masks.open_masks(mask, video.info.size, stack), mask, layer=layer)
        elif not video.info.has_alpha:
            raise VideoError(f"{composite} has no alpha channel to take the mask from; give a mask as second argument")
        elif not video.alpha_varies:
            raise VideoError(
                f"the alpha channel of {composite} is the same everywhere and shows no foreground; give a mask as "
                "second argument"
            )
        elif background is None:
            message = f"the alpha channel of {composite} is the mask; the output has none and shows what lies under it"
            warnings.warn(message, HarmonizerWarning, stacklevel=2)
        if background is not None:
            behind = masks.open_background(background, video.info.size, stack, video.info.colour)
            frames = masks.with_backgrounds(frames, behind)
            frames = read_ahead(frames, stack)
        graded = read_ahead(grading.decide(frames), stack)
        filtered = read_ahead(
            filter_frames(graded, Renderer(grading.cascade), keep_before=outputs.delta is not None), stack
        )
        write = outputs.open(video.info, composite, grading, stack)
        done = count = 0
        for item in filtered:
            write(item)
            count += item.shot_change or not done
            done += 1
            if report:
                report(done, video.info.frames)
    return done, count


def filter_frames(graded: Iterable[Graded], renderer: Renderer, *, keep_before: bool = False) -> Iterator[Graded]:
    """Render each frame with its theta and its mask, and note the statistics that its filters took.

    Pixels are replaced in place. With `keep_before` they are not, and each frame has the old ones in `before`.
    """
    for item in graded:
        before, alpha = item.frame.pixels, item.frame.alpha
        assert alpha is not None
        # In place, what the mask leaves out need not be copied.
        out = None if keep_before or not before.flags.writeable else before
        result = renderer.render(before, item.theta, alpha, out=out)
        frame = replace(item.frame, pixels=result.image)
        yield replace(item, frame=frame, before=before if keep_before else None, statistics=result.statistics)
