"""Makes docs/gallery.md and docs/gallery/NAME.jpg: every registered filter on a photograph, with its curves.

Needs the extra `dev`; from the repository root: python docs/gallery.py
"""

from __future__ import annotations

import colorsys
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image

import whitebox_filters as wf

HERE = Path(__file__).parent
PICTURES = HERE / "gallery"
THETAS = (-1.0, -0.5, 0.0, 0.5, 1.0)
SIDE, STRIP = 168, 12  # pixels of the photograph, and of each strip below it
STEP = 1e-3  # of theta, for the derivative
SAMPLES = 121  # of a ramp or sweep

Pixels = npt.NDArray[np.float64]


def photo() -> Pixels:
    """NASA's portrait of Eileen Collins (SIDE, SIDE, 3)."""
    small = Image.fromarray(skimage.data.astronaut()).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small) / 255


def hues(saturation: float, count: int) -> Pixels:
    """All hues from red to red at value 0.8 (1, count, 3)."""
    return np.array([[colorsys.hsv_to_rgb(hue, saturation, 0.8) for hue in np.linspace(0, 1, count)]])


def greys(count: int) -> Pixels:
    """From black to white (1, count, 3)."""
    return np.repeat(np.linspace(0, 1, count)[None, :, None], 3, axis=2)


def sheet(picture: Pixels) -> Pixels:
    """The photograph above a sweep of strong hues, one of weak hues, and a grey ramp."""
    strips = [np.repeat(strip, STRIP, axis=0) for strip in (hues(1.0, SIDE), hues(0.4, SIDE), greys(SIDE))]
    return np.concatenate([picture, *strips])


def is_neutral(filter: wf.Filter, statistic: object) -> bool:
    """Whether greys stay what they are, so that only hues tell what the filter does."""
    ramp = greys(SAMPLES)
    return all(np.abs(filter(ramp, theta, statistic=statistic) - ramp).max() < 1e-6 for theta in THETAS)


def draw(filter: wf.Filter, picture: Pixels, path: Path) -> None:
    """The sheet at five theta; beside it out over in at three, and d out / d theta."""
    import matplotlib as mpl  # the table is made without it

    mpl.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.6, 2.2), dpi=100, layout="constrained")
    axes = figure.subplots(1, len(THETAS) + 2, width_ratios=[1] * len(THETAS) + [1.45, 1.45])
    for axis, theta in zip(axes, THETAS, strict=False):
        # Measured on the photograph alone: the strips are no part of it.
        statistic = wf.Cascade([filter]).statistics(picture, [theta])[0]
        axis.imshow(filter(sheet(picture), theta, statistic=statistic), interpolation="none")
        axis.set_title(f"{theta:g}", fontsize=8, pad=2)
        axis.set_axis_off()
    statistic = wf.Cascade([filter]).statistics(picture, [0.0])[0]
    neutral = is_neutral(filter, statistic)
    colours, places = (hues(0.6, SAMPLES), np.linspace(0, 360, SAMPLES)) if neutral else (greys(SAMPLES), None)
    where = colours[0, :, 0] if places is None else places
    for theta, style in ((-0.5, ":"), (0.0, "-"), (0.5, "--")):
        curve(axes[-2], where, filter(colours, theta, statistic=statistic)[0], style)
        above, below = (filter(colours, theta + side * STEP, statistic=statistic)[0] for side in (1, -1))
        curve(axes[-1], where, (above - below) / (2 * STEP), style)
    for axis, title in zip(axes[-2:], ("out", "d out / d theta"), strict=True):
        axis.set_title(f"{title} over {'hue' if neutral else 'in'}", fontsize=8, pad=2)
        axis.tick_params(labelsize=6, length=2, pad=1)
        axis.set_xticks([0, 120, 240, 360] if neutral else [0, 0.5, 1])
        axis.margins(x=0)
    figure.savefig(path, pil_kwargs={"quality": 60, "optimize": True})


def curve(axis, where: Pixels, values: Pixels, style: str) -> None:
    """One line where the channels agree, else one a channel."""
    if np.ptp(values, axis=1).max() < 1e-6:
        axis.plot(where, values[:, 0], style, color="black", linewidth=1)
        return
    for channel, colour in enumerate(("tab:red", "tab:green", "tab:blue")):
        axis.plot(where, values[:, channel], style, color=colour, linewidth=1)


def row(filter: wf.Filter) -> str:
    """The filter in the table."""
    prior = f"N({filter.prior.mean:g}, {filter.prior.std:g}²)"
    statistic = (filter.statistic or "–").replace("_", " ")
    cells = [f"[{filter.name}](#{filter.name})", statistic, "yes" if filter.inverse else "no", prior, filter.source]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page() -> str:
    """The whole of docs/gallery.md."""
    filters = [wf.get(name) for name in wf.names()]
    sections = "\n\n".join(
        f"### {filter.name}\n\n{filter.summary}.\n\n![{filter.name}](gallery/{filter.name}.jpg)" for filter in filters
    )
    return TEXT.format(count=len(filters), table="\n".join(row(filter) for filter in filters), sections=sections)


def main() -> None:
    """Draw every filter, then write the page."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    picture = photo()
    for name in wf.names():
        draw(wf.get(name), picture, PICTURES / f"{name}.jpg")
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")


TEXT = """\
# Gallery

All {count} registered filters. `python docs/gallery.py` makes this page from the registry.

The statistic is what a filter must know of the whole picture. An inverse holds where nothing was clipped. The prior is
the Gaussian from which training draws theta (Eq. 9 of the paper), cut off at -1 and 1.

| filter | statistic | inverse | prior | source |
|---|---|---|---|---|
{table}

## Pictures

Each filter at theta -1, -0.5, 0, 0.5 and 1, with all hues at full saturation and at 0.4, and a grey ramp, below the
photograph. The curves show what comes out and its derivative in theta, at theta -0.5 (dotted), 0 (solid) and 0.5
(dashed): of a grey ramp, black where the channels agree, or of all hues (saturation 0.6, value 0.8; in degrees) where
greys stay as they are. Statistics are those of the photograph: NASA's portrait of the astronaut Eileen Collins, in
the public domain (`skimage.data.astronaut`).

{sections}
"""


if __name__ == "__main__":
    main()
