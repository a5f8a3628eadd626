"""How close a baked LUT comes to its cascade on photographs, filter by filter, at 33 and at 65 steps.

From the repository root: python benchmarks/lut_accuracy.py. Writes benchmarks/results/lut_accuracy.md. The photographs
are those of scikit-image; needs the extra `train`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from report import grid

import whitebox_filters as wf

RESULTS = Path(__file__).parent / "results" / "lut_accuracy.md"
SIZES = (33, 65)
THETAS = (-0.5, -0.25, 0.25, 0.5)
REQUIRED = 0.999  # of the pixels within one level
# What the shipped network finds on the composite of the demo.
PREDICTED = (0.05, 0.10, -0.10, -0.07, 0.09, 0.11)


def photographs() -> np.ndarray:
    """Four photographs side by side (300, W, 3) uint8; every second pixel."""
    names = ("astronaut", "coffee", "chelsea", "rocket")
    return np.concatenate([getattr(skimage.data, name)()[:300:2, ::2] for name in names], axis=1)


def within(cascade: wf.Cascade, theta: tuple[float, ...], photo: np.ndarray, size: int) -> float:
    """The share of pixels of which no channel is off by more than one level of 255, before rounding."""
    image = photo / 255
    frozen = cascade.statistics(image, theta)
    after = wf.apply_lut(image, wf.bake_lut(cascade, theta, frozen, size))
    return float((np.abs(after - cascade(image, theta, statistics=frozen)).max(axis=2) <= 1 / 255).mean())


def main() -> None:
    """Measure, then write the page."""
    photo = photographs()
    cases = [((name,), (theta,)) for name in wf.names() for theta in THETAS] + [(wf.DEFAULT_FILTERS, PREDICTED)]
    shares = {
        (names, theta): [within(wf.Cascade(names), theta, photo, size) for size in SIZES] for names, theta in cases
    }
    *single, six = shares.values()
    enough = [sum(pair[index] >= REQUIRED for pair in single) for index in range(len(SIZES))]
    rows = [
        [name, *(" / ".join(f"{100 * share:.2f}" for share in shares[(name,), (theta,)]) for theta in THETAS)]
        for name in wf.names()
    ]
    table = grid(["filter", *(f"{theta:+g}" for theta in THETAS)], rows)
    RESULTS.write_text(TEXT.format(six=six, enough=enough, count=len(single), table=table), encoding="utf-8")


TEXT = """\
# Accuracy of LUTs

**Decision.** Bake 65 steps: at what the shipped network finds on the demo's composite (six filters), {six[1]:.2%} of
the pixels of four photographs are within 1/255 of the cascade, against {six[0]:.2%} at 33 steps. Of {count} settings of
single filters {enough[1]} keep 99.9 % of the pixels within 1/255 at 65 steps, {enough[0]} at 33.

A LUT is straight between its nodes, which 65 steps put four 8-bit levels apart. So it is off where a curve is steep and
bent within those (shadow above 0 next to black, highlight below 0 next to white) and where a filter clips. A grade
that needs more takes the cascade itself, or a finer LUT.

Percent of pixels whose every channel is within 1/255, before rounding, at 33 / 65 steps and four values of theta:

{table}

The photographs come with scikit-image (public domain and CC0). `python benchmarks/lut_accuracy.py` makes this page.
"""


if __name__ == "__main__":
    main()
