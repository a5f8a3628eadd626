"""What may be made of one network's predictions: mirrored, cropped, repeated, scaled, mixed. Each is another theta.

From the repository root: python benchmarks/predictions.py --data DIR, where DIR holds the folders iharmony4_sample,
webcam, triples_256 and photos. Writes benchmarks/results/predictions.md. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import describe_machine, grid

from harmonizer.evaluation import moments
from harmonizer.evaluation.samples import DRAWS, Sample, read_samples, resize
from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import KINDS, SCENES, UNTOUCHED
from harmonizer.learning.composites.sources.photos import read_photos
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.predictor import Predictor
from whitebox_filters import Cascade

RESULTS = Path(__file__).parent / "results" / "predictions.md"
SIDE, COMPOSITES, CROP = 256, 96, 0.75
FOLDERS = {"iharmony4_sample": "iharmony4", "webcam": "iharmony4", "triples_256": "triples", "photos": "photos"}

Theta = np.ndarray[Any, np.dtype[np.float64]]
Predict = Callable[[Sample], Theta]
Picture = np.ndarray[Any, np.dtype[np.uint8]]


def variants(predictor: Predictor) -> dict[str, Callable[[Sample], Picture]]:
    """What harmonizes a sample, by title; all start from the same network."""
    cascade = Cascade(predictor.config.filters, statistics=predictor.config.statistics)
    plan = cascade.compile("numba")

    def filtered(choose: Predict) -> Callable[[Sample], Picture]:
        return lambda sample: plan(sample.composite, np.clip(choose(sample), -1, 1), sample.mask)

    def once(sample: Sample) -> Theta:
        return predictor.predict(sample.composite, sample.mask)

    def with_mirrored(sample: Sample) -> Theta:
        return (once(sample) + once(_cut(sample, slice(None), slice(None, None, -1)))) / 2

    def with_crops(sample: Sample) -> Theta:
        crops = [crop for crop in _corners(sample) if _shows_both(crop)]
        return np.asarray(np.mean([once(sample), *map(once, crops)], axis=0))

    def mixed(sample: Sample) -> Theta:
        return 0.8 * once(sample) + 0.2 * moments.choose_theta(cascade, sample)

    def again(sample: Sample) -> Picture:
        first = filtered(once)(sample)
        return filtered(once)(replace(sample, composite=first))

    def times(factor: float) -> Predict:
        return lambda sample: factor * once(sample)

    scaled = {f"theta times {factor}": filtered(times(factor)) for factor in (0.8, 0.9, 1.1, 1.2)}
    return {
        "as it is": filtered(once),
        "mean with the mirrored picture's": filtered(with_mirrored),
        "mean with four crops'": filtered(with_crops),
        "again, on what came out": again,
        "0.8 of it, 0.2 of `statistics`": filtered(mixed),
        **scaled,
    }


def sets(data: Path) -> Iterator[tuple[str, list[Sample]]]:
    """Pictures never trained on, at SIDE pixels: composites with real pictures, and of held-out photographs.

    Of those by Eq. 8 one a mask: ways are compared here on the same pictures.
    """
    for folder, layout in FOLDERS.items():
        title = "Eq. 8" if layout == "photos" else folder
        samples = islice(read_samples(data / folder, layout), 0, None, DRAWS if layout == "photos" else 1)
        yield title, [resize(sample, SIDE) for sample in samples]
    held_out = Sources.of(read_photos(data / "photos", held_out=True))
    distortion = Distortion.of(Cascade(), all_targets=False)
    for number, name in enumerate(KINDS):
        if name in (UNTOUCHED, SCENES):
            continue
        batch = make_batch(held_out, distortion, SIDE, Mixture({name: 1.0}), draw(1, number, range(COMPOSITES)), 0)
        yield name, [_sample(name, *parts) for parts in zip(batch.composite, batch.mask, batch.real, strict=True)]


def fmse(picture: Picture, sample: Sample) -> float:
    """The mean squared error over the foreground, 0-255."""
    inside = sample.foreground
    return float(np.mean((picture[inside].astype(float) - sample.real[inside]) ** 2)) if inside.any() else 0.0


def page(shares: dict[str, dict[str, float]], counts: dict[str, int], weights: str) -> str:
    """The results page: the share of the composites' fMSE that each variant leaves on each set."""
    means = {title: float(np.mean(list(row.values()))) for title, row in shares.items()}
    plain, best = next(iter(means)), min(means, key=lambda title: means[title])
    verdict = (
        f"{100 * means[plain]:.1f} % of the error are left on the mean of all sets, and no other way leaves less."
        if best == plain
        else f"Least error is left by *{best}*: {100 * means[best]:.1f} % on the mean of all sets instead of "
        f"{100 * means[plain]:.1f} %."
    )
    rows = [
        [title, f"{100 * means[title]:.1f}", *(f"{100 * share:.1f}" for share in row.values())]
        for title, row in shares.items()
    ]
    lines = [
        "# What may be made of one network's predictions",
        "",
        f"**Decision.** {verdict} A mirrored picture costs the network's time twice, four crops five times. The "
        "product takes theta as the network gives it: another way has to gain more than the interval of the "
        "[development score](development.md), which [tried](tried.md) has for crops.",
        "",
        f"Percent of the composites' fMSE that are left, at {SIDE} x {SIDE}, with {weights}. None of these pictures "
        "was trained on, but copies of some of Eq. 8's were ([copies.md](copies.md)); of these one draw a mask.",
        "",
        grid(["", "mean", *(f"{name} ({counts[name]})" for name in shares[plain])], rows),
    ]
    return "\n".join([*lines, "", describe_machine(), "", "`python benchmarks/predictions.py --data DIR`", ""])


def _cut(sample: Sample, rows: slice, columns: slice) -> Sample:
    composite, mask, real = (
        np.ascontiguousarray(pixels[rows, columns]) for pixels in (sample.composite, sample.mask, sample.real)
    )
    return replace(sample, composite=composite, mask=mask, real=real)


def _corners(sample: Sample) -> list[Sample]:
    height, width = (round(CROP * side) for side in sample.mask.shape)
    down, right = ((slice(0, length), slice(-length, None)) for length in (height, width))
    return [_cut(sample, rows, columns) for rows in down for columns in right]


def _shows_both(sample: Sample) -> bool:
    return bool(0.01 < sample.foreground.mean() < 0.95)


def _sample(name: str, composite: torch.Tensor, mask: torch.Tensor, real: torch.Tensor) -> Sample:
    pictures = [(part.permute(1, 2, 0) * 255).round().byte().numpy() for part in (composite, real)]
    return Sample(name, name, pictures[0], mask[0].numpy(), pictures[1])


def main() -> None:
    """Score every variant on every set and write the results page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the sets")
    parser.add_argument("--weights", type=Path, help="a checkpoint folder instead of the one shipped: prints only")
    options = parser.parse_args()
    ways = variants(Predictor.load(options.weights))
    shares: dict[str, dict[str, float]] = {title: {} for title in ways}
    counts = {}
    for name, samples in sets(options.data):
        counts[name] = len(samples)
        before = np.mean([fmse(sample.composite, sample) for sample in samples])
        for title, harmonize in ways.items():
            after = np.mean([fmse(harmonize(sample), sample) for sample in samples])
            shares[title][name] = float(after / before)
    written = page(shares, counts, str(options.weights or "the weights that ship"))
    print(written)
    if options.weights is None:
        RESULTS.write_text(written)


if __name__ == "__main__":
    main()
