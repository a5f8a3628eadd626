"""Composites whose real picture is known, read from the layouts in which such data comes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from harmonizer.errors import EvaluationError, ImageFileError
from harmonizer.evaluation import plausible, transfer
from harmonizer.evaluation.held_out import is_held_out
from harmonizer.evaluation.index import read_index
from harmonizer.files.csv_rows import Row
from harmonizer.pictures import io
from harmonizer.pictures.picture import Pixels, convert_depth
from whitebox_filters import Cascade

DRAWS = 5
"""Composites by Eq. 8 of each held-out photograph; between single draws the mean error varies by a tenth."""
TRANSFERS = 200
"""The most masks of a folder that get the colours of another foreground."""
PAIRS = 8
"""Composites of each place that was taken in several exposures, and of each scene that was taken at several hours."""
METHODS = {"reinhard": transfer.reinhard, "mkl": transfer.monge_kantorovich}


@dataclass(frozen=True)
class Composite:
    """One composite (HWC uint8) and its mask (HW, float32 in [0, 1]): what a learner is given."""

    name: str
    subset: str
    composite: Pixels
    mask: Pixels

    @property
    def foreground(self) -> npt.NDArray[np.bool_]:
        """(H, W): what counts as foreground in the scores, mask > 127 of 255."""
        return self.mask > 127 / 255


@dataclass(frozen=True)
class Sample(Composite):
    """A composite with its real picture (HWC uint8), which only the scores and the oracle need."""

    real: Pixels

    @property
    def without_real(self) -> Composite:
        """The composite alone."""
        return Composite(self.name, self.subset, self.composite, self.mask)


AnyComposite = TypeVar("AnyComposite", bound=Composite)


def read_samples(folder: Path, layout: str) -> Iterator[Sample]:
    """The samples of a folder in one of LAYOUTS. Raises EvaluationError, ImageFileError and MaskError."""
    if layout not in LAYOUTS:
        raise EvaluationError(f"no layout is named {layout!r}; there are {', '.join(LAYOUTS)}")
    return LAYOUTS[layout](folder)


def resize(composite: AnyComposite, side: int) -> AnyComposite:
    """Squash all its pictures to `side` x `side` pixels, bilinear with antialiasing, as the field evaluates at 256."""
    from PIL import Image

    def squash(pixels: Pixels) -> Pixels:
        small = Image.fromarray(convert_depth(pixels, np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
        return np.asarray(small)

    pictures: dict[str, Any] = {
        name: squash(getattr(composite, name)) for name in ("composite", "real") if hasattr(composite, name)
    }
    return replace(composite, **pictures, mask=convert_depth(squash(composite.mask), np.float32))


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


def read_photos(folder: Path, draws: int = DRAWS, at_most: int | None = None) -> Iterator[Sample]:
    """The held-out photographs of a training folder, their foregrounds distorted by Eq. 8; the same at each call.

    `index.csv` has the columns image and mask, and may have those that `held_out.is_held_out` reads. Each mask makes
    `draws` composites, MASK_1, MASK_2 and so on, with theta drawn from the priors (Eq. 9), cut off at two deviations.
    `at_most` so many masks are taken, evenly from all sources. Raises ImageFileError and MaskError.
    """
    rows = _photograph_rows(folder)
    distortion = Cascade().reversed()
    priors = [filter.prior for filter in distortion.filters]
    for row in rows if at_most is None else plausible.even_subset(rows, at_most):
        sample = _read_photo(folder, row, "eq8")
        random = np.random.default_rng(zlib.crc32(row["mask"].encode()))
        for draw in range(1, draws + 1):
            theta = [prior.mean + prior.std * np.clip(random.standard_normal(), -2, 2) for prior in priors]
            composite = distortion(sample.real, theta, sample.mask)
            yield replace(sample, name=f"{sample.name}_{draw}", composite=composite)


def read_transfers(folder: Path) -> Iterator[Sample]:
    """Held-out photographs whose foregrounds have the colours of another one of the folder; the same at each call.

    `index.csv` is as for `read_photos`. At most TRANSFERS masks, evenly from all sources, make one composite each,
    MASK_reinhard and MASK_mkl in turn; none where no reference gives a plausible one. Raises ImageFileError and
    MaskError.
    """
    rows = plausible.even_subset(_photograph_rows(folder), TRANSFERS)
    colours = {}
    for row in rows:
        sample = _read_photo(folder, row, "transfers")
        colours[row["mask"]] = plausible.foreground_colours(sample.real, sample.foreground)
    colours = {mask: pixels for mask, pixels in colours.items() if len(pixels) > 1}
    images = {row["mask"]: row["image"] for row in rows}
    for index, row in enumerate(rows):
        method = tuple(METHODS)[index % len(METHODS)]
        others = {mask: pixels for mask, pixels in colours.items() if images[mask] != row["image"]}
        own = colours.get(row["mask"])
        colour_map = None if own is None else plausible.choose_transfer(row["mask"], own, others, METHODS[method])
        if colour_map:
            sample = _read_photo(folder, row, "transfers")
            composite = transfer.recolour(sample.real, sample.mask, colour_map)
            yield replace(sample, name=f"{sample.name}_{method}", composite=composite)


def read_scenes(folder: Path) -> Iterator[Sample]:
    """Held-out places that a fixed camera took several times: the foreground from another picture of the scene.

    `index.csv` has the columns scene, image, what_varies and masks, which are separated by semicolons and belong to
    all pictures of the scene. Where what varies begins with "exposure" the subset is `exposures`, and PAIRS composites
    are made of each place, the first word of the scene's name; else it is `hours`, and PAIRS are made of each scene.
    They are drawn by a hash of their names, SCENE_REAL-OTHER-MASK, and those without anything to recover or to do are
    left out; so are rows with an entry in a column overlaps_existing_training, which earlier networks have learned
    from under another name. The same at each call. Raises ImageFileError and MaskError.
    """
    candidates: dict[tuple[str, str], list[tuple[str, Path, Path, Path]]] = {}
    scenes: dict[str, list[Row]] = {}
    for row in _read_index(folder, "scene, image, what_varies, masks"):
        if is_held_out(row) and row["masks"] and not row.get("overlaps_existing_training"):
            scenes.setdefault(row["scene"], []).append(row)
    for scene, rows in scenes.items():
        exposures = rows[0]["what_varies"].startswith("exposure")
        key = ("exposures", scene.split("_")[0]) if exposures else ("hours", scene)
        for real, other in permutations((folder / row["image"] for row in rows), 2):
            for mask in (folder / mask for mask in rows[0]["masks"].split(";")):
                stems = "-".join(path.stem.replace("_", "-") for path in (real, other, mask))
                candidates.setdefault(key, []).append((f"{scene}_{stems}", real, other, mask))
    for (subset, _), members in candidates.items():
        yield from _worthwhile(subset, sorted(members, key=lambda member: plausible.order(member[0])))


LAYOUTS: dict[str, Callable[[Path], Iterator[Sample]]] = {
    "iharmony4": read_iharmony4,
    "photos": read_photos,
    "scenes": read_scenes,
    "transfers": read_transfers,
    "triples": read_triples,
}


def _composites(subset: Path) -> list[Path]:
    folder = subset / "composite_images"
    lists = sorted(subset.glob("*_test.txt"))
    if not lists:
        return sorted(folder.iterdir())
    lines = [line.strip() for path in lists for line in path.read_text(encoding="utf-8-sig").splitlines()]
    return [folder / Path(line).name for line in lines if line]


def _only(folder: Path, stem: str) -> Path:
    matches = sorted(folder.glob(f"{stem}.*"))
    if not matches:
        raise ImageFileError(f"{folder / stem}.* is missing; every composite needs its mask and its real picture")
    return matches[0]


def _read(name: str, subset: str, composite: Path, mask: Path, real: Path) -> Sample:
    pixels, truth = _read_pixels(composite), _read_pixels(real)
    if truth.shape != pixels.shape:
        raise ImageFileError(f"{composite} and {real} differ in size; scale both to the same")
    return Sample(name, subset, pixels, io.read_mask(mask, pixels.shape[:2]), truth)


def _read_photo(folder: Path, row: Row, subset: str) -> Sample:
    """The photograph of a row under the name of its mask, the composite still the same as the real picture."""
    pixels = _read_pixels(folder / row["image"])
    mask = io.read_mask(folder / row["mask"], pixels.shape[:2])
    return Sample(Path(row["mask"]).stem, subset, pixels, mask, pixels)


def _read_pixels(path: Path) -> Pixels:
    """(H, W, 3) uint8. AVIF, which `pictures.io` does not read, is read by Pillow. Raises ImageFileError."""
    if path.suffix.lower() != ".avif":
        return convert_depth(io.read_image(path).pixels, np.uint8)
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise ImageFileError(f"{path} cannot be read: {error}") from error


def _read_index(folder: Path, columns: str) -> list[Row]:
    index = folder / "index.csv"
    if not index.is_file():
        raise ImageFileError(f"{folder} holds no index.csv (columns {columns}); other layouts: {', '.join(LAYOUTS)}")
    return read_index(index, columns.split(", "))


def _photograph_rows(folder: Path) -> list[Row]:
    return [row for row in _read_index(folder, "image, mask") if is_held_out(row) and row["mask"]]


def _worthwhile(subset: str, members: Sequence[tuple[str, Path, Path, Path]]) -> Iterator[Sample]:
    """The first PAIRS that are worth a score, of (name, real picture, the other, mask)."""
    open_pixels = cache(_read_pixels)
    number = 0
    for name, real_path, other_path, mask_path in members:
        real, other = open_pixels(real_path), open_pixels(other_path)
        if real.shape != other.shape:
            raise ImageFileError(f"{real_path} and {other_path} differ in size; scale both to the same")
        mask = io.read_mask(mask_path, real.shape[:2])
        sample = Sample(name, subset, _paste(other, real, mask), mask, real)
        if plausible.is_worthwhile(sample.composite[sample.foreground], real[sample.foreground]):
            yield sample
            number += 1
        if number == PAIRS:
            return


def _paste(foreground: Pixels, background: Pixels, mask: Pixels) -> Pixels:
    blended = background + mask[..., None] * (foreground.astype(np.float32) - background)
    return np.rint(blended).astype(np.uint8)
