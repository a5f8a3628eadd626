"""Powers and angles in float32 without branches or calls, so that loops over them vectorise.

Written for NumPy's scalars and for Numba at once. The polynomials interpolate at Chebyshev nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

single, integer = np.float32, np.int32

ONE, NONE = single(1), single(0)

# log2(1 + f) / f for sqrt(1/2) <= 1 + f < sqrt(2).
LOG = tuple(
    map(
        single,
        (
            1.442694902420044,
            -0.721352756023407,
            0.4809240400791168,
            -0.36024197936058044,
            0.28707560896873474,
            -0.24882180988788605,
            0.2342098504304886,
            -0.14620353281497955,
        ),
    )
)
# (2^f - 1) / f for |f| <= 1/2.
EXP = tuple(
    map(single, (0.6931471824645996, 0.2402234822511673, 0.055503569543361664, 0.009666373953223228, 0.0013390866))
)
# arctan(sqrt(q)) / sqrt(q) for 0 <= q <= 1.
ARCTAN = tuple(
    map(
        single,
        (
            0.9999993443489075,
            -0.3332637548446655,
            0.19879871606826782,
            -0.13480405509471893,
            0.08374155312776566,
            -0.03689862787723541,
            0.00782548263669014,
        ),
    )
)
MANTISSA = integer(23)  # bits of a float32 below its exponent
ROOT_HALF = integer(0x3F3504F3)  # the bits of sqrt(1/2)
ROUNDER = single(1.5 * 2**23)  # a sum with it has no bits left for a fraction
HALF_TURN, QUARTER_TURN = single(np.pi), single(np.pi / 2)
TINY = single(1e-30)


def power(base: Any, exponent: Any) -> Any:
    """`scales.power` with a relative error below 4e-7 for a base in [1/255, 1] and |exponent| <= 1; exactly 1 at 0."""
    bits = single(base).view(np.int32)
    whole = integer(integer(bits - ROOT_HALF) >> MANTISSA)
    part = integer(bits - integer(whole << MANTISSA)).view(np.float32) - ONE
    log = ((((((LOG[7] * part + LOG[6]) * part + LOG[5]) * part + LOG[4]) * part + LOG[3]) * part + LOG[2]) * part
           + LOG[1]) * part + LOG[0]  # fmt: skip
    binary = exponent * (part * log + single(whole))
    shifted = binary + ROUNDER
    rest = binary - (shifted - ROUNDER)
    rest_power = rest * ((((EXP[4] * rest + EXP[3]) * rest + EXP[2]) * rest + EXP[1]) * rest + EXP[0]) + ONE
    scale = integer(single(shifted).view(np.int32) << MANTISSA)
    return integer(single(rest_power).view(np.int32) + scale).view(np.float32)


def angle(across: Any, along: Any) -> Any:
    """`scales.angle` with an error below 1e-6; 0 where both are 0."""
    wide, high = abs(along), abs(across)
    small, large = min(wide, high), max(wide, high)
    ratio = small / max(large, TINY)
    q = ratio * ratio
    curve = (((((ARCTAN[6] * q + ARCTAN[5]) * q + ARCTAN[4]) * q + ARCTAN[3]) * q + ARCTAN[2]) * q + ARCTAN[1]) * q
    result = ratio * (curve + ARCTAN[0])
    result = QUARTER_TURN - result if high > wide else result
    result = HALF_TURN - result if along < NONE else result
    return -result if across < NONE else result
