"""What happens to photographs, masks and composites before the network sees them.

Pictures are (N, 3, H, W) and masks (N, 1, H, W), float32 in [0, 1]; everything drawn comes from the generator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from harmonizer.learning.synthesis import expose, hours, relight


@dataclass(frozen=True)
class Augmentation:
    """The share of pictures that each change befalls; by default none."""

    whole: float = 0.0  # not cropped, so that small foregrounds stay small
    segment: float = 0.0  # the foreground is a group of the picture's segments instead of what the mask marks
    textured: bool = False  # such a group takes the place of a foreground without texture, a sky or a road, too
    part: float = 0.0  # the foreground is only a small part of the object that the mask marks
    light: float = 0.0  # the whole photograph is relit first: composite and target share it
    hours: float = 0.0  # sun and shade fall on other parts of the photograph: composite and target share it
    backlight: float = 0.0  # all but the brightest parts of the photograph lie in shadow: composite and target share it
    refocus: float = 0.0  # the photograph is blurrier or sharper: composite and target share it
    cut: float = 0.0  # the foreground is cut out badly or softly, and everything goes by that mask
    misseen: float = 0.0  # only the network is given a bad mask: composite, filters and loss go by the true one
    jpeg: float = 0.0  # the composite went through JPEG


def befall(share: float, change: Callable[[Tensor, Generator], Tensor], batch: Tensor, generator: Generator) -> Tensor:
    """Apply `change`, which takes and returns some pictures of the batch, to a random share of it."""
    chosen = torch.rand(len(batch), generator=generator) < share
    if not chosen.any():
        return batch
    batch = batch.clone()
    batch[chosen] = change(batch[chosen], generator)
    return batch


def relight_whole(photographs: Tensor, generator: Generator) -> Tensor:
    """Another exposure and illuminant for the whole frame, as it could have been taken.

    Half of them get a cast that no camera corrected, as of lamps or a low sun: only the background tells of it.
    """
    everywhere = torch.ones_like(photographs[:, :1])
    relit = relight(photographs, everywhere, generator, strength=0.4).clamp(0, 1)
    shape = (len(photographs), 1, 1, 1)
    strength = (torch.rand(shape, generator=generator) < 0.5).float()
    warmth = strength * (0.2 + 0.6 * torch.randn(shape, generator=generator))
    tint = strength * 0.1 * torch.randn(shape, generator=generator)
    return expose(relit, torch.zeros(shape), warmth, tint)


def light_anew(photographs: Tensor, generator: Generator) -> Tensor:
    """At another hour. Each part then has a light of its own, and no photograph comes twice as it was."""
    return hours(photographs, generator).clamp(0, 1)


def refocus(photographs: Tensor, generator: Generator) -> Tensor:
    """Blurrier or sharper, by up to what a blur of 3 x 3 pixels takes: lenses and ways of resizing differ."""
    amount = 2 * torch.rand((len(photographs), 1, 1, 1), generator=generator) - 1
    blurred = avg_pool2d(photographs, 3, stride=1, padding=1, count_include_pad=False)
    return (photographs + amount * (photographs - blurred)).clamp(0, 1)


def take_part(masks: Tensor, generator: Generator) -> Tensor:
    """Keep of each mask what lies within an ellipse, of 1 to 5 % of the frame, around one of its pixels."""
    height, width = masks.shape[2:]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    parts = []
    for mask in masks:
        weights = mask.flatten() + 1e-9
        center = int(torch.multinomial(weights, 1, generator=generator))
        area, aspect = torch.rand(2, generator=generator).tolist()
        radius = (height * width * (0.01 + 0.04 * area) / torch.pi) ** 0.5
        stretch = 2 ** (2 * aspect - 1)
        down, across = rows - center // width, columns - center % width
        distance = ((down / stretch) ** 2 + (across * stretch) ** 2).sqrt()
        parts.append(mask * (radius + 0.5 - distance).clamp(0, 1))
    return torch.stack(parts)


def cut_badly(masks: Tensor, generator: Generator) -> Tensor:
    """Cut each mask anew, in one of CUTS; one that would lose more than three quarters of its area stays as it is."""
    cuts = list(CUTS.values())
    bad = []
    for mask in masks:
        cut = cuts[int(torch.randint(len(cuts), (), generator=generator))](mask, generator)
        bad.append(cut if cut.sum() > mask.sum() / 4 else mask)
    return torch.stack(bad)


def compress(composites: Tensor, generator: Generator) -> Tensor:
    """Each picture through JPEG and back, at a quality from 50 to 95."""
    qualities = torch.randint(50, 96, (len(composites),), generator=generator).tolist()
    return torch.stack([_through_jpeg(each, quality) for each, quality in zip(composites, qualities, strict=True)])


def _through_jpeg(picture: Tensor, quality: int) -> Tensor:
    levels = (picture * 255 + 0.5).byte().permute(1, 2, 0).numpy()
    file = BytesIO()
    Image.fromarray(levels).save(file, "jpeg", quality=quality)
    with Image.open(file) as decoded:
        return torch.from_numpy(np.array(decoded)).permute(2, 0, 1).float() / 255


def _length(mask: Tensor, share: float, generator: Generator) -> int:
    """A random number of pixels, at least 1 and at most a share of the mask's side."""
    longest = max(1, int(share * mask.shape[-1]))
    return 1 + int(torch.randint(longest, (), generator=generator))


def _wide(mask: Tensor, generator: Generator) -> Tensor:
    reach = _length(mask, 0.04, generator)
    return max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)


def _tight(mask: Tensor, generator: Generator) -> Tensor:
    return 1 - _wide(1 - mask, generator)


def _shifted(mask: Tensor, generator: Generator) -> Tensor:
    reach = _length(mask, 0.04, generator)
    down, right = (int(torch.randint(-reach, reach + 1, (), generator=generator)) for _ in range(2))
    height, width = mask.shape[1:]
    moved = torch.zeros_like(mask)
    to_rows, from_rows = _overlap(height, down)
    to_columns, from_columns = _overlap(width, right)
    moved[:, to_rows, to_columns] = mask[:, from_rows, from_columns]
    return moved


def _overlap(length: int, offset: int) -> tuple[slice, slice]:
    """Where a line of `length` pixels, moved by `offset`, lands, and what of it does."""
    return slice(max(0, offset), length + min(0, offset)), slice(max(0, -offset), length - max(0, offset))


def _soft(mask: Tensor, generator: Generator) -> Tensor:
    reach = _length(mask, 0.04, generator)
    for _ in range(2):  # two boxes are a tent, close enough to a lens's blur
        mask = avg_pool2d(mask, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return mask


def _coarse(mask: Tensor, generator: Generator) -> Tensor:
    """As clicked around by hand in few points: straight edges and cut corners."""
    cells = 8 + int(torch.randint(17, (), generator=generator))
    grid = interpolate(mask[None], (cells, cells), mode="area")
    smooth = interpolate(grid, mask.shape[1:], mode="bilinear")[0]
    return (smooth > 0.4).float()


def _hard(mask: Tensor, generator: Generator) -> Tensor:
    return (mask > 0.2 + 0.6 * torch.rand((), generator=generator)).float()


CUTS: dict[str, Callable[[Tensor, Generator], Tensor]] = {
    "wide": _wide,
    "tight": _tight,
    "shifted": _shifted,
    "soft": _soft,
    "coarse": _coarse,
    "hard": _hard,
}
