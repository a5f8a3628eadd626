"""Photographs with foreground masks, kept decoded in memory."""

from __future__ import annotations

import csv
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Generator, Tensor

from harmonizer.errors import ImageFileError
from harmonizer.evaluation.held_out import is_held_out
from harmonizer.learning.composites.sampling import Evenly
from harmonizer.learning.composites.segments import are_plain, take_segments
from harmonizer.thumbnail import STORED

Bytes = npt.NDArray[np.uint8]
Row = Mapping[str, str]

COPY = 0.98  # correlation of tones from which on two photographs count as one
SEGMENTS = 3  # how many foregrounds a photograph without a mask gets


@dataclass(frozen=True)
class Photos:
    """Photographs and masks, squashed to STORED: uint8 (N, 3 + G, S, S) and (N, 1, S, S), on one device.

    The channels behind red, green and blue are those of the guides, which every photograph has or none.
    """

    images: Tensor
    masks: Tensor
    sources: npt.NDArray[np.int64]  # (N,): the number of the collection that each comes from

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> Photos:
        """The same photographs on another device."""
        return replace(self, images=self.images.to(device), masks=self.masks.to(device))

    @cached_property
    def evenly(self) -> Evenly:
        """Chooses photographs, the collections by the square root of their sizes."""
        return Evenly.among(self.sources)


def read_rows(folder: Path) -> list[tuple[Path, dict[str, str]]]:
    """The rows of `index.csv` in a folder, or in each folder within it that has one; with the folder of each.

    Raises ImageFileError if there is none.
    """
    indices = [folder / "index.csv"]
    if not indices[0].is_file():
        indices = sorted(folder.glob("*/index.csv"))
    if not indices:
        raise ImageFileError(
            f"{folder} is no folder of photographs; expected index.csv with the columns image and mask, in it or in "
            "folders within it"
        )
    try:
        return [
            (index.parent, {"source": index.parent.name} | {name: value or "" for name, value in row.items()})
            for index in indices
            for row in csv.DictReader(index.read_text(encoding="utf-8").splitlines())
        ]
    except OSError as error:
        raise ImageFileError(f"{folder}: an index.csv cannot be read ({error}); mend it or take it away") from error


def read_photos(folder: Path, *, held_out: bool, channels: int = 3) -> Photos:
    """Read the photographs of a folder, those without a column `scene`: the held-out ones, or all others.

    A photograph with several masks stands on one side only, and a copy of a held-out one, under another name or in
    other colours, on neither; one without a mask serves for training alone, its segments are its foregrounds. Masks
    of what has no texture, a sky or a road, are left out of training: nobody pastes these. A guide is a picture
    aligned with its photograph; together they have so many `channels`.
    Raises ImageFileError.
    """
    rows = [(place, row) for place, row in read_rows(folder) if not row.get("scene")]
    try:
        tests = [(place, row) for place, row in rows if is_held_out(row) and row["mask"]]
        chosen = tests if held_out else [pair for pair in rows if not is_held_out(pair[1])]
        # One after the other, the foregrounds of a photograph without a mask.
        entries = [(*pair, part) for pair in chosen for part in range(1 if pair[1]["mask"] else SEGMENTS)]
        images, masks = _read_all(entries)
        keep = np.ones(len(entries), np.bool_)
        if not held_out:
            originals = [read_picture(place / row["image"], "RGB") for place, row in tests]
            keep = ~are_copies(images, originals) & ~_are_plain(images, masks)
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"{folder} is no folder of photographs ({error}); expected index.csv with the columns image and mask"
        ) from error
    if images.shape[-1] != channels:
        raise ImageFileError(
            f"the photographs of {folder} have {images.shape[-1]} channels with their guides, and the network takes "
            f'{channels}; set "channels" of the recipe\'s model, or change the column guide of index.csv'
        )
    index = np.flatnonzero(keep)
    if not len(index):
        raise ImageFileError(
            f"nothing of {folder} is left to train on: all are copies of what is held out, or foregrounds without "
            "texture, as skies are; add photographs of things"
        )
    for array in (images, masks):
        for to, origin in enumerate(index):  # in place: there may be no memory for all of them twice
            array[to] = array[origin]
    # Channels stay last in memory: torch resizes such bytes three times as fast.
    pictures, shapes = (torch.from_numpy(array[: len(index)]).permute(0, 3, 1, 2) for array in (images, masks))
    names = [row["source"] for _, row, _ in entries]
    return Photos(pictures, shapes.contiguous(), np.unique(names, return_inverse=True)[1][index])


def read_picture(path: Path, mode: str) -> Bytes:
    """A picture in one of Pillow's modes, squashed to STORED: uint8 (S, S) or (S, S, C)."""
    with Image.open(path) as picture:
        return np.asarray(_squash(picture.convert(mode)))


def are_copies(images: Bytes, originals: Sequence[Bytes]) -> npt.NDArray[np.bool_]:
    """Which of the images (N, S, S, 3 or more) show the same as one of the originals."""
    if not originals:
        return np.zeros(len(images), np.bool_)
    likeness = _fingerprints(images) @ _fingerprints(np.stack(originals)).T
    return np.asarray((likeness > COPY).any(axis=1))


def _fingerprints(images: Bytes) -> npt.NDArray[np.float64]:
    """What is dark and bright where: 16 x 16 grey tones less their mean, of length 1, whose products correlate."""
    side = STORED // 16
    grey = np.stack([image[..., :3].reshape(16, side, 16, side, 3).mean(axis=(1, 3, 4)).ravel() for image in images])
    centred = grey - grey.mean(axis=1, keepdims=True)
    prints: npt.NDArray[np.float64] = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6)
    return prints


def _read_all(entries: Sequence[tuple[Path, Row, int]]) -> tuple[Bytes, Bytes]:
    """Pictures (N, S, S, 3 + G) and masks (N, S, S, 1)."""
    if not entries:
        raise ValueError("no photograph is left to read")
    first = _read_guided(*entries[0][:2])
    images = np.empty((len(entries), *first.shape), np.uint8)
    masks = np.empty((*images.shape[:3], 1), np.uint8)

    def read(number: int) -> None:
        folder, row, part = entries[number]
        images[number] = image = _read_guided(folder, row)
        masks[number, ..., 0] = _read_mask(folder, row, part, image)

    with ThreadPoolExecutor() as pool:  # Pillow and scikit-image let go of the interpreter while they work
        deque(pool.map(read, range(len(entries))), maxlen=0)
    return images, masks


def _read_guided(folder: Path, row: Row) -> Bytes:
    image = read_picture(folder / row["image"], "RGB")
    if not row.get("guide"):
        return image
    with Image.open(folder / row["guide"]) as guide:
        # One by one: together the last of two or four would be taken for opacity.
        bands = [np.asarray(_squash(band)) for band in guide.split()]
    if bands[0].dtype != np.uint8:
        raise ValueError(f"{row['guide']} has {bands[0].dtype.name} channels, a guide has uint8")
    return np.dstack([image, *bands])


def _read_mask(folder: Path, row: Row, part: int, image: Bytes) -> Bytes:
    """The mask of a photograph (S, S), or where it has none a group of its segments that `part` decides."""
    if row["mask"]:
        return read_picture(folder / row["mask"], "L")
    picture = torch.tensor(image[..., :3]).permute(2, 0, 1)[None] / 255
    generator = Generator().manual_seed(zlib.crc32(f"{row['image']} {part}".encode()))
    return np.asarray((255 * take_segments(picture, generator)[0, 0] + 0.5).byte())


def _are_plain(images: Bytes, masks: Bytes) -> npt.NDArray[np.bool_]:
    parts = [slice(begin, begin + 64) for begin in range(0, len(images), 64)]
    return np.concatenate([are_plain(*(_floats(array[part]) for array in (images, masks))) for part in parts])


def _floats(pictures: Bytes) -> Tensor:
    return torch.from_numpy(pictures[..., :3]).permute(0, 3, 1, 2).float() / 255


def _squash(picture: Image.Image) -> Image.Image:
    return picture.resize((STORED, STORED), Image.Resampling.BILINEAR)
