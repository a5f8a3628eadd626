"""Draws what the network did worst at: composite, harmonized, real picture and mask side by side.

python benchmarks/worst_cases.py --data DIR -o SHEET takes the worst ten of the reports that benchmarks/tables.py left;
those pictures are for research, so the sheet may not be passed on. Without --data it makes composites from freely
licensed photographs (scikit-image's, in the public domain or CC0), of kinds that are known to be hard and by Eq. 8, and
writes docs/failures.jpg, the worst of each hard kind, and docs/worst_and_median.jpg, the worst twenty of all, and the
twenty in the middle.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from paper_tables.rows import worst
from paper_tables.runs import runs
from PIL import Image, ImageDraw, ImageFont

from harmonizer.evaluation.evaluate import evaluate
from harmonizer.evaluation.learners import Contender, open_learner
from harmonizer.evaluation.samples import Sample, read_samples, resize
from harmonizer.evaluation.transfer import recolour
from harmonizer.pictures import io
from harmonizer.pictures.picture import Pixels
from whitebox_filters import Cascade

PANEL, SMALL, CAPTION, GAP = 192, 112, 18, 4
SIDE = 256
EQ8, SHOWN = 20, 20
ROOT = Path(__file__).parents[1]
DEMO, DOCS = ROOT / "demo", ROOT / "docs"

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Case:
    """A row of the sheet."""

    sample: Sample
    caption: str


def worst_samples(data: Path, reports: Path, network: str) -> Iterator[Case]:
    """The worst ten of all sets at 256 x 256, worst first."""
    found = [(run, json.loads((reports / run.report).read_text())) for run in runs(network) if run.size == "256"]
    for run, name, _, _ in worst(found, network, 10):
        sample = next(each for each in read_samples(data / run.folder, run.layout) if each.name == name)
        yield Case(resize(sample, SIDE), name)


def free_photographs() -> dict[str, tuple[Pixels, Pixels]]:
    """Photographs and masks that may be shown."""
    from skimage import data

    portrait = io.read_image(DEMO / "real.jpg").pixels
    cat, coffee, rocket = data.chelsea(), data.coffee(), data.rocket()
    return {
        "astronaut": (portrait, io.read_mask(DEMO / "mask.png", portrait.shape[:2])),
        "cat": (cat, ellipse(cat, (0.42, 0.5), (0.40, 0.27))),
        "coffee": (coffee, ellipse(coffee, (0.50, 0.43), (0.40, 0.33))),
        "rocket": (rocket, ellipse(rocket, (0.62, 0.5), (0.36, 0.03))),
    }


def hard_samples() -> Iterator[Case]:
    """Composites of kinds that are known to be hard."""
    for name, (real, mask) in free_photographs().items():
        for kind, distort in DISTORTIONS.items():
            columns = np.broadcast_to(np.linspace(0, 1, real.shape[1]), mask.shape)[mask > 0]
            composite = recolour(real, mask, functools.partial(distort, columns))
            yield Case(resize(Sample(name, kind, composite, mask, real), SIDE), f"{name}: {kind}")


def eq8_samples() -> Iterator[Case]:
    """EQ8 composites of each photograph by Eq. 8, with theta from the priors (Eq. 9)."""
    distortion, random = Cascade().reversed(), np.random.default_rng(0)
    priors = [filter.prior for filter in distortion.filters]
    for name, (real, mask) in free_photographs().items():
        for draw in range(1, EQ8 + 1):
            theta = [prior.mean + prior.std * np.clip(random.standard_normal(), -2, 2) for prior in priors]
            sample = Sample(name, "Eq. 8", distortion(real, theta, mask), mask, real)
            yield Case(resize(sample, SIDE), f"{name}: Eq. 8, draw {draw}")


def ellipse(image: np.ndarray[Any, Any], center: tuple[float, float], radii: tuple[float, float]) -> Floats:
    """A mask of an ellipse with soft edges; center and radii (down, across) as shares of height and width."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    distance = np.hypot((y - center[0]) / radii[0], (x - center[1]) / radii[1])
    return np.asarray(np.clip((1 - distance) * 0.3 * height / 2, 0, 1))


def _linear(gain: Sequence[float]) -> Callable[[Floats, Floats], Floats]:
    return lambda _, pixels: np.clip(pixels**2.2 * gain, 0, 1) ** (1 / 2.2)


# The place of each colour from left (0) to right (1), (P,), and the colours (P, 3), to those that the composite shows.
DISTORTIONS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "clipped to white": _linear([4.5, 4.5, 4.5]),
    "night foreground": _linear([0.06, 0.08, 0.13]),
    "green light": _linear([0.6, 1.2, 0.6]),
    "lit from one side": lambda place, pixels: pixels * (0.35 + 1.0 * place[:, None]),
    "hues swapped": lambda _, pixels: pixels[:, [1, 0, 2]],
    "nothing to mend": lambda _, pixels: pixels * 0.99,
}


def by_share_left(cases: Sequence[Case], learner: Contender) -> list[Case]:
    """In the order of the share of the composite's fMSE that is left, worst first."""
    scores = [each.scores for each in evaluate({"network": learner}, (case.sample for case in cases))]
    left = [each["network"].fmse / each["composite"].fmse for each in scores]
    return [cases[index] for index in np.argsort(left)[::-1]]


def first_of_each_kind(cases: Sequence[Case]) -> list[Case]:
    """The first case of each kind."""
    chosen: dict[str, Case] = {}
    for case in cases:
        chosen.setdefault(case.sample.subset, case)
    return list(chosen.values())


def worst_and_median(cases: Sequence[Case], learner: Contender) -> Image.Image:
    """Two sheets side by side: of the cases, worst first, the first SHOWN and the SHOWN in the middle."""
    middle = (len(cases) - SHOWN) // 2
    sheets = [sheet(part, learner, SMALL) for part in (cases[:SHOWN], cases[middle : middle + SHOWN])]
    page = Image.new("RGB", (sum(each.width for each in sheets) + CAPTION, sheets[0].height), "white")
    page.paste(sheets[0], (0, 0))
    page.paste(sheets[1], (sheets[0].width + CAPTION, 0))
    return page


def sheet(cases: Sequence[Case], learner: Contender, panel: int = PANEL) -> Image.Image:
    """A row for each case with its fMSE before and after."""
    columns = ("composite", "harmonized", "real", "mask")
    page = Image.new("RGB", (len(columns) * (panel + GAP), len(cases) * (panel + CAPTION + GAP)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for row, case in enumerate(cases):
        top = row * (panel + CAPTION + GAP)
        (evaluation,) = evaluate({"network": learner}, [case.sample])
        before, after = (evaluation.scores[name].fmse for name in ("composite", "network"))
        theta = ", ".join(f"{name[:4]} {value:+.2f}" for name, value in evaluation.theta["network"].items())
        caption = f"{case.caption}   fMSE {before:.0f} -> {after:.0f}"
        draw.text((2, top), caption if panel == SMALL else f"{caption}   {theta}", "black", font)
        mask = np.rint(255 * case.sample.mask).astype(np.uint8)
        harmonized = learner(case.sample).image
        for column, pixels in enumerate((case.sample.composite, harmonized, case.sample.real, mask)):
            small = Image.fromarray(pixels).resize((panel, panel), Image.Resampling.LANCZOS)
            page.paste(small, (column * (panel + GAP), top + CAPTION))
    return page


def main() -> None:
    """Choose the cases and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder that benchmarks/tables.py was given")
    parser.add_argument("--reports", type=Path, default=Path("out/tables"), help="what it left")
    parser.add_argument("--weights", type=Path, help="a checkpoint folder instead of the one shipped")
    parser.add_argument("--network", default="cascade", help="the regressor that the checkpoint has")
    parser.add_argument("-o", "--output", type=Path, help="with --data, the sheet", default=Path("out/worst.jpg"))
    options = parser.parse_args()
    learner = open_learner(options.network, options.weights)
    if options.data:
        sheets = {options.output: sheet(list(worst_samples(options.data, options.reports, options.network)), learner)}
    else:
        hard, others = (by_share_left(list(cases), learner) for cases in (hard_samples(), eq8_samples()))
        every = by_share_left([*hard, *others], learner)
        sheets = {
            DOCS / "failures.jpg": sheet(first_of_each_kind(hard), learner),
            DOCS / "worst_and_median.jpg": worst_and_median(every, learner),
        }
    for path, picture in sheets.items():
        picture.save(path, quality=80, optimize=True)
        print(path)


if __name__ == "__main__":
    main()
