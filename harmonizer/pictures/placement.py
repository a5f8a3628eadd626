"""Where a cut-out lies on its background: its place, its scale, and whether it is flipped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harmonizer.errors import MaskError
from harmonizer.pictures.picture import Picture, Pixels, convert_depth


@dataclass(frozen=True)
class Placement:
    """The centre of the cut-out in pixels of the background from its upper left corner, and the size in these."""

    x: float
    y: float
    scale: float = 1.0  # pixels of the background to one of the cut-out
    flip: bool = False  # left to right


def place(foreground: Picture, size: tuple[int, int], placement: Placement, name: str) -> Picture:
    """The foreground on a transparent canvas of `size` (H, W).

    At scale 1 its pixels stay as they are, and move by whole pixels. Else they are resampled (Lanczos), weighted by
    alpha, in float32. What lies beyond the canvas is cut off.
    Raises MaskError, with `name`, if it has no alpha channel, or if nothing of it is on the canvas.
    """
    if foreground.alpha is None:
        raise MaskError(f"the foreground {name} has no alpha channel; give a cut-out, or its mask too")
    pixels, alpha = foreground.pixels, foreground.alpha
    if placement.flip:
        pixels, alpha = pixels[:, ::-1], alpha[:, ::-1]
    rows = _Span.of(placement.y, alpha.shape[0], placement.scale, size[0])
    columns = _Span.of(placement.x, alpha.shape[1], placement.scale, size[1])
    if rows.is_empty or columns.is_empty:
        raise MaskError(f"nothing of the foreground {name} is on the background; place it nearer to the centre")
    if rows.is_whole and columns.is_whole:
        colours, opacity = pixels[rows.source, columns.source], alpha[rows.source, columns.source]
    else:
        colours, opacity = _resample(pixels, alpha, rows, columns)
    canvas = np.zeros((*size, 3), colours.dtype)
    canvas[rows.target, columns.target] = colours
    canvas_alpha = np.zeros(size, opacity.dtype)
    canvas_alpha[rows.target, columns.target] = opacity
    return replace(foreground, pixels=canvas, alpha=canvas_alpha, scene=None)


@dataclass(frozen=True)
class _Span:
    """Along one axis: pixels [start, stop) of the canvas, and what part of the cut-out they show."""

    start: int
    stop: int
    first: float
    last: float

    @classmethod
    def of(cls, centre: float, length: int, scale: float, canvas: int) -> _Span:
        scaled = max(1, round(length * scale))
        origin = round(centre - scaled / 2)
        start, stop = max(origin, 0), min(origin + scaled, canvas)
        step = length / scaled
        return cls(start, stop, (start - origin) * step, min((stop - origin) * step, length))

    @property
    def is_empty(self) -> bool:
        return self.stop <= self.start

    @property
    def is_whole(self) -> bool:
        """Whether each pixel of the canvas shows one of the cut-out."""
        return self.last - self.first == self.stop - self.start

    @property
    def target(self) -> slice:
        return slice(self.start, self.stop)

    @property
    def source(self) -> slice:
        return slice(round(self.first), round(self.last))


def _resample(pixels: Pixels, alpha: Pixels, rows: _Span, columns: _Span) -> tuple[Pixels, Pixels]:
    """Colours (h, w, 3) and alpha (h, w), both float32, of the part that is on the canvas."""
    from PIL import Image

    opacity = convert_depth(alpha, np.float32)
    weighted = convert_depth(pixels, np.float32) * opacity[..., None]
    size, box = (
        (columns.stop - columns.start, rows.stop - rows.start),
        (columns.first, rows.first, columns.last, rows.last),
    )
    layers = [
        np.asarray(Image.fromarray(np.ascontiguousarray(layer)).resize(size, Image.Resampling.LANCZOS, box))
        for layer in (*np.moveaxis(weighted, 2, 0), opacity)
    ]
    colours, opacity = np.stack(layers[:3], axis=-1), layers[3]
    straight = np.divide(colours, opacity[..., None], out=np.zeros_like(colours), where=opacity[..., None] > 0)
    return straight.clip(0, 1), opacity.clip(0, 1)
