"""Composites whose real picture is known, read from the layouts in which such data comes."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harmonizer import io
from harmonizer.errors import EvaluationError, ImageFileError
from harmonizer.picture import Pixels, convert_depth
from whitebox_filters import Cascade

HELD_OUT = 20
DRAWS = 5
"""How often Eq. 8 distorts each held-out photograph: from one draw to another the mean error changes by a tenth."""


@dataclass(frozen=True)
class Sample:
    """One composite (HWC uint8), its mask (HW, float32 in [0, 1]) and the real picture (HWC uint8)."""

    name: str
    subset: str
    composite: Pixels
    mask: Pixels
    real: Pixels

    @property
    def foreground(self) -> npt.NDArray[np.bool_]:
        """(H, W): what counts as foreground in the scores, mask > 127 of 255."""
        return self.mask > 127 / 255


def read_samples(folder: Path, layout: str) -> Iterator[Sample]:
    """The samples of a folder in one of LAYOUTS. Raises EvaluationError, ImageFileError and MaskError."""
    if layout not in LAYOUTS:
        raise EvaluationError(f"no layout is named {layout!r}; there are {', '.join(LAYOUTS)}")
    return LAYOUTS[layout](folder)


def resize(sample: Sample, side: int) -> Sample:
    """The sample squashed to `side` x `side` pixels, bilinear with antialiasing, as the field evaluates at 256."""
    from PIL import Image

    def squash(pixels: Pixels) -> Pixels:
        small = Image.fromarray(convert_depth(pixels, np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
        return np.asarray(small)

    mask = convert_depth(squash(sample.mask), np.float32)
    return replace(sample, composite=squash(sample.composite), mask=mask, real=squash(sample.real))


def is_held_out(image: str) -> bool:
    """Every twentieth photograph of a training folder, by its name in index.csv, is kept from training."""
    return zlib.crc32(image.encode()) % HELD_OUT == 0


def read_iharmony4(folder: Path) -> Iterator[Sample]:
    """Every subset at any depth: composite_images/a_1_2.* belongs to masks/a_1.* and real_images/a.*.

    Where a list *_test.txt lies beside composite_images, only the composites that it names.
    """
    subsets = sorted(path.parent for path in folder.rglob("composite_images"))
    if not subsets:
        raise ImageFileError(
            f"{folder} holds no composite_images/ (iHarmony4's layout, with masks/ and real_images/ beside it); "
            f"other layouts: {', '.join(LAYOUTS)}"
        )
    for subset in subsets:
        for path in _composites(subset):
            mask_name = path.stem.rpartition("_")[0]
            mask, real = _only(subset / "masks", mask_name), _only(subset / "real_images", mask_name.rpartition("_")[0])
            yield _read(path.stem, subset.name, path, mask, real)


def read_triples(folder: Path) -> Iterator[Sample]:
    """NAME_composite.*, NAME_mask.* and NAME_real.* side by side."""
    composites = sorted(folder.glob("*_composite.*"))
    if not composites:
        raise ImageFileError(f"{folder} holds no NAME_composite.*; other layouts: {', '.join(LAYOUTS)}")
    for path in composites:
        name = path.stem.removesuffix("_composite")
        yield _read(name, folder.name, path, _only(folder, f"{name}_mask"), _only(folder, f"{name}_real"))


def read_photos(folder: Path) -> Iterator[Sample]:
    """The held-out photographs of a training folder, their foregrounds distorted by Eq. 8; the same at each call.

    `index.csv` has the columns image and mask. Each mask makes DRAWS composites, MASK_1, MASK_2 and so on, with theta
    drawn from the priors (Eq. 9), cut off at two deviations.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise ImageFileError(f"{folder} holds no index.csv (columns image, mask); other layouts: {', '.join(LAYOUTS)}")
    distortion = Cascade().reversed()
    priors = [filter.prior for filter in distortion.filters]
    for row in csv.DictReader(index.read_text(encoding="utf-8").splitlines()):
        if not (is_held_out(row["image"]) and row["mask"]):
            continue
        path = folder / row["image"]
        sample = _read(Path(row["mask"]).stem, "eq8", path, folder / row["mask"], path)
        random = np.random.default_rng(zlib.crc32(row["mask"].encode()))
        for draw in range(1, DRAWS + 1):
            theta = [prior.mean + prior.std * np.clip(random.standard_normal(), -2, 2) for prior in priors]
            composite = distortion(sample.real, theta, sample.mask)
            yield replace(sample, name=f"{sample.name}_{draw}", composite=composite)


LAYOUTS: dict[str, Callable[[Path], Iterator[Sample]]] = {
    "iharmony4": read_iharmony4,
    "photos": read_photos,
    "triples": read_triples,
}


def _composites(subset: Path) -> list[Path]:
    folder = subset / "composite_images"
    lists = sorted(subset.glob("*_test.txt"))
    if not lists:
        return sorted(folder.iterdir())
    lines = [line.strip() for path in lists for line in path.read_text(encoding="utf-8").splitlines()]
    return [folder / Path(line).name for line in lines if line]


def _only(folder: Path, stem: str) -> Path:
    found = sorted(folder.glob(f"{stem}.*"))
    if not found:
        raise ImageFileError(f"{folder / stem}.* is missing; every composite needs its mask and its real picture")
    return found[0]


def _read(name: str, subset: str, composite: Path, mask: Path, real: Path) -> Sample:
    pixels = convert_depth(io.read_image(composite).pixels, np.uint8)
    truth = convert_depth(io.read_image(real).pixels, np.uint8)
    if truth.shape != pixels.shape:
        raise ImageFileError(f"{composite} and {real} differ in size; scale both to the same")
    return Sample(name, subset, pixels, io.read_mask(mask, pixels.shape[:2]), truth)
