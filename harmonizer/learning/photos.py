"""Photographs with foreground masks, kept decoded in memory."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from harmonizer.errors import ImageFileError
from harmonizer.samples import is_held_out
from harmonizer.thumbnail import STORED

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

COPY = 0.98  # correlation of tones from which on two photographs count as one
EMPTY = np.zeros((1, STORED, STORED), np.uint8)


@dataclass(frozen=True)
class Photos:
    """Photographs and masks, squashed to STORED: uint8 (N, 3 + G, S, S) and (N, 1, S, S).

    The channels behind red, green and blue are those of the guides, which every photograph has or none.
    """

    images: Tensor
    masks: Tensor

    def __len__(self) -> int:
        return len(self.images)


def read_photos(folder: Path, *, held_out: bool, channels: int = 3) -> Photos:
    """Read `index.csv` (columns image, mask, maybe guide) of a folder: the held-out photographs, or all others.

    A photograph with several masks stands on one side only, and a copy of a held-out one, under another name or in
    other colours, on neither; one without a mask serves for training alone, and its mask is 0 everywhere. A guide is a
    picture aligned with its photograph; together they have so many `channels`.
    Raises ImageFileError.
    """
    try:
        rows = list(csv.DictReader((folder / "index.csv").read_text().splitlines()))
        tests = [row for row in rows if is_held_out(row["image"]) and row["mask"]]
        chosen = tests if held_out else [row for row in rows if row not in tests]
        images = np.stack([_read_guided(folder, row) for row in chosen])
        if not held_out:
            new = ~are_copies(images, [read_picture(folder / row["image"], "RGB") for row in tests])
            images, chosen = images[new], [row for row, keep in zip(chosen, new, strict=True) if keep]
        masks = np.stack([read_picture(folder / row["mask"], "L")[None] if row["mask"] else EMPTY for row in chosen])
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"{folder} is no folder of photographs ({error}); expected index.csv with the columns image and mask"
        ) from error
    if images.shape[-1] != channels:
        raise ImageFileError(
            f"the photographs of {folder} have {images.shape[-1]} channels with their guides, and the network takes "
            f'{channels}; set "channels" of the recipe\'s model, or change the column guide of index.csv'
        )
    # Channels stay last in memory: torch resizes such bytes three times as fast.
    return Photos(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks))


def read_picture(path: Path, mode: str) -> Bytes:
    """A picture in one of Pillow's modes, squashed to STORED: uint8 (S, S) or (S, S, C)."""
    with Image.open(path) as picture:
        return np.asarray(_squash(picture.convert(mode)))


def are_copies(images: Bytes, originals: Sequence[Bytes]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the images (N, S, S, 3 or more) show the same as one of the originals."""
    if not originals:
        return np.zeros(len(images), np.bool_)
    likeness = _fingerprints(images) @ _fingerprints(np.stack(originals)).T
    return np.asarray((likeness > COPY).any(axis=1))


def _fingerprints(images: Bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """What is dark and bright where: 16 x 16 grey tones less their mean, of length 1, whose products correlate."""
    cell = STORED // 16
    grey = images[..., :3].reshape(len(images), 16, cell, 16, -1).mean(axis=(2, 4)).reshape(len(images), -1)
    centred = grey - grey.mean(axis=1, keepdims=True)
    prints: np.ndarray[tuple[int, int], np.dtype[np.float64]] = centred / (
        np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6
    )
    return prints


def _read_guided(folder: Path, row: dict[str, str]) -> Bytes:
    image = read_picture(folder / row["image"], "RGB")
    if not row.get("guide"):
        return image
    with Image.open(folder / row["guide"]) as guide:
        # One by one: together the last of two or four would be taken for opacity.
        bands = [np.asarray(_squash(band)) for band in guide.split()]
    if bands[0].dtype != np.uint8:
        raise ValueError(f"{row['guide']} has {bands[0].dtype.name} channels, a guide has uint8")
    return np.dstack([image, *bands])


def _squash(picture: Image.Image) -> Image.Image:
    return picture.resize((STORED, STORED), Image.Resampling.BILINEAR)
