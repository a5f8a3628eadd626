"""Scenes photographed from a fixed camera at several hours or exposures: composites whose light is real."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harmonizer.errors import ImageFileError
from harmonizer.evaluation.held_out import is_held_out
from harmonizer.learning.composites.draws import Draws
from harmonizer.learning.composites.sources.photos import read_pictures, read_rows
from harmonizer.learning.composites.sources.sampling import BalancedSampler

# A foreground of which more than CLIPPED is black or white cannot be recovered. One whose mean changes by less than
# LEAST, in root mean square over 0-255, needs no change. Nobody pastes one whose mean changes by more than MOST, as
# noon on midnight, and its squared error would outweigh all others.
CLIPPED, LEAST, MOST = 0.3, 5.0, 70.0


@dataclass(frozen=True)
class Scenes:
    """Pictures (M, 3, S, S) and regions (K, 1, S, S), uint8 on one device, and which make a composite.

    A row of `pairs` (P, 3) holds the indices of the picture that lends the foreground, of the picture of the
    background, which is the target, and of the region. Pairs of one region follow each other. `sources` (P,) holds the
    numbers of the collections.
    """

    images: Tensor
    masks: Tensor
    pairs: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pairs)

    def to(self, device: torch.device) -> Scenes:
        """The same scenes on another device."""
        return replace(self, images=self.images.to(device), masks=self.masks.to(device))

    def choose(self, draws: Draws) -> npt.NDArray[np.int64]:
        """Rows of `pairs`, (N, 3): for each a collection by the square root of its size, a region, and two hours."""
        first, counts, sampler = self._regions
        region = sampler.choose(draws)
        return np.asarray(self.pairs[first[region] + draws.integers(counts[region])])

    @cached_property
    def _regions(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], BalancedSampler]:
        _, first, counts = np.unique(self.pairs[:, 2], return_index=True, return_counts=True)
        return first, counts, BalancedSampler.among(self.sources[first])


def read_scenes(folder: Path, *, held_out: bool) -> Scenes | None:
    """Read the rows with a column `scene` of a folder as `read_photos` takes it: the held-out scenes, or all others.

    A column `masks` (or `mask`) names the regions of a scene, separated by `;`. None if there are no scenes.
    Raises ImageFileError.
    """
    rows = [(parent, row) for parent, row in read_rows(folder) if row.get("scene") and is_held_out(row) == held_out]
    scenes: dict[tuple[Path, str], list[tuple[Path, dict[str, str]]]] = {}
    for parent, row in rows:
        scenes.setdefault((parent, row["scene"]), []).append((parent, row))
    pairs: list[tuple[int, int, int]] = []
    sources: list[int] = []
    names = sorted({row["source"] for _, row in rows})
    try:
        image_files = [parent / row["image"] for members in scenes.values() for parent, row in members]
        region_files = [_region_files(*members[0]) for members in scenes.values()]
        images = read_pictures(image_files, "RGB")
        masks = read_pictures([file for files in region_files for file in files], "L")
        first_image = first_mask = 0
        for members, files in zip(scenes.values(), region_files, strict=True):
            pictures = images[first_image : first_image + len(members)]
            for number in range(first_mask, first_mask + len(files)):
                usable = [(a + first_image, b + first_image, number) for a, b in _pairs(pictures, masks[number])]
                pairs += usable
                sources += [names.index(members[0][1]["source"])] * len(usable)
            first_image += len(members)
            first_mask += len(files)
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"the scenes of {folder} cannot be read ({error}); expected index.csv with columns scene, image and masks"
        ) from error
    if not pairs:
        return None
    return Scenes(
        torch.from_numpy(images).permute(0, 3, 1, 2),
        torch.from_numpy(masks[:, None]),
        np.array(pairs),
        np.array(sources),
    )


def _region_files(parent: Path, row: dict[str, str]) -> list[Path]:
    return [parent / name for name in (row.get("masks") or row["mask"]).split(";") if name]


def _pairs(pictures: npt.NDArray[np.uint8], region: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Which picture may lend its foreground to which: all ordered pairs that CLIPPED, LEAST and MOST allow."""
    inside = region[::4, ::4] > 127
    if not inside.any():
        return []
    colours = [picture[::4, ::4][inside].astype(np.float64) for picture in pictures]
    recoverable = [float(((each < 4) | (each > 251)).all(axis=1).mean()) < CLIPPED for each in colours]
    means = np.array([each.mean(axis=0) for each in colours])
    return [
        (first, second)
        for first in range(len(pictures))
        for second in range(len(pictures))
        if recoverable[first] and recoverable[second]
        if LEAST < np.sqrt(((means[first] - means[second]) ** 2).mean()) < MOST
    ]
