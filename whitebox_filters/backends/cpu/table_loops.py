"""The loops that make tables and lines of filters, which Numba compiles; `kernels` declares their arguments."""

from __future__ import annotations

import numpy as np
from numba import types

from whitebox_filters.backends.cpu.kernels import BLOCK, LEVELS_8, OUTPUT_INTERVALS
from whitebox_filters.native.exports import jit
from whitebox_filters.native.intrinsics import call_stage, stack_array
from whitebox_filters.native.signature import Loop


def fit_lines() -> Loop:
    """See `kernels.fit_lines`."""
    white = LEVELS_8 - 1

    def find_bend(curves, first, tolerance):  # type: ignore[no-untyped-def]
        for i in range(1, white):
            here = curves[first + i]
            if abs(curves[first + i + 1] - here - (here - curves[first + i - 1])) > tolerance:
                return i
        return white

    def fit_line(curves, first, start, stop, tolerance, lines, place):  # type: ignore[no-untyped-def]
        low, high = curves[first + start], curves[first + stop]
        slope = (high - low) / max(stop - start, 1)
        lines[place], lines[place + 1] = low - slope * start, slope
        furthest = 0.0
        for i in range(start, stop):
            furthest = max(furthest, abs(low + slope * (i - start) - curves[first + i]))
        return furthest <= tolerance

    bend, fit = jit(find_bend), jit(fit_line)

    def fit_curves(curves, tolerance, lines):  # type: ignore[no-untyped-def]
        for channel in range(3):
            first, place = channel * LEVELS_8, 5 * channel
            end = bend(curves, first, tolerance)
            below_fits = fit(curves, first, 0, end, tolerance, lines, place)
            above_fits = fit(curves, first, min(end + 1, white), white, tolerance, lines, place + 2)
            lines[place + 4] = end if below_fits and above_fits else -1

    return fit_curves


def fill_output_table() -> Loop:
    """See `kernels.fill_output_table`."""
    single = types.float32
    reserve, reserve_before = stack_array(single, 3 * BLOCK), stack_array(single, 3)
    last, half, full = np.float32(OUTPUT_INTERVALS), np.float32(0.5), np.float32(255)

    def store_block(block, size, start, channels, table, largest, before):  # type: ignore[no-untyped-def]
        count = min(size, OUTPUT_INTERVALS + 1 - start)
        for channel in range(channels):
            first = channel * size
            largest = max(largest, abs(block[first] - before[channel]) if start else np.float32(0))
            for i in range(1, count):
                largest = max(largest, abs(block[first + i] - block[first + i - 1]))
            for i in range(count):
                table[channel * (OUTPUT_INTERVALS + 1) + start + i] = np.uint8(np.int32(block[first + i] * full + half))
            before[channel] = block[first + count - 1]
        return largest

    store = jit(store_block)

    def fill_table(stages, coefficients, offsets, count, channels, table, change):  # type: ignore[no-untyped-def]
        block, before = reserve(), reserve_before()
        largest, size, start = np.float32(0), 3 * BLOCK // channels, 0
        while start <= OUTPUT_INTERVALS:  # a range with a variable step could raise, which needs Numba's runtime
            for channel in range(channels):
                for i in range(size):
                    block[channel * size + i] = min(np.float32(start + i), last) / last
            for stage in range(count):
                call_stage(stages[stage], block, coefficients, offsets[stage])
            largest = store(block, size, start, channels, table, largest, before)
            start += size
        change[0] = largest

    return fill_table
