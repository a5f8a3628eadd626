"""Photographs with foreground masks, kept decoded in memory, and the batches made of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from harmonizer.errors import ImageFileError
from harmonizer.learning import synthesis
from harmonizer.samples import is_held_out
from whitebox_filters import Cascade

STORED_SIZE = 256


@dataclass(frozen=True)
class Photos:
    """Photographs and masks, squashed to STORED_SIZE: uint8 (N, 3, S, S) and (N, 1, S, S)."""

    images: Tensor
    masks: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Batch:
    """Composites; the first `len(targets[0])` have a target for every step, the others only for the last."""

    composite: Tensor
    mask: Tensor
    real: Tensor
    targets: list[Tensor]


def read_photos(folder: Path, *, held_out: bool) -> Photos:
    """Read `index.csv` (columns image, mask) of a folder: the held-out photographs, or all others.

    A photograph with several masks stands on one side only. Raises ImageFileError.
    """
    try:
        rows = list(csv.DictReader((folder / "index.csv").read_text().splitlines()))
        chosen = [row for row in rows if is_held_out(row["image"]) == held_out]
        images = np.stack([_read(folder / row["image"], "RGB").transpose(2, 0, 1) for row in chosen])
        masks = np.stack([_read(folder / row["mask"], "L")[None] for row in chosen])
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"{folder} is no folder of photographs ({error}); expected index.csv with the columns image and mask"
        ) from error
    return Photos(torch.from_numpy(images), torch.from_numpy(masks))


def draw(photos: Photos, indices: Tensor, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Random crops (at least half of each side) and flips, resized to (n, 3, size, size) and (n, 1, size, size)."""
    joined = torch.cat([photos.images[indices], photos.masks[indices]], dim=1).float() / 255
    crops = []
    for picture in joined:
        crop = _crop(picture, generator)
        if torch.rand((), generator=generator) < 0.5:
            crop = crop.flip(2)
        crops.append(torch.nn.functional.interpolate(crop[None], (size, size), mode="bilinear", antialias=True)[0])
    batch = torch.stack(crops).clamp(0, 1)
    return batch[:, :3], batch[:, 3:]


def make_batch(photos: Photos, cascade: Cascade, count: int, size: int, generator: Generator) -> Batch:
    """Half of `count` composites by Eq. 8, the rest by the other recipes in turn."""
    indices = torch.randint(len(photos), (2 * count,), generator=generator)
    pictures, masks = draw(photos, indices, size, generator)
    real, mask = pictures[:count], masks[:count]
    reference, reference_mask = pictures[count:], masks[count:]
    half = count // 2
    composite, targets = synthesis.distort(real[:half], mask[:half], cascade, generator)
    names = list(synthesis.RECIPES)
    parts = [composite]
    for name, chunk in zip(names, torch.arange(half, count).tensor_split(len(names)), strict=True):
        if len(chunk):
            inputs = real[chunk], mask[chunk], reference[chunk], reference_mask[chunk]
            parts.append(synthesis.apply_recipe(name, *inputs, generator))
    return Batch(torch.cat(parts), mask, real, targets)


def _crop(picture: Tensor, generator: Generator) -> Tensor:
    """A random crop that keeps some foreground and some background, or the whole picture."""
    stored = picture.shape[1]
    for _ in range(3):
        height, width = (stored * (0.5 + 0.5 * torch.rand(2, generator=generator))).int().tolist()
        top = int(torch.randint(stored - height + 1, (), generator=generator))
        left = int(torch.randint(stored - width + 1, (), generator=generator))
        crop = picture[:, top : top + height, left : left + width]
        if 0.02 < float(crop[3].mean()) < 0.9:
            return crop
    return picture


def _read(path: Path, mode: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(path) as picture:
        small = picture.convert(mode).resize((STORED_SIZE, STORED_SIZE), Image.Resampling.BILINEAR)
    return np.asarray(small)
