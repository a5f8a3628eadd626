"""Tables that end a cascade for 8 bits, compiled as `kernels`."""

from __future__ import annotations

import numpy as np
from numba import types

from whitebox_filters.backends.blocks import BLOCK, ENDS
from whitebox_filters.native.exports import jit
from whitebox_filters.native.intrinsics import call_stage, reservation
from whitebox_filters.native.kernel import Loop


def tabulate() -> Loop:
    """See `compiled.tabulate`."""
    single = types.float32
    reserve, last, half, full = reservation(single, 3 * BLOCK), np.float32(ENDS), np.float32(0.5), np.float32(255)

    def fill(block, size, start, channels, stored, largest, before):  # type: ignore[no-untyped-def]
        count = min(size, ENDS + 1 - start)
        for channel in range(channels):
            first = channel * size
            largest = max(largest, abs(block[first] - before[channel]) if start else np.float32(0))
            for i in range(1, count):
                largest = max(largest, abs(block[first + i] - block[first + i - 1]))
            for i in range(count):
                stored[channel * (ENDS + 1) + start + i] = np.uint8(np.int32(block[first + i] * full + half))
            before[channel] = block[first + count - 1]
        return largest

    flush, reserve_before = jit(fill), reservation(single, 3)

    def tabulate_stages(stages, coefficients, offsets, count, channels, stored, change):  # type: ignore[no-untyped-def]
        block, before = reserve(), reserve_before()
        largest, size, start = np.float32(0), 3 * BLOCK // channels, 0
        while start <= ENDS:  # a range by a variable step could raise, which takes Numba's runtime
            for channel in range(channels):
                for i in range(size):
                    block[channel * size + i] = min(np.float32(start + i), last) / last
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            largest = flush(block, size, start, channels, stored, largest, before)
            start += size
        change[0] = largest

    return tabulate_stages
