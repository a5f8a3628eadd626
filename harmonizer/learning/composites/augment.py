"""What happens to photographs, masks and composites before the network sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device


@dataclass(frozen=True)
class Augmentation:
    """The share of pictures that each change befalls; by default none."""

    whole: float = 0.0  # not cropped, so that small foregrounds stay small
    part: float = 0.0  # the foreground is only a small part of the object that the mask marks
    light: float = 0.0  # the whole photograph is relit first: composite and target share it
    refocus: float = 0.0  # the photograph is blurrier or sharper: composite and target share it
    cut: float = 0.0  # the foreground is cut out badly or softly, and everything goes by that mask
    misseen: float = 0.0  # only the network is given a bad mask: composite, filters and loss go by the true one
    jpeg: float = 0.0  # the composite went through JPEG


Change = Callable[[Tensor, Draws], Tensor]


def befall(share: float, change: Change, pictures: Tensor, draws: Draws, numbers: int = 16) -> Tensor:
    """Apply `change`, which may use so many random numbers a picture, to a random share of the pictures."""
    rows = np.flatnonzero(draws.chance(share))
    chosen = draws.rows(rows, numbers)
    if not len(rows):
        return pictures
    pictures = pictures.clone()
    places = on_device(rows, pictures.device)
    pictures[places] = change(pictures[places], chosen)
    return pictures
