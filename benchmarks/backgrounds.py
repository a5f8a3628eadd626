"""How much a new background changes what the same theta does to a foreground: statistics of the frame or of the mask.

From the repository root: python benchmarks/backgrounds.py. Writes benchmarks/results/backgrounds.md and
docs/backgrounds.jpg, from photographs that scikit-image carries. Needs the extra `train`.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import skimage.data
from PIL import Image
from report import grid

import whitebox_filters as wf
from whitebox_filters.cascade import Region

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "backgrounds.md"
FIGURE = ROOT / "docs" / "backgrounds.jpg"
BACKGROUNDS = ("astronaut", "coffee", "chelsea", "rocket", "hubble_deep_field")  # the first is the foreground's own
SIDE = 256
THETA = 0.3
# Temperature and contrast are what of the six measures anything; these are values that a network may well predict.
SHOWN = dict(zip(wf.DEFAULT_FILTERS, (0.2, 0.1, 0.3, 0.1, -0.1, 0.1), strict=True))


def composites() -> tuple[list[np.ndarray], np.ndarray]:
    """The astronaut on each background (SIDE, SIDE, 3) in [0, 1], and her soft mask (SIDE, SIDE)."""
    mask = np.asarray(Image.open(ROOT / "demo" / "mask.png").convert("L").resize((SIDE, SIDE))) / 255
    pictures = [
        np.asarray(Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize((SIDE, SIDE))) / 255
        for name in BACKGROUNDS
    ]
    return [pictures[0] * mask[..., None] + other * (1 - mask[..., None]) for other in pictures], mask


def movements(cascade: wf.Cascade, theta: object, pictures: list[np.ndarray], mask: np.ndarray) -> list[float]:
    """By how many levels of 255 the foreground's result moves on each other background: the mean over its values."""
    inside = mask == 1
    first, *others = (cascade(picture, theta, mask)[inside] for picture in pictures)
    return [float(255 * np.abs(other - first).mean()) for other in others]


def table(pictures: list[np.ndarray], mask: np.ndarray) -> str:
    """A row for each filter that measures something, and one for the paper's six."""
    rows = []
    cases = [(name, [name], {name: THETA}) for name in wf.names() if wf.get(name).statistic]
    for title, names, theta in [*cases, ("the paper's six", wf.DEFAULT_FILTERS, SHOWN)]:
        for region in get_args(Region):
            moved = movements(wf.Cascade(names, statistics=region), theta, pictures, mask)
            rows.append([title, region, *(f"{value:.1f}" for value in moved)])
    return grid(["filters", "statistics", *BACKGROUNDS[1:]], rows, texts=2)


def figure(pictures: list[np.ndarray], mask: np.ndarray) -> Image.Image:
    """Rows: composites, statistics of the frame, statistics of the mask; the theta is the same everywhere."""
    rows = [pictures]
    for region in get_args(Region):
        cascade = wf.Cascade(statistics=region)
        rows.append([cascade(picture, SHOWN, mask) for picture in pictures])
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    return Image.fromarray((sheet * 255 + 0.5).astype(np.uint8))


def main() -> None:
    """Measure, then write the page and the figure."""
    pictures, mask = composites()
    shown = ", ".join(f"{name} {theta:+g}" for name, theta in SHOWN.items())
    moved = {
        region: float(np.mean(movements(wf.Cascade(statistics=region), SHOWN, pictures, mask)))
        for region in get_args(Region)
    }
    RESULTS.write_text(
        TEXT.format(moved=moved, theta=THETA, shown=shown, table=table(pictures, mask)), encoding="utf-8"
    )
    figure(pictures, mask).resize((1000, 600)).save(FIGURE, quality=80, optimize=True)


TEXT = """\
# A new background under the same theta

**Decision.** Where theta is kept while the background changes (a foreground reused, an edited preset, a moving
camera), measure inside the mask: the six filters then move the foreground by {moved[mask]:.1f} of 255 levels on
average, against {moved[frame]:.1f} with the frame's statistics. The frame stays the default, as released.

One foreground (`demo/mask.png`) on other backgrounds: by how many levels of 255 the result moves from the one on its
own background, the mean over fully opaque foreground values. Single filters at theta {theta};
the six at {shown}.

What is left with the mask comes from its soft rim, which the composite blends.

{table}

The photographs come with scikit-image, all in the public domain or CC0. `python benchmarks/backgrounds.py` makes this
page.
"""


if __name__ == "__main__":
    main()
