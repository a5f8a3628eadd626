"""Places photographed from a fixed camera at several hours or exposures: composites whose light is real."""

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
from harmonizer.learning.composites.photos import read_picture, read_rows
from harmonizer.learning.composites.sampling import Evenly

# A foreground of which more than CLIPPED is black or white cannot be recovered. One whose mean changes by less than
# LEAST, in root mean square over 0-255, needs nothing; by more than MOST, noon on midnight, it is nothing that anybody
# pastes, and its squared error would outweigh all others.
CLIPPED, LEAST, MOST = 0.3, 5.0, 70.0


@dataclass(frozen=True)
class Scenes:
    """Pictures (M, 3, S, S) and regions (K, 1, S, S), uint8 on one device, and which make a composite.

    A row of `pairs` (P, 3) is the picture that lends the foreground, the picture of the background, which is the
    real one, and the region; those of one region follow each other. `sources` (P,) numbers the collections.
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
        """Rows of `pairs` for each picture, (N, 3): a collection by the root of its size, a region, two hours."""
        first, counts, evenly = self._regions
        region = evenly.choose(draws)
        return np.asarray(self.pairs[first[region] + draws.integers(counts[region])])

    @cached_property
    def _regions(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Evenly]:
        _, first, counts = np.unique(self.pairs[:, 2], return_index=True, return_counts=True)
        return first, counts, Evenly.among(self.sources[first])


def read_scenes(folder: Path, *, held_out: bool) -> Scenes | None:
    """Read the rows with a column `scene` of a folder as `read_photos` takes it: the held-out places, or all others.

    A column `masks` (or `mask`) names the regions of a scene, separated by `;`. None if there are no scenes.
    Raises ImageFileError.
    """
    rows = [(place, row) for place, row in read_rows(folder) if row.get("scene") and is_held_out(row) == held_out]
    scenes: dict[tuple[Path, str], list[tuple[Path, dict[str, str]]]] = {}
    for place, row in rows:
        scenes.setdefault((place, row["scene"]), []).append((place, row))
    images: list[npt.NDArray[np.uint8]] = []
    masks: list[npt.NDArray[np.uint8]] = []
    pairs, sources = [], []
    names = sorted({row["source"] for _, row in rows})
    try:
        for members in scenes.values():
            pictures = [read_picture(place / row["image"], "RGB") for place, row in members]
            place, row = members[0]
            regions = [read_picture(place / name, "L") for name in (row.get("masks") or row["mask"]).split(";") if name]
            for number, region in enumerate(regions, start=len(masks)):
                fitting = [(a + len(images), b + len(images), number) for a, b in _pairs(pictures, region)]
                pairs += fitting
                sources += [names.index(row["source"])] * len(fitting)
            images += pictures
            masks += regions
    except (OSError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"the scenes of {folder} cannot be read ({error}); expected index.csv with columns scene, image and masks"
        ) from error
    if not pairs:
        return None
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return Scenes(stacked, torch.from_numpy(np.stack(masks)[:, None]), np.array(pairs), np.array(sources))


def _pairs(pictures: list[npt.NDArray[np.uint8]], region: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Which pictures may lend their foreground to which: every ordered pair that CLIPPED, LEAST and MOST allow."""
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
