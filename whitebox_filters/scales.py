"""Numbers that several filters share: how theta becomes an amplification, the weights of luma, float32 constants."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from whitebox_filters.aliases import Array

# The shares of the channels in luma, Rec. 709.
RED_LUMA, GREEN_LUMA, BLUE_LUMA = 0.2126, 0.7152, 0.0722
# Towards orange: red up and blue down as far (hue 30 degrees), and all by as much more that a grey keeps its luma.
ORANGE = tuple(direction + BLUE_LUMA - RED_LUMA for direction in (1, 0, -1))


def stretch(xp: Any, theta: Array, limit: float) -> Array:
    """Map theta in [-1, 1] to [-1, limit]: theta below 0, theta / (1 - c theta) above, c = 1 - 1/limit.

    It is the usual theta / (1 - theta) but for its pole: smooth, slope 1 on both sides of 0 (a `where`
    leaves both one-sided derivatives intact, which |theta| and clamps do not), and `limit` at 1.
    Any shape; dtype kept.
    """
    positive = xp.where(theta > 0, theta, 0 * theta)
    return xp.where(theta > 0, positive / (1 - (1 - 1 / limit) * positive), theta)


def power(base: float, exponent: float) -> float:
    """`base ** exponent` for a pixel formula: base in (0, 1], exponent any.

    By this name compiled backends know to put a polynomial in its place, where a call would cost ten times as much.
    """
    result: float = base**exponent
    return result


def angle(across: float, along: float) -> float:
    """`math.atan2(across, along)` for a pixel formula, in [-pi, pi]; replaced as `power` is."""
    return math.atan2(across, along)


def single(value: float) -> float:
    """A float32 constant for a pixel formula: Numba would turn `1.0 - float32` into float64 arithmetic."""
    return cast(float, np.float32(value))
