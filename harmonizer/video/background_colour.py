"""Backgrounds in the colour space of the video that is pasted onto them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from harmonizer.errors import HarmonizerWarning
from harmonizer.pictures import profiles
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from harmonizer.video.frames import Colour

UNSPECIFIED, BT709 = 2, 1

Space = tuple[str, bytes | None]
"""A name that tells HDR and the rest apart, and the ICC profile; None means sRGB, whose primaries are BT.709's."""


def space_of_video(colour: Colour) -> Space:
    """The colour space of a video; without a tag it is that of BT.709, as players take it."""
    primaries, transfer = (BT709 if tag == UNSPECIFIED else tag for tag in (colour.primaries, colour.transfer))
    if transfer in profiles.HDR_TRANSFERS:
        return f"{profiles.HDR_TRANSFERS[transfer]} with primaries {primaries}", None
    return "SDR", profiles.from_cicp(primaries, transfer)


def space_of_picture(picture: Picture) -> Space:
    """The colour space of a picture."""
    if picture.cicp is not None and picture.cicp[1] in profiles.HDR_TRANSFERS:
        return f"{profiles.HDR_TRANSFERS[picture.cicp[1]]} with primaries {picture.cicp[0]}", None
    return "SDR", picture.profile


def match(
    backgrounds: Iterable[tuple[float, Pixels]], source: Space, destination: Space, path: Path
) -> Iterator[tuple[float, Pixels]]:
    """Backgrounds with the colours of their space in that of the video, in their own dtype.

    Where either is HDR and the other is not, nothing is converted, and a HarmonizerWarning says so.
    """
    if source == destination:
        yield from backgrounds
    elif source[0] != destination[0]:
        message = (
            f"the background {path} is in {source[0]}, the video in {destination[0]}; their values are mixed as they "
            "are. Convert one to the other's colour space first"
        )
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
        yield from backgrounds
    else:
        for time, pixels in backgrounds:
            converted = profiles.convert(pixels, source[1], destination[1])
            yield time, convert_depth(converted, pixels.dtype)
