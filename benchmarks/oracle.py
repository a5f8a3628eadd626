"""How close to the truth sets of filters can come at all: `fit` with the real picture as target, at 256 x 256.

From the repository root: python benchmarks/oracle.py --data DIR, where DIR holds the folders iharmony4_sample, webcam
and triples_256. Writes benchmarks/results/oracle.md. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from report import describe_machine, grid

import whitebox_filters as wf
from harmonizer.evaluation.metrics import score
from harmonizer.evaluation.samples import Sample, read_samples, resize

RESULTS = Path(__file__).parent / "results" / "oracle.md"
FOLDERS = {"iharmony4_sample": "iharmony4", "webcam": "iharmony4", "triples_256": "triples"}
BANDS = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
BAND_FILTERS = tuple(f"{band}_{part}" for band in BANDS for part in ("hue", "saturation", "luminance"))
GAINS = ("red_gain", "blue_gain")
MANY, STARTS, STARTS_OF_MANY = 8, 6, 2  # a descent over forty arguments takes half a minute
WORTH = 0.9  # a set is worth learning if it leaves at most this share of what the set before it leaves

Names = tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """One picture: MSE, fMSE and PSNR of the composite and of each set's oracle (sets + 1, 3), and its folder."""

    folder: str
    scores: np.ndarray


def filter_sets() -> dict[str, Names]:
    """Sets by title, each holding the one before it; some need filters that may not be registered."""
    # The gains of single channels come last: temperature, tint and brightness together reach what they do.
    others = tuple(name for name in wf.names() if name not in (*wf.EIGHT_FILTERS, *BAND_FILTERS, *GAINS))
    return {
        "brightness, saturation": ("brightness", "saturation"),
        "+ temperature, contrast": ("temperature", "brightness", "contrast", "saturation"),
        "the paper's six": wf.DEFAULT_FILTERS,
        "eight": wf.EIGHT_FILTERS,
        "sixteen": wf.EIGHT_FILTERS + others,
        "sixteen and 24 colour-separated": wf.EIGHT_FILTERS + others + BAND_FILTERS,
    }


def available(sets: dict[str, Names]) -> tuple[dict[str, Names], list[str]]:
    """The sets whose filters are all registered and that add to the set before them, and the titles of the others."""
    found: dict[str, Names] = {}
    for title, names in sets.items():
        if set(names) <= set(wf.names()) and names not in found.values():
            found[title] = names
    return found, [title for title in sets if title not in found]


def measure(folder: str, sample: Sample, sets: Sequence[Names]) -> Scored:
    """Score the composite and what each set makes of it with the best theta known."""
    pictures, best = [sample.composite], sample.composite
    for names in sets:
        cascade = wf.Cascade(names)
        starts = STARTS if len(names) <= MANY else STARTS_OF_MANY
        theta = wf.fit(cascade, sample.composite, sample.real, sample.mask, starts=starts)
        fitted = cascade(sample.composite, theta, sample.mask)
        # A larger set can do all that a smaller one can: where the descent missed that, the smaller one's counts.
        best = min(fitted, best, key=lambda picture: error(picture, sample))
        pictures.append(best)
    return Scored(folder, np.array([figures(picture, sample) for picture in pictures]))


def error(picture: np.ndarray, sample: Sample) -> float:
    """The squared error over the foreground, which fit descends on."""
    return float(np.mean((picture[sample.foreground].astype(float) - sample.real[sample.foreground]) ** 2))


def figures(picture: np.ndarray, sample: Sample) -> tuple[float, float, float]:
    """MSE, fMSE and PSNR, the real picture pasted outside the foreground."""
    scores = score(np.where(sample.foreground[..., None], picture, sample.real), sample.real, sample.foreground)
    return scores.mse, scores.fmse, scores.psnr


def table(measured: list[Scored], counts: list[int], titles: list[str]) -> str:
    """Means over the pictures of each folder and over all: a row a set, MSE / fMSE / PSNR."""
    left = share_left(measured)
    folders = [folder for folder in FOLDERS if any(scored.folder == folder for scored in measured)]
    columns = [[scored.scores for scored in measured if scored.folder == folder] for folder in folders]
    means = [np.mean(scores, axis=0) for scores in (*columns, [scored.scores for scored in measured])]
    heads = [f"{name} ({len(scores)})" for name, scores in zip(folders, columns, strict=True)]
    heads.append(f"all ({len(measured)})")
    rows = []
    for index, (count, title) in enumerate(zip([0, *counts], ["none: the composite", *titles], strict=True)):
        cells = ["{:.1f} / {:.1f} / {:.2f}".format(*mean[index]) for mean in means]
        rows.append([str(count), title, *cells, f"{left[index]:.0%}"])
    return grid(["k", "filters", *heads, "fMSE left"], rows, texts=2)


def share_left(measured: list[Scored]) -> np.ndarray:
    """The fMSE as a share of the composite's, the mean over pictures, which so count alike: (sets + 1,)."""
    fmse = np.array([scored.scores[:, 1] for scored in measured])
    return np.asarray((fmse / fmse[:, :1]).mean(axis=0))


def decision(left: np.ndarray, counts: list[int], titles: list[str]) -> str:
    """The largest set that is worth its filters; `left` (sets,) is what each leaves by `share_left`.

    Sets are gone through in order, each compared with the last one that was worth it.
    """
    chosen = 0
    for index in range(1, len(left)):
        if left[index] <= WORTH * left[chosen]:
            chosen = index
    verdict = f"**Decision.** Learn {counts[chosen]} filters ({titles[chosen]}): "
    verdict += f"a perfect predictor of them leaves {left[chosen]:.0%} of a composite's fMSE"
    last = len(left) - 1
    if chosen == last:
        return f"{verdict}, and every step up to them was worth a tenth or more of what was left."
    return f"{verdict}; {counts[last]} would leave {left[last]:.0%}, less than a tenth better."


def main() -> None:
    """Measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the three folders of pictures")
    parser.add_argument("--most", type=int, default=100, help="leave out sets of more filters")
    parser.add_argument("--pictures", type=int, help="of each folder so many only")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    sets, missing = available(filter_sets())
    sets = {title: names for title, names in sets.items() if len(names) <= options.most}
    with ProcessPoolExecutor(2) as pool:
        jobs = [
            pool.submit(measure, folder, resize(sample, 256), list(sets.values()))
            for folder, layout in FOLDERS.items()
            for sample in islice(read_samples(options.data / folder, layout), options.pictures)
        ]
        measured = []
        for job in jobs:
            measured.append(job.result())
            print(f"{len(measured)} of {len(jobs)} pictures", flush=True)
    counts, titles = [len(names) for names in sets.values()], list(sets)
    note = f"\nNot measured, for want of filters: {', '.join(missing)}.\n" if missing else ""
    order = "\n".join(f"- {len(names)}: {', '.join(names)}" for names in sets.values())
    page = TEXT.format(
        decision=decision(share_left(measured)[1:], counts, titles),
        machine=describe_machine(),
        table=table(measured, counts, titles),
        note=note,
        order=order,
        many=MANY,
        starts=STARTS,
        starts_of_many=STARTS_OF_MANY,
    )
    options.out.write_text(page, encoding="utf-8")


TEXT = """\
# The oracle of sets of filters

{decision}

`fit` knows the real picture and looks for the theta that comes closest to it: what is left, no predictor of that set
can remove. A set counts as worth learning if it leaves at most nine tenths of what the last such set left, by the last
column: the fMSE as a share of the composite's, the mean over pictures.
MSE / fMSE / PSNR, means over the pictures at 256 x 256, as everywhere here on the scale 0-255 after rounding to 8 bits,
the real picture pasted outside the foreground (mask > 127). Where a larger set's descent ends worse than a smaller
set's, the smaller one's picture counts, which the larger set can make too. Each descent begins from several points:
{starts} for sets of up to {many} filters, {starts_of_many} for larger ones.

{table}
{note}
The order in which each set is applied:

{order}

{machine} `python benchmarks/oracle.py --data DIR`
"""


if __name__ == "__main__":
    main()
