"""Photographs with foreground masks, decoded into memory."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
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
from harmonizer.evaluation.index import read_index
from harmonizer.learning.composites.sources.parallel import map_in_threads
from harmonizer.learning.composites.sources.sampling import BalancedSampler
from harmonizer.learning.composites.sources.segments import are_plain, take_segments
from harmonizer.thumbnail import STORED

Bytes = npt.NDArray[np.uint8]
Row = Mapping[str, str]

COPY = 0.98  # correlation of grey tones from which on two photographs count as one
SEGMENTS = 3  # how many foregrounds a photograph without a mask gets


@dataclass(frozen=True)
class Photos:
    """Photographs and masks, resized to STORED: uint8 (N, 3 + E, S, S) and (N, 1, S, S), on one device.

    All photographs have equally many extra channels after red, green and blue.
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
    def sampler(self) -> BalancedSampler:
        """Chooses photographs, the collections by the square root of their sizes."""
        return BalancedSampler.among(self.sources)


def read_rows(folder: Path) -> list[tuple[Path, dict[str, str]]]:
    """The rows of `index.csv` in a folder, or in each folder within it that has one; with the folder of each.

    Raises ImageFileError if there is none, or one cannot be read.
    """
    indices = [folder / "index.csv"]
    if not indices[0].is_file():
        indices = sorted(folder.glob("*/index.csv"))
    if not indices:
        raise ImageFileError(
            f"{folder} is no folder of photographs; expected index.csv with the columns image and mask, in it or in "
            "folders within it"
        )
    return [
        (index.parent, {"source": index.parent.name, **row})
        for index in indices
        for row in read_index(index, ["image"])
    ]


def read_photos(folder: Path, *, held_out: bool, channels: int = 3) -> Photos:
    """Read the photographs of a folder, those without a column `scene`: the held-out ones, or all others.

    A photograph with several masks is on one side only. A copy of a held-out one, under another name or in other
    colours, is on neither. One without a mask serves for training alone: its segments are its foregrounds. Masks of
    foregrounds without texture, a sky or a road, are left out of training, since nobody pastes these. The column
    `extra` names a picture aligned with the photograph, whose channels follow red, green and blue; together they have
    to be `channels`.
    Raises ImageFileError.
    """
    rows = [(parent, row) for parent, row in read_rows(folder) if not row.get("scene")]
    try:
        tests = [(parent, row) for parent, row in rows if is_held_out(row) and row["mask"]]
        training = [(parent, row) for parent, row in rows if not is_held_out(row)]
        # The foregrounds of a photograph without a mask follow each other.
        entries = [
            (*pair, number)
            for pair in (tests if held_out else training)
            for number in range(1 if pair[1]["mask"] else SEGMENTS)
        ]
        images, masks = _read_all(entries)
        keep = np.ones(len(entries), np.bool_)
        if not held_out:
            originals = read_pictures([parent / row["image"] for parent, row in tests], "RGB")
            keep = ~are_copies(images, originals) & ~_are_plain(images, masks)
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"{folder} is no folder of photographs ({error}); expected index.csv with the columns image and mask"
        ) from error
    if images.shape[-1] != channels:
        raise ImageFileError(
            f"the photographs of {folder} have {images.shape[-1]} channels, extra ones included, and the network takes "
            f'{channels}; set "channels" of the recipe\'s network, or change the column extra of index.csv'
        )
    index = np.flatnonzero(keep)
    if not len(index):
        raise ImageFileError(
            f"nothing of {folder} is left to train on: all are copies of held-out photographs, or foregrounds without "
            "texture, as skies are; add photographs of objects"
        )
    for array in (images, masks):
        for to, origin in enumerate(index):  # in place: there may be no memory for all of them twice
            array[to] = array[origin]
    # Channels stay last in memory: torch resizes such bytes three times as fast.
    pictures, shapes = (torch.from_numpy(array[: len(index)]).permute(0, 3, 1, 2) for array in (images, masks))
    names = [row["source"] for _, row, _ in entries]
    return Photos(pictures, shapes.contiguous(), np.unique(names, return_inverse=True)[1][index])


def read_picture(path: Path, mode: str) -> Bytes:
    """A picture in one of Pillow's modes, resized to STORED: uint8 (S, S) or (S, S, C)."""
    with Image.open(path) as picture:
        return np.asarray(_resize(picture.convert(mode)))


def read_pictures(paths: Sequence[Path], mode: str) -> Bytes:
    """Pictures in one of Pillow's modes, read in threads: uint8 (N, S, S) or (N, S, S, C)."""
    pictures = np.empty((len(paths), STORED, STORED, *([3] if mode == "RGB" else [])), np.uint8)

    def read(number: int) -> None:
        pictures[number] = read_picture(paths[number], mode)

    map_in_threads(read, range(len(paths)))
    return pictures


def are_copies(images: Bytes, originals: Bytes) -> npt.NDArray[np.bool_]:
    """Which of the images (N, S, S, 3 or more) show the same as one of the originals (M, S, S, 3)."""
    if not len(originals):
        return np.zeros(len(images), np.bool_)
    correlation = _fingerprints(images) @ _fingerprints(originals).T
    return np.asarray((correlation > COPY).any(axis=1))


def _fingerprints(images: Bytes) -> npt.NDArray[np.float64]:
    """16 x 16 grey tones of each image less their mean, of length 1; their products are correlations."""
    side = STORED // 16
    grey = np.stack([image[..., :3].reshape(16, side, 16, side, 3).mean(axis=(1, 3, 4)).ravel() for image in images])
    centred = grey - grey.mean(axis=1, keepdims=True)
    prints: npt.NDArray[np.float64] = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6)
    return prints


def _read_all(entries: Sequence[tuple[Path, Row, int]]) -> tuple[Bytes, Bytes]:
    """Pictures (N, S, S, 3 + E) and masks (N, S, S, 1)."""
    if not entries:
        raise ValueError("no photograph is left to read")
    first = _read_image(*entries[0][:2])
    images = np.empty((len(entries), *first.shape), np.uint8)
    masks = np.empty((*images.shape[:3], 1), np.uint8)

    def read(number: int) -> None:
        folder, row, part = entries[number]
        images[number] = image = _read_image(folder, row)
        masks[number, ..., 0] = _read_mask(folder, row, part, image)

    map_in_threads(read, range(len(entries)))
    return images, masks


def _read_image(folder: Path, row: Row) -> Bytes:
    image = read_picture(folder / row["image"], "RGB")
    if not row.get("extra"):
        return image
    with Image.open(folder / row["extra"]) as extra:
        # One by one: Pillow takes the last of two or four channels for opacity.
        bands = [np.asarray(_resize(band)) for band in extra.split()]
    if bands[0].dtype != np.uint8:
        raise ValueError(f"{row['extra']} has {bands[0].dtype.name} channels; extra channels are uint8")
    return np.dstack([image, *bands])


def _read_mask(folder: Path, row: Row, part: int, image: Bytes) -> Bytes:
    """The mask of a photograph (S, S), or a group of its segments, the `part`-th, if it has none."""
    if row["mask"]:
        return read_picture(folder / row["mask"], "L")
    picture = torch.tensor(image[..., :3]).permute(2, 0, 1)[None] / 255
    generator = Generator().manual_seed(zlib.crc32(f"{row['image']} {part}".encode()))
    return np.asarray((255 * take_segments(picture, generator)[0, 0] + 0.5).byte())


def _are_plain(images: Bytes, masks: Bytes) -> npt.NDArray[np.bool_]:
    def check(begin: int) -> npt.NDArray[np.bool_]:
        pictures, shapes = (_floats(array[begin : begin + 64]) for array in (images, masks))
        return are_plain(pictures, shapes).numpy()

    return np.concatenate(map_in_threads(check, range(0, len(images), 64)))


def _floats(pictures: Bytes) -> Tensor:
    return torch.from_numpy(pictures[..., :3]).permute(0, 3, 1, 2).float() / 255


def _resize(picture: Image.Image) -> Image.Image:
    return picture.resize((STORED, STORED), Image.Resampling.BILINEAR)
