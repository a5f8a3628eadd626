"""Scores of a harmonizer on composites whose real picture is known."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harmonizer import io
from harmonizer.errors import ImageFileError
from harmonizer.metrics import Scores, score
from harmonizer.picture import Pixels
from harmonizer.pipeline import Harmonizer
from whitebox_filters import Cascade

if TYPE_CHECKING:
    from rich.table import Table

HELD_OUT = 20


@dataclass(frozen=True)
class Sample:
    """One composite (HWC uint8), its mask (HW, float32 in [0, 1]) and the real picture (HWC uint8)."""

    name: str
    subset: str
    composite: Pixels
    mask: Pixels
    real: Pixels


@dataclass(frozen=True)
class Evaluation:
    """One picture's scores before and after."""

    name: str
    subset: str
    composite: Scores
    harmonized: Scores
    theta: dict[str, float]


def is_held_out(image: str) -> bool:
    """Every twentieth photograph of a training folder, by its name in index.csv, is kept from training."""
    return zlib.crc32(image.encode()) % HELD_OUT == 0


def read_samples(folder: Path) -> Iterator[Sample]:
    """The composites of a folder: iHarmony4's layout at any depth, or a training folder with index.csv.

    `composite_images/a_1_2.*` belongs to `masks/a_1.*` and `real_images/a.*`. Of a training folder the held-out
    photographs are distorted by Eq. 8 with arguments from the priors (Eq. 9), the same at each call.
    Raises ImageFileError if the folder is neither, or if a file is missing.
    """
    if (folder / "index.csv").is_file():
        yield from _distorted(folder)
        return
    composites = sorted(folder.rglob("composite_images/*"))
    if not composites:
        raise ImageFileError(
            f"{folder} holds neither composite_images/ (iHarmony4's layout, with masks/ and real_images/ beside it) "
            "nor index.csv (photographs and masks)"
        )
    for path in composites:
        parent, mask_name = path.parent.parent, path.stem.rpartition("_")[0]
        composite = io.read_image(path).pixels
        mask = io.read_mask(_only(parent / "masks", mask_name), composite.shape[:2])
        real = io.read_image(_only(parent / "real_images", mask_name.rpartition("_")[0])).pixels
        yield Sample(path.stem, parent.name, composite, mask, real)


def evaluate(harmonizer: Harmonizer, samples: Iterator[Sample]) -> Iterator[Evaluation]:
    """Harmonize each composite at its own resolution; score it over all pixels, and over those with mask > 127."""
    for sample in samples:
        foreground = sample.mask > 127 / 255
        result = harmonizer.harmonize(sample.composite, sample.mask)
        # The composites' backgrounds differ from the real ones by JPEG alone; as usual the real one is pasted back.
        before, after = (
            score(np.where(foreground[..., None], picture, sample.real), sample.real, foreground)
            for picture in (sample.composite, result.image)
        )
        yield Evaluation(sample.name, sample.subset, before, after, result.theta)


def summarize(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Means over the pictures, and the share whose foreground came closer to the real one."""
    summary: dict[str, Any] = {"pictures": len(evaluations)}
    for stage in ("composite", "harmonized"):
        scores = [asdict(getattr(evaluation, stage)) for evaluation in evaluations]
        summary[stage] = {key: float(np.mean([each[key] for each in scores])) for key in ("mse", "fmse", "psnr")}
    improved = [evaluation.harmonized.fmse < evaluation.composite.fmse for evaluation in evaluations]
    summary["improved"] = float(np.mean(improved))
    return summary


def write_report(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write the summary and every picture's scores as JSON, whole or not at all. Raises OutputError."""
    report = {"summary": summarize(evaluations), "pictures": [asdict(evaluation) for evaluation in evaluations]}
    io.write_file(path, json.dumps(report, indent=1).encode())


def table(evaluations: Sequence[Evaluation]) -> Table:
    """A row a subset and one for all: pictures, mean MSE, fMSE and PSNR before and after, share improved."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("subset")
    for name in ("pictures", "MSE", "fMSE", "PSNR", "improved"):
        table.add_column(name, justify="right")
    subsets = sorted({evaluation.subset for evaluation in evaluations})
    groups = [(subset, [e for e in evaluations if e.subset == subset]) for subset in subsets]
    if len(groups) > 1:
        groups.append(("all", list(evaluations)))
    for name, group in groups:
        summary = summarize(group)
        before, after = summary["composite"], summary["harmonized"]
        columns = [f"{before[key]:.2f} -> {after[key]:.2f}" for key in ("mse", "fmse", "psnr")]
        table.add_row(name, str(len(group)), *columns, f"{summary['improved']:.0%}")
    return table


def _distorted(folder: Path) -> Iterator[Sample]:
    cascade = Cascade()
    distortion = cascade.reversed()
    priors = [filter.prior for filter in distortion.filters]
    for row in csv.DictReader((folder / "index.csv").read_text(encoding="utf-8").splitlines()):
        if not is_held_out(row["image"]):
            continue
        real = io.read_image(folder / row["image"]).pixels
        mask = io.read_mask(folder / row["mask"], real.shape[:2])
        random = np.random.default_rng(zlib.crc32(row["mask"].encode()))
        theta = [prior.mean + prior.std * np.clip(random.standard_normal(), -2, 2) for prior in priors]
        yield Sample(Path(row["mask"]).stem, "eq8", distortion(real, theta, mask), mask, real)


def _only(folder: Path, stem: str) -> Path:
    found = sorted(folder.glob(f"{stem}.*"))
    if not found:
        raise ImageFileError(f"{folder / stem}.* is missing; every composite needs its mask and its real picture")
    return found[0]
