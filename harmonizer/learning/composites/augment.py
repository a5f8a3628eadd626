"""Random changes of photographs, masks and composites before the network gets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from harmonizer.learning.composites.draws import Draws, on_device


@dataclass(frozen=True)
class Augmentation:
    """The probability of each change, for each picture; by default nothing changes."""

    uncropped: float = 0.0  # the whole photograph is used, so that small foregrounds stay small
    part_of_object: float = 0.0  # the foreground is a small part of the object that the mask marks
    relight: float = 0.0  # the whole photograph is relit first: composite and target share the new light
    refocus: float = 0.0  # the photograph is blurred or sharpened: composite and target share it
    bad_cutout: float = 0.0  # the mask is bad, and pasting, network, filters and loss all use it
    bad_input_mask: float = 0.0  # only the network gets a bad mask; pasting, filters and loss use the true one
    jpeg: float = 0.0  # the composite goes through JPEG


Change = Callable[[Tensor, Draws], Tensor]


def apply_randomly(probability: float, change: Change, pictures: Tensor, draws: Draws, numbers: int = 16) -> Tensor:
    """Apply `change` to each picture with a probability; it may use so many random numbers for each."""
    rows = np.flatnonzero(draws.chance(probability))
    own_draws = draws.rows(rows, numbers)
    if not len(rows):
        return pictures
    pictures = pictures.clone()
    index = on_device(rows, pictures.device)
    pictures[index] = change(pictures[index], own_draws)
    return pictures
