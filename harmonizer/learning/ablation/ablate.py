"""Trains variants of the method and compares them, as Table 4 does, at a size for a small machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harmonizer import atomic
from harmonizer.errors import OutputError
from harmonizer.evaluation.metrics import Scores, score
from harmonizer.learning.ablation import comparison
from harmonizer.learning.composites.crops import crop
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import ADJUSTMENTS, imitate
from harmonizer.learning.composites.sources.photos import read_photos
from harmonizer.learning.composites.sources.sources import Sources, read_sources
from harmonizer.learning.composites.transfers import TRANSFERS
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.recipes import DEFAULT, Recipe
from harmonizer.learning.train import start, train
from whitebox_filters import DEFAULT_FILTERS, EIGHT_FILTERS, Cascade

SETS = 3  # random sets of 2 and of 4 filters, as in the paper
FOREGROUND = 16  # the smallest foreground that is measured, in pixels
SEED = 1  # of the test composites
IMITATED = (*TRANSFERS, *ADJUSTMENTS)
"""The kinds of test composites beside Eq. 8: those made without filters and from photographs alone."""


@dataclass(frozen=True)
class Setting:
    """The setting that all variants of one table share."""

    encoder: str = "tf_efficientnet_lite0"
    pretrained: bool = True
    steps: int = 300
    size: int = 64  # pixels a side, in training and in the test


@dataclass(frozen=True)
class Variant:
    """One way to build and train the network: the fields of NetworkConfig and Recipe that it changes."""

    name: str  # key of its runs
    section: str = ""
    label: str = ""  # its row; random sets of as many filters share one
    network: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ""  # MSE / PSNR on iHarmony4 in the paper's Table 4


LEFT = "Cascade regressor and dynamic loss (Table 4, left)"
RIGHT = "Number of filters (Table 4, right)"
CHOICES = "Choices of our own"

BASE = Variant("base", label="cascade, dynamic loss, six filters", paper="24.26 / 37.84")
"""Every other variant changes it in one place, but for the last row of the first section."""


def variants() -> list[Variant]:
    """All variants, the base first."""
    separate, plain = {"regressor": "multihead"}, {"loss": "sum"}
    left = [
        Variant("sum", LEFT, "cascade, plain sum of L_i", recipe=plain, paper="26.85 / 37.23"),
        Variant("last", LEFT, "cascade, L_k alone", recipe={"loss": "last"}),
        Variant("multihead", LEFT, "separate heads, dynamic loss", network=separate),
        Variant("multihead sum", LEFT, "separate heads, plain sum of L_i", separate, plain, "28.47 / 36.96"),
    ]
    right = [
        Variant(f"filters {' '.join(names)}", RIGHT, f"{count} filters, {SETS} sets", {"filters": names}, paper=paper)
        for count, paper in ((2, "74.16"), (4, "29.60"))
        for names in _draw_filters(count)
    ]
    right.append(Variant("eight filters", RIGHT, "8 filters", {"filters": EIGHT_FILTERS}, paper="23.51"))
    choices = [
        Variant("affine", CHOICES, "no activation in the cascade", {"regressor": "affine"}),
        Variant("mask statistics", CHOICES, "filters measure inside the mask", {"statistics": "mask"}),
        Variant("no histograms", CHOICES, "no soft histograms joined to the features", {"histograms": False}),
        Variant(
            "regions", CHOICES, "features pooled over foreground and background, not compared", {"pooling": "regions"}
        ),
        Variant("average", CHOICES, "features pooled over the whole frame, as in the paper", {"pooling": "average"}),
        Variant("scratch", CHOICES, "the same encoder from scratch", recipe={"pretrained": False}),
        Variant(
            "mobilenet",
            CHOICES,
            "mobilenetv3_small_050 from scratch",
            {"encoder": "mobilenetv3_small_050"},
            {"pretrained": False},
        ),
    ]
    return [BASE, *left, *right, *choices]


def recipe(variant: Variant, setting: Setting, seed: int) -> Recipe:
    """The recipe of one run. The base has the pooling of the shipped network, and the same part is frozen.

    Nothing is frozen without pretrained weights, or with a pooling whose encoder has to learn what a mask is.
    """
    fixed = {"encoder": setting.encoder, "input_size": setting.size, "pooling": DEFAULT.network.pooling}
    network = NetworkConfig(**{**fixed, **variant.network})
    pretrained = variant.recipe.get("pretrained", setting.pretrained)
    fields = {
        "pretrained": pretrained,
        "frozen": DEFAULT.frozen if pretrained and network.pooling == DEFAULT.network.pooling else "none",
        "steps": setting.steps,
        "batch_size": 16,
        "sizes": ((1.0, setting.size),),
        "warmup": setting.steps // 10,
        "weight_average": 0.98,
        "seed": seed,
    }
    return Recipe(**{**fields, "network": network, **variant.recipe})


def ablate(
    photos: Path,
    out: Path,
    setting: Setting,
    seeds: int,
    report: Callable[[str], None],
    selection: Sequence[Variant] = (),
) -> Path:
    """Train and measure every variant with seeds 0 .. `seeds` - 1; return the file of the Markdown table.

    Each finished run is a line of `out/runs.jsonl`: after a kill the same call continues, and a call with more seeds
    adds theirs. Seed 0 of all variants comes first, and `out/table.md` is written again after each run. `selection`
    are the variants, by default all. Raises OutputError if `out` holds runs of another setting; ImageFileError,
    CheckpointError, RecipeError.
    """
    base = recipe(BASE, setting, seed=0)
    # Without ImageNet weights the base itself starts from scratch: then the variant "scratch" is the same run.
    selection = [
        each for each in selection or variants() if each.name == BASE.name or recipe(each, setting, seed=0) != base
    ]
    out.mkdir(parents=True, exist_ok=True)
    runs = _read_runs(out / "runs.jsonl", setting)
    done = {(run["variant"], run["seed"]) for run in runs}
    missing = [(seed, variant) for seed in range(seeds) for variant in selection if (variant.name, seed) not in done]
    if missing:
        sources = read_sources(photos, torch.device("cpu"), held_out=False)
        tests = compose(Sources.of(read_photos(photos, held_out=True)), setting.size)
    for number, (seed, variant) in enumerate(missing, start=1):
        run = run_variant(variant, setting, seed, sources, tests)
        runs.append(run)
        with (out / "runs.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(run) + "\n")
        _write_table(out / "table.md", runs, setting, selection)
        left = (len(missing) - number) * sum(each["seconds"] for each in runs[-number:]) / number
        report(
            f"{number}/{len(missing)} {variant.name}, seed {seed}: fMSE {run['eq8_fmse']:.1%} of the composites', "
            f"{run['seconds']:.0f} s; about {left / 60:.0f} min left"
        )
    _write_table(out / "table.md", runs, setting, selection)
    return out / "table.md"


def run_variant(
    variant: Variant, setting: Setting, seed: int, sources: Sources, tests: Mapping[str, Sequence[Tensor]]
) -> dict[str, Any]:
    """Train one variant from one seed and measure it: a line of runs.jsonl."""
    began = time.perf_counter()
    plan = recipe(variant, setting, seed)
    state = start(plan, pretrained=plan.pretrained)
    train(plan, sources, state, None, lambda *_: None)
    scores = {f"{kind}_{key}": value for kind, test in tests.items() for key, value in measure(state.averaged, *test)}
    seconds = round(time.perf_counter() - began, 1)
    return {"variant": variant.name, "seed": seed, **scores, "seconds": seconds, "setting": asdict(setting)}


@torch.no_grad()
def compose(held_out: Sources, size: int) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """The test composites, the same for all variants: composite, mask, target, (N, 3 or 1, size, size) in [0, 1].

    `eq8`: distorted by the six filters of the paper in reverse (Eq. 8) with statistics of the frame, whatever filters
    a variant has. `imitated`: by the kinds IMITATED in turn.
    """
    photos = held_out.photos
    draws = draw(SEED, 0, range(len(photos)))
    pictures = crop(torch.cat([photos.images[:, :3], photos.masks], dim=1), size, 1.0, draws)
    rows = np.flatnonzero((pictures[:, 3:] > 0.5).sum(dim=(1, 2, 3)).numpy() >= FOREGROUND)
    real, mask = pictures[rows, :3].contiguous(), pictures[rows, 3:].contiguous()
    distorted, _ = Distortion.of(Cascade(), all_targets=False)(real, mask, draws.rows(rows))
    imitated, targets = real.clone(), real.clone()
    for number, name in enumerate(IMITATED, start=1):
        index = np.arange(number - 1, len(rows), len(IMITATED))
        if not len(index):
            break
        draws = draw(SEED, number, index.tolist())
        others = held_out.similar.choose(rows[index], draws)
        colours, shapes = (part[others][:, :3, ::4, ::4].float() / 255 for part in (photos.images, photos.masks))
        imitated[index], targets[index] = imitate(name, real[index], mask[index], colours, shapes, draws)
    return {"eq8": (distorted, mask, real), "imitated": (imitated, mask, targets)}


@torch.no_grad()
def measure(network: Network, composite: Tensor, mask: Tensor, real: Tensor) -> Iterator[tuple[str, float]]:
    """MSE and fMSE as shares of the composites', and the gain of PSNR in dB, of means over the pictures in 8 bits."""
    chunks = zip(torch.split(composite, 32), torch.split(mask, 32), strict=True)
    harmonized = torch.cat([network.trace(some, alpha)[-1] for some, alpha in chunks])
    before, after = (_score(pictures, real, mask) for pictures in (composite, harmonized))
    for key in ("mse", "fmse"):
        means = [float(np.mean([getattr(each, key) for each in scores])) for scores in (before, after)]
        yield key, means[1] / means[0]
    yield "psnr", float(np.mean([a.psnr - b.psnr for a, b in zip(after, before, strict=True)]))


def _score(pictures: Tensor, real: Tensor, mask: Tensor) -> list[Scores]:
    levels = [(part * 255).round().byte().permute(0, 2, 3, 1).numpy() for part in (pictures, real)]
    inside = (mask[:, 0] > 0.5).numpy()
    return [score(picture, truth, area) for picture, truth, area in zip(*levels, inside, strict=True)]


def _draw_filters(count: int) -> list[tuple[str, ...]]:
    sets = list(combinations(DEFAULT_FILTERS, count))
    return [sets[index] for index in np.random.default_rng(0).choice(len(sets), SETS, replace=False)]


def _read_runs(path: Path, setting: Setting) -> list[dict[str, Any]]:
    """The finished runs; an incomplete last line, which a kill leaves, is removed from the file."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    try:
        runs: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]
        others = [run["setting"] for run in runs if run["setting"] != asdict(setting)]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} holds lines that are no runs of a table ({error}); give another folder") from error
    if others:
        raise OutputError(f"{path} holds runs of {others[0]}, not of {asdict(setting)}; give another folder")
    atomic.write_file(path, f"{whole}\n".encode() if whole else b"")
    return runs


def _write_table(path: Path, runs: Sequence[Mapping[str, Any]], setting: Setting, selection: Sequence[Variant]) -> None:
    by_name = {each.name: [run for run in runs if run["variant"] == each.name] for each in selection}
    base = comparison.Row(BASE.label, [by_name[BASE.name]], BASE.paper)
    sections: dict[str, dict[str, comparison.Row]] = {}
    for variant in selection:
        if variant.name == BASE.name or not by_name[variant.name]:
            continue
        rows = sections.setdefault(variant.section, {BASE.label: base})
        row = rows.setdefault(variant.label, comparison.Row(variant.label, [], variant.paper))
        row.sets.append(by_name[variant.name])
    text = comparison.markdown({name: list(rows.values()) for name, rows in sections.items()}, asdict(setting))
    atomic.write_file(path, text.encode())
