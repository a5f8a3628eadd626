"""The masks and backgrounds of a video, one for each of its frames."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np

from harmonizer.alpha import cover_hidden, says_something
from harmonizer.errors import HarmonizerWarning, MaskError, VideoError
from harmonizer.pictures import io
from harmonizer.pictures.picture import Pixels, convert_depth
from harmonizer.video.background_colour import match, space_of_picture, space_of_video
from harmonizer.video.coding.reader import Reader
from harmonizer.video.frames import Alpha, Colour, Frame, to_opacity
from harmonizer.video.mask_folder import read_folder
from harmonizer.video.prefetch import read_ahead

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl", ".exr")
BT709 = Colour(1, False, 1, 1)


def open_masks(path: Path, size: tuple[int, int], stack: ExitStack) -> Iterator[Alpha]:
    """Masks of `size` (H, W), one a frame: from a video, from a folder of numbered pictures, or one picture for all.

    A video's masks are its alpha channel if that varies over the video, else its grey values; so are those of a
    folder. One picture is read by `io.read_mask`.
    Files stay open until `stack` closes. Raises MaskError, VideoError and ImageFileError.
    """
    files = _list_folder(path)
    if files is not None:
        return read_folder(path, files, size)
    if path.suffix.lower() in PICTURES:
        return repeat(_shallow(io.read_mask(path, size)))
    video = stack.enter_context(Reader(path))
    _check_size(video, size, "mask")
    if video.is_coloured and not video.alpha_varies:
        raise MaskError(
            f"{path} is in colour; a mask is grey, white on the foreground, or has an alpha channel. A background is "
            "given with --background"
        )
    return read_ahead(video.opacities(), stack)


def open_background(
    path: Path, size: tuple[int, int], stack: ExitStack, colour: Colour = BT709
) -> Iterator[tuple[float, Pixels]]:
    """Backgrounds of `size` (H, W), each with the time in seconds at which it begins, from a video or one picture.

    They have the primaries and transfer of `colour`, that of the video to be pasted onto them.
    Raises VideoError and ImageFileError.
    """
    space = space_of_video(colour)
    if path.suffix.lower() in PICTURES:
        picture = io.read_image(path)
        height, width = picture.pixels.shape[:2]
        if (height, width) != size:
            raise VideoError(_sizes("background", path, (height, width), size))
        shown = opaque([(0.0, picture.pixels, picture.alpha)], path)
        return match(shown, space_of_picture(picture), space, path)
    video = stack.enter_context(Reader(path))
    _check_size(video, size, "background")
    frames = opaque(((frame.time, frame.pixels, frame.alpha) for frame in video), path)
    return read_ahead(match(frames, space_of_video(video.info.colour), space, path), stack)


def opaque(backgrounds: Iterable[tuple[float, Pixels, Alpha | None]], path: Path) -> Iterator[tuple[float, Pixels]]:
    """Backgrounds without their alpha channels; what these hide gets the mean colour of the rest.

    A HarmonizerWarning says that the channel is dropped.
    """
    is_dropped = False
    for time, pixels, alpha in backgrounds:
        if alpha is None or not says_something(alpha):
            yield time, pixels
            continue
        if not is_dropped:
            is_dropped = True
            _warn_of_dropped_alpha(f"the background {path}")
        yield time, cover_hidden(pixels, alpha)


def with_masks(
    frames: Iterable[Frame], masks: Iterator[Alpha], name: Path, *, layer: Path | None = None
) -> Iterator[Frame]:
    """Put each frame's mask into its `alpha`. Raises MaskError if there are fewer masks than frames.

    `layer` names a video whose frames have an alpha channel of their own. It is dropped, with a HarmonizerWarning, and
    what it hides steers nothing: pixels with alpha 0 get the mean colour of the others and are no foreground.
    """
    count, is_dropped = 0, False
    for frame in frames:
        alpha = next(masks, None)
        if alpha is None:
            raise MaskError(
                f"the mask {name} ends after {count} frames, its video goes on; there is one mask for each frame"
            )
        count += 1
        if layer and frame.alpha is not None and says_something(frame.alpha):
            if not is_dropped:
                is_dropped = True
                _warn_of_dropped_alpha(str(layer))
            alpha = np.where(frame.alpha > 0, alpha, alpha.dtype.type(0))
            frame = replace(frame, pixels=cover_hidden(frame.pixels, frame.alpha))
        yield replace(frame, alpha=alpha)
    if not isinstance(masks, repeat) and next(masks, None) is not None:
        message = f"the mask {name} goes on after the video's {count} frames; check that they belong together"
        warnings.warn(message, HarmonizerWarning, stacklevel=1)


def with_backgrounds(frames: Iterable[Frame], backgrounds: Iterator[tuple[float, Pixels]]) -> Iterator[Frame]:
    """Paste each frame onto the background of its time; after the background ends, onto its last frame."""
    current = next(backgrounds)
    upcoming: tuple[float, Pixels] | None = current
    for frame in frames:
        while upcoming is not None and upcoming[0] <= frame.time:
            current = upcoming
            upcoming = next(backgrounds, None)
        yield replace(frame, pixels=paste(frame, current[1]))


def paste(frame: Frame, background: Pixels) -> Pixels:
    """The frame over a background of any depth, in the frame's dtype (Eq. 5 without a filter)."""
    assert frame.alpha is not None
    pixels = convert_depth(background, frame.pixels.dtype).copy()
    box = bounding_box(frame.alpha)
    if box is None:
        return pixels
    opacity = convert_depth(frame.alpha[box], np.float32)[..., None]
    mixed = pixels[box] + opacity * (frame.pixels[box].astype(np.float32) - pixels[box])
    pixels[box] = (mixed + np.float32(0.5)).astype(pixels.dtype)
    return pixels


def bounding_box(alpha: Alpha) -> tuple[slice, slice] | None:
    """The smallest rectangle, as rows and columns, that holds all values above 0; None for an empty mask."""
    rows = np.flatnonzero(alpha.any(axis=1))
    columns = np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _warn_of_dropped_alpha(name: str) -> None:
    message = f"the alpha channel of {name} is dropped; what it hides is filled with the mean colour of the rest"
    warnings.warn(message, HarmonizerWarning, stacklevel=3)


def _list_folder(path: Path) -> list[Path] | None:
    """The pictures of a folder of masks in the order of their numbers; None if the path is no folder."""
    try:
        if not path.is_dir():
            return None
        files = sorted((file for file in path.iterdir() if file.suffix.lower() in PICTURES), key=_numbers)
    except OSError as error:
        raise MaskError(f"the mask {path} cannot be read: {error.strerror}") from error
    if not files:
        raise MaskError(f"the folder {path} holds no masks; they are pictures ({', '.join(PICTURES)}), one a frame")
    return files


def _shallow(opacity: Alpha) -> Alpha:
    """The same mask in uint8, which filters read faster, if that loses nothing."""
    levels = convert_depth(opacity, np.uint8)
    return to_opacity(levels) if (levels / np.float32(255) == opacity).all() else opacity


def _numbers(file: Path) -> list[tuple[int, int | str]]:
    """A key by which 2.png comes before 10.png."""
    parts = re.split(r"(\d+)", file.name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _check_size(video: Reader, size: tuple[int, int], role: str) -> None:
    if video.info.size != size:
        raise VideoError(_sizes(role, video.path, video.info.size, size))


def _sizes(role: str, path: Path, actual: tuple[int, int], size: tuple[int, int]) -> str:
    return (
        f"the {role} {path} has {actual[1]} x {actual[0]} pixels, its video {size[1]} x {size[0]}; scale or crop it to "
        "the video's size"
    )
