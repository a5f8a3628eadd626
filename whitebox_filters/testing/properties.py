"""The properties that NumPy alone can check."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.images import FloatArray
from whitebox_filters.spec import Filter
from whitebox_filters.statistics import measure
from whitebox_filters.testing import samples
from whitebox_filters.testing.report import require
from whitebox_filters.testing.samples import DTYPES, LEVEL, THETAS

NAMES = (
    "identity",
    "output range",
    "dtype and shape",
    "input untouched",
    "crop",
    "effect",
    "monotone",
    "inverse",
    "examples",
    "channels",
)

# Between two float64 computations of one formula that differ by the grouping of a few operations only.
EXACT = 1e-12
# A round trip through a power curve and back in float64.
ROUND_TRIP = 1e-6
PARTS = 200
CHANNELS = ("red", "green", "blue")
STEP = 1e-6
# A derivative below this is none: real ones are larger, the rounding of a difference over STEP far smaller.
DEAD = 1e-4


def check(filter: Filter) -> tuple[str, ...]:
    """Check all of NAMES; return the counterexamples to what the filter declares not to promise."""
    check_identity(filter)
    check_output(filter)
    check_untouched(filter)
    check_crop(filter)
    check_effect(filter)
    check_examples(filter)
    check_channels(filter)
    return (*check_monotone(filter), *check_inverse(filter))


def check_identity(filter: Filter) -> None:
    for name, image in _all_images():
        same = np.array_equal(filter(image, 0.0), image)
        require(same, filter.name, "identity", f"theta 0 changes the {name} image of {image.dtype}")


def check_output(filter: Filter) -> None:
    for name, image in _all_images():
        for theta in THETAS:
            result = filter(image, theta)
            where = f"theta {theta:g} on the {name} image of {image.dtype}"
            kept = result.dtype == image.dtype and result.shape == image.shape
            require(kept, filter.name, "dtype and shape", f"{where} gives {result.dtype}, {result.shape}")
            if image.dtype.kind == "f":
                low, high = float(np.min(result)), float(np.max(result))
                require(low >= 0 and high <= 1, filter.name, "output range", f"{where} gives [{low:.9g}, {high:.9g}]")


def check_untouched(filter: Filter) -> None:
    """No call writes into the image, and the formulas write into neither planes nor statistic."""
    for name, image in _all_images():
        before = image.copy()
        filter(image, 0.3)
        require(np.array_equal(image, before), filter.name, "input untouched", f"a call changes the {name} image")
    planes = np.moveaxis(samples.textured(), -1, 0).copy()
    statistic = None if filter.statistic is None else np.asarray(measure(np, planes, filter.statistic))
    inputs = [value for value in (planes, statistic) if value is not None]
    before_all = [value.copy() for value in inputs]
    coefficients = filter.coefficients(np, np.asarray(0.3), statistic)
    filter.array(np, planes, *(np.asarray(value)[..., None, None] for value in coefficients))
    same = all(np.array_equal(one, other) for one, other in zip(inputs, before_all, strict=True))
    require(same, filter.name, "input untouched", "`array` or `coefficients` writes into its arguments")


def check_crop(filter: Filter) -> None:
    """With the statistic of the whole image, a crop of the output is the output of the crop."""
    image = samples.textured()
    statistic = None if filter.statistic is None else measure(np, np.moveaxis(image, -1, 0), filter.statistic)
    for theta in THETAS:
        whole = filter(image, theta, statistic=statistic)[3:10, 2:19]
        error = _distance(filter(image[3:10, 2:19], theta, statistic=statistic), whole)
        require(error <= EXACT, filter.name, "crop", f"theta {theta:g}: a crop differs by {error:.3g}")


def check_effect(filter: Filter) -> None:
    """In each of 200 parts of [-1, 1], and on both sides of 0, a small step of theta moves some value."""
    image = samples.textured()
    edges = np.linspace(-1, 1, PARTS + 1)
    starts = [*((edges[:-1] + edges[1:]) / 2), 0.0, -STEP]
    for theta in starts:
        slope = _distance(filter(image, float(theta + STEP)), filter(image, float(theta))) / STEP
        require(slope > DEAD, filter.name, "effect", f"around theta {theta:g} no value of a textured image moves")


def check_monotone(filter: Filter) -> tuple[str, ...]:
    """Where declared, no value falls as theta grows; where not, one does."""
    for name, image in _float_images():
        results = [filter(image, theta) for theta in THETAS]
        for (low, high), (one, other) in zip(pairwise(THETAS), pairwise(results), strict=True):
            fall = float(np.max(one - other))
            if fall > EXACT:
                finding = f"a value of the {name} image falls by {fall:.3g} from theta {low:g} to {high:g}"
                require(not filter.monotone, filter.name, "monotone", finding)
                return (f"not monotone: {finding}",)
    require(filter.monotone, filter.name, "monotone", "declared not to be, but no value of any sample ever falls")
    return ()


def check_inverse(filter: Filter) -> tuple[str, ...]:
    """The declared inverse undoes the filter; where none is declared, some image cannot be restored (Eq. 10).

    Only values that are at least one 8-bit level inside (0, 1) before and after count: what was clipped, or
    fell on the straight toe of a curve, is promised to nobody.
    """
    if filter.inverse is None:
        return (_show_no_inverse(filter),)
    tried = 0
    for name, image in _float_images():
        for theta in THETAS:
            back = filter.inverse(theta)
            if not -1 <= back <= 1:
                continue
            filtered = filter(image, theta)
            counted = samples.inside(image) & samples.inside(filtered)
            error = _distance(filter(filtered, back)[counted], image[counted])
            finding = f"theta {theta:g}, then {back:g}, leaves the {name} image {error:.3g} away"
            require(error <= ROUND_TRIP, filter.name, "inverse", finding)
            tried += int(theta != 0 and bool(counted.any()))
    require(tried, filter.name, "inverse", "no theta but 0 has an inverse within [-1, 1]")
    return ()


def check_examples(filter: Filter) -> None:
    for example in filter.examples:
        result = float(filter(np.full((2, 2, 3), example.value), example.theta)[0, 0, 0])
        finding = f"{example.value:g} at theta {example.theta:g} gives {result:g}, not {example.expected:g}"
        require(abs(result - example.expected) <= LEVEL, filter.name, "examples", f"{finding} ({example.source})")


def check_channels(filter: Filter) -> None:
    """`channels` is true: neither more is promised of the channels than holds, nor less."""
    colours = np.moveaxis(samples.colour_sweep(), -1, 0)
    greys = np.broadcast_to(np.linspace(0, 1, 256), (3, 1, 256))
    mixes, differs = "", False
    for theta in THETAS:
        for index in range(3):
            others = np.random.default_rng(index).random(colours.shape)
            others[index] = colours[index]
            error = np.abs(_filter_planes(filter, others, theta)[index] - _filter_planes(filter, colours, theta)[index])
            if error.max() > EXACT:
                row, column = np.unravel_index(error.argmax(), error.shape)
                colour = ", ".join(f"{value:.3f}" for value in colours[:, row, column])
                mixes = f"at theta {theta:g} the {CHANNELS[index]} of ({colour}) depends on the other channels"
        red, *rest = _filter_planes(filter, greys, theta)
        differs = differs or max(float(np.abs(red - other).max()) for other in rest) > EXACT
    declared = f"declared {filter.channels!r}, but"
    if filter.channels == "mixed":
        better = "each" if differs else "same"
        finding = f"{declared} no channel depends on another one: declare {better!r}, which is faster"
        require(bool(mixes), filter.name, "channels", finding)
        return
    require(not mixes, filter.name, "channels", f"{declared} {mixes}: declare 'mixed'")
    if filter.channels == "same":
        require(not differs, filter.name, "channels", f"{declared} greys come out in colour: declare 'each'")
    else:
        require(differs, filter.name, "channels", f"{declared} greys stay grey: declare 'same', which is faster")


def _filter_planes(filter: Filter, planes: FloatArray, theta: float) -> FloatArray:
    """Filter (3, ...) with statistics that belong to no picture in particular."""
    statistic = {None: None, "mean": np.asarray(0.4), "channel_means": np.array([0.5, 0.4, 0.3])}[filter.statistic]
    coefficients = filter.coefficients(np, np.asarray(theta), statistic)
    result: FloatArray = filter.array(np, planes, *(np.asarray(value) for value in coefficients)).clip(0, 1)
    return result


def _show_no_inverse(filter: Filter) -> str:
    for name, image in _float_images():
        for theta in (0.5, -0.5, 0.25, -0.25):
            filtered = filter(image, theta)
            counted = samples.inside(image) & samples.inside(filtered)
            if _distance(filtered[counted], image[counted]) <= LEVEL:
                continue  # theta' = 0 restores it
            best, error = _best_inverse(filter, image, filtered, counted)
            if error > LEVEL:
                return f"no inverse: after theta {theta:g} on the {name} image the best, {best:g}, is {error:.3g} away"
    require(False, filter.name, "inverse", "none is declared, but some theta' undoes theta on every sample")
    raise AssertionError


def _best_inverse(
    filter: Filter, image: FloatArray, filtered: FloatArray, counted: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """The theta' that comes closest to `image`, on a grid and then on a finer one around the best."""
    best, error, reach = 0.0, np.inf, 1.0
    for _ in range(3):
        for back in np.clip(best + np.linspace(-reach, reach, 101), -1, 1):
            distance = _distance(filter(filtered, float(back))[counted], image[counted])
            if distance < error:
                best, error = float(back), distance
        reach /= 40
    return best, error


def _distance(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """The largest difference; infinite where there is a NaN, 0 for nothing to compare."""
    return float(np.max(np.nan_to_num(np.abs(one - other), nan=np.inf), initial=0.0))


def _float_images() -> list[tuple[str, FloatArray]]:
    return [*samples.everywhere().items(), ("textured", samples.textured())]


def _all_images() -> list[tuple[str, npt.NDArray[Any]]]:
    return [(name, samples.stored(image, dtype)) for dtype in DTYPES for name, image in samples.everywhere().items()]
