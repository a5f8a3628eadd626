"""What becomes of the levels of 8 bits, taken apart into straight lines; compiled as `kernels`."""

from __future__ import annotations

from whitebox_filters.backends.blocks import LEVELS_8
from whitebox_filters.native.exports import jit
from whitebox_filters.native.kernel import Loop


def split() -> Loop:
    """See `compiled.split`."""
    white = LEVELS_8 - 1

    def find_bend(curves, first, tolerance):  # type: ignore[no-untyped-def]
        for i in range(1, white):
            here = curves[first + i]
            if abs(curves[first + i + 1] - here - (here - curves[first + i - 1])) > tolerance:
                return i
        return white

    def fit(curves, first, start, stop, tolerance, lines, place):  # type: ignore[no-untyped-def]
        low, high = curves[first + start], curves[first + stop]
        slope = (high - low) / max(stop - start, 1)
        lines[place], lines[place + 1] = low - slope * start, slope
        furthest = 0.0
        for i in range(start, stop):
            furthest = max(furthest, abs(low + slope * (i - start) - curves[first + i]))
        return furthest <= tolerance

    bend, line = jit(find_bend), jit(fit)

    def split_curves(curves, tolerance, lines):  # type: ignore[no-untyped-def]
        for channel in range(3):
            first, place = channel * LEVELS_8, 5 * channel
            floor = bend(curves, first, tolerance)
            is_below = line(curves, first, 0, floor, tolerance, lines, place)
            is_above = line(curves, first, min(floor + 1, white), white, tolerance, lines, place + 2)
            lines[place + 4] = floor if is_below and is_above else -1

    return split_curves
