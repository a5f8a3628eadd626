"""Colour-separated filters: hue, saturation and luminance of each of eight bands of the hue circle.

A pixel is a grey, the mean of its channels, plus a colour: a vector whose angle is the hue (red 0, green a third of
a turn, blue two thirds) and whose length is the chroma, 1 for a pure primary. Unlike the hexagon's of HSV, this angle
is smooth in R, G and B. One pair of formulas serves all 24 filters: they differ in coefficients only.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from whitebox_filters.registry import register
from whitebox_filters.scales import angle, single
from whitebox_filters.spec import Array, Filter, Prior

# theta = 1 turns a band's centre half of the way to the next one's; beyond two thirds, hues would overtake each other.
TURN = 1 / 2
# theta = 1 and -1 take a pixel half of the way to white and to black.
REACH = 1 / 2
# The chroma at which a filter works at half strength. What hue and saturation change is in proportion to the chroma
# anyway; luminance needs the wider knee, or it would make grain of the colour noise in greys.
COLOUR_KNEE, LUMINANCE_KNEE = 0.02, 0.1
# A squared chroma below this is grey: it keeps the gradient of the angle finite.
GREY = 1e-12

ZERO, HALF, ONE, TWO, THREE = single(0), single(0.5), single(1), single(2), single(3)
THIRD, HALF_ROOT, INVERSE_ROOT = single(1 / 3), single(math.sqrt(3) / 2), single(1 / math.sqrt(3))
PI, CIRCLE = single(math.pi), single(2 * math.pi)


class Band(NamedTuple):
    """A centre on the hue circle and its distances to the centres before and after, in radians."""

    name: str
    centre: float
    before: float
    after: float


CENTRES = {"red": 0, "orange": 30, "yellow": 60, "green": 120, "aqua": 180, "blue": 240, "purple": 270, "magenta": 300}
"""The bands of the hue circle and their centres in degrees."""


def bands() -> tuple[Band, ...]:
    """The bands of CENTRES in radians, with the distances between neighbours."""
    centres = [math.radians(degrees) for degrees in CENTRES.values()]
    gaps = [(right - left) % (2 * math.pi) for left, right in zip(centres, [*centres[1:], centres[0]], strict=True)]
    return tuple(map(Band, CENTRES, centres, [gaps[-1], *gaps[:-1]], gaps))


BANDS = bands()


def hue(band: Band, xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """Coefficients of a hue filter: the tangent of half of the angle to turn by."""
    gap = xp.where(theta > 0, band.after + 0 * theta, band.before + 0 * theta)
    return coefficients(band, theta, COLOUR_KNEE, turn=xp.tan(TURN * theta * gap / 2))


def saturation(band: Band, xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """Coefficients of a saturation filter: how far to scale colours."""
    return coefficients(band, theta, COLOUR_KNEE, push=theta)


def luminance(band: Band, xp: Any, theta: Array, statistic: Array | None) -> tuple[Array, ...]:
    """Coefficients of a luminance filter: how far to mix with white, or black."""
    return coefficients(band, theta, LUMINANCE_KNEE, lift=REACH * theta)


def coefficients(
    band: Band, theta: Array, knee: float, turn: Array = 0, push: Array = 0, lift: Array = 0
) -> tuple[Array, ...]:
    """What to do, 0 where nothing, and on which colours: the knee squared and the band, each of theta's shape."""
    return tuple(value + 0 * theta for value in (turn, push, lift, knee**2, band.centre, band.before, band.after))


def weight(xp: Any, angle: Array, centre: Array, before: Array, after: Array) -> Array:
    """How much a hue belongs to a band: 1 at its centre, 0 from its neighbours' on, continuously differentiable.

    The angle lies in [-pi, pi], the centre in [0, 2 pi). The weights of the eight bands add up to 1 at each angle.
    """
    offset = angle - centre
    offset = xp.where(offset < -math.pi, offset + 2 * math.pi, offset)
    part = xp.where(offset < 0, 1 + offset / before, 1 - offset / after)
    part = xp.where(part > 0, part, 0 * part)
    return part * part * (3 - 2 * part)


def array(xp: Any, rgb: Array, turn: Array, push: Array, lift: Array, knee: Array, *band: Array) -> Array:
    red, green, blue = rgb[0], rgb[1], rgb[2]
    along, across = red - (green + blue) / 2, math.sqrt(3) / 2 * (green - blue)
    chroma = along**2 + across**2  # squared
    angle = xp.atan2(across, xp.where(chroma > GREY, along, 1 + 0 * along))
    strength = weight(xp, angle, *band) * chroma / (chroma + knee)

    colour = rgb - xp.mean(rgb, axis=0)
    sideways = xp.stack([blue - green, red - blue, green - red]) / math.sqrt(3)
    # Rodrigues' rotation about the axis of greys, by 2 arctan(tangent): it needs no sine.
    tangent = turn * strength
    turned = 2 * tangent / (1 + tangent**2) * (sideways - tangent * colour)
    room = xp.where(lift > 0, 1 - rgb, rgb)
    return rgb + turned + push * strength * colour + lift * strength * room


def pixel(
    r: float,
    g: float,
    b: float,
    turn: float,
    push: float,
    lift: float,
    knee: float,
    centre: float,
    before: float,
    after: float,
) -> tuple[float, float, float]:
    along, across = r - HALF * (g + b), HALF_ROOT * (g - b)
    offset = angle(across, along) - centre
    if offset < -PI:
        offset += CIRCLE
    part = max(ZERO, ONE - (offset / after if offset > ZERO else -offset / before))
    chroma = along * along + across * across
    strength = part * part * (THREE - TWO * part) * chroma / (chroma + knee)

    tangent = turn * strength
    sine = TWO * tangent / (ONE + tangent * tangent)
    aside, outward = INVERSE_ROOT * sine, push * strength - sine * tangent
    white, black = max(lift, ZERO) * strength, min(lift, ZERO) * strength
    grey = THIRD * (r + g + b)
    return (
        r + outward * (r - grey) + aside * (b - g) + white * (ONE - r) + black * r,
        g + outward * (g - grey) + aside * (r - b) + white * (ONE - g) + black * g,
        b + outward * (b - grey) + aside * (g - r) + white * (ONE - b) + black * b,
    )


TURNED = ("turned back on the colour wheel", "turned on along the colour wheel")
ADJUSTMENTS = {
    "hue": (hue, "{0}s turn towards {2} above 0, towards {1} below", "half of the way at 1", TURNED),
    "saturation": (
        saturation,
        "{0}s more vivid above 0, greyer below",
        "twice the chroma at 1, none at -1",
        ("greyer", "more vivid"),
    ),
    "luminance": (
        luminance,
        "{0}s lighter above 0, darker below",
        "half of the way to white at 1, to black at -1",
        ("darker", "lighter"),
    ),
}


def register_all() -> None:
    """Register a filter for each band and adjustment, named like `blue_saturation`."""
    for index, band in enumerate(BANDS):
        neighbours = BANDS[index - 1].name, BANDS[(index + 1) % len(BANDS)].name
        for adjustment, (formula, summary, ends, words) in ADJUSTMENTS.items():
            register(
                Filter(
                    name=f"{band.name}_{adjustment}",
                    summary=summary.format(band.name, *neighbours),
                    source=f"the HSL panel of raw converters, on smooth bands: {ends}; not among the paper's six",
                    statistic=None,
                    coefficients=functools.partial(formula, band),
                    array=array,
                    pixel=pixel,
                    inverse=None,
                    monotone=adjustment == "luminance",
                    prior=Prior(0.0, 0.3),
                    channels="mixed",
                    words=words,
                )
            )


register_all()
