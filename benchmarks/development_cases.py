"""The composites of the development score, by group, and what checkpoints make of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harmonizer.evaluation.evaluate import evaluate
from harmonizer.evaluation.held_out import SOURCES
from harmonizer.evaluation.learners import Contender
from harmonizer.evaluation.samples import Sample, read_photos, read_samples, resize

GROUPS = ("iharmony4", "webcams", "scenes", "eq8", "transfers")
TRIPLES, NO_OP = "triples", "no-op"
SIDE = 256
MORE = 300


@dataclass(frozen=True)
class Case:
    """A composite, the group in which it counts, and the unit with which it is drawn."""

    group: str
    unit: str
    sample: Sample


@dataclass(frozen=True)
class Picture:
    """The fMSE of one case by checkpoint, under "composite" before."""

    group: str
    subset: str
    unit: str
    name: str
    fmse: dict[str, float]


def cases(data: Path) -> Iterator[Case]:
    """All composites of the folders of `data`, at their own sizes. Raises ImageFileError and MaskError."""
    folders = {"iharmony4": ("iharmony4_sample", "iharmony4_more"), "webcams": ("webcam", "webcam_chamonix")}
    for group, names in folders.items():
        for name in names:
            for sample in read_samples(data / name, "iharmony4"):
                yield Case(group, sample.name.rsplit("_", 2)[0], sample)
    for sample in read_samples(data / "scenes", "scenes"):
        scene = sample.name.rpartition("_")[0]
        yield Case("scenes", scene.split("_")[0] if sample.subset == "exposures" else scene, sample)
    for name, at_most in (("photos", None), ("photos_more", MORE)):
        rows = _rows_by_mask(data / name)
        for sample in read_photos(data / name, draws=1, at_most=at_most):
            case = _photograph("eq8", name, sample, rows)
            yield case
            yield Case(NO_OP, case.unit, replace(case.sample, composite=sample.real))
        for sample in read_samples(data / name, "transfers"):
            yield _photograph("transfers", name, sample, rows)
    for sample in read_samples(data / "triples_256", "triples"):
        yield Case(TRIPLES, sample.name, sample)


def _rows_by_mask(folder: Path) -> dict[str, dict[str, str]]:
    rows = csv.DictReader((folder / "index.csv").read_text(encoding="utf-8").splitlines())
    return {Path(row["mask"]).stem: row for row in rows if row["mask"]}


def _photograph(group: str, folder: str, sample: Sample, rows: Mapping[str, dict[str, str]]) -> Case:
    row = rows[sample.name.rpartition("_")[0]]
    whole = row.get("source", "").split(":")[0] in SOURCES
    subset = f"{folder}, sources held out whole" if whole else folder
    return Case(group, f"{folder}/{row['image']}", replace(sample, subset=subset))


def measure(learners: Mapping[str, Contender], every: Iterable[Case]) -> list[Picture]:
    """Score the learners at SIDE x SIDE; a case without foreground at that size is left out."""
    pictures = []
    for case in every:
        small = resize(case.sample, SIDE)
        if not small.foreground.any():
            continue
        (evaluation,) = evaluate(learners, [small])
        fmse = {name: scores.fmse for name, scores in evaluation.scores.items()}
        pictures.append(Picture(case.group, small.subset, case.unit, small.name, fmse))
    return pictures
