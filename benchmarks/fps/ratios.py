"""What was required of the fused cascade, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from baselines import COMPILED, COMPILED_WHOLE, NUMBA, RELEASED

from fps.cases import FULL, QUARTER, SIX, Case, Memory, Results

BOUNDS = {8: 1.15, 16: 1.5}
"""Of the time of k filters over that of two."""


@dataclass(frozen=True)
class Ratio:
    """One requirement: a bound, where it points, and the figure, None where not measured."""

    what: str
    bound: float
    at_least: bool
    reached: float | None
    goal: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool:
        if self.reached is None:
            return False
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound


def quotient(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None else above / below


def ratios(results: Results) -> list[Ratio]:
    """All requirements, at the first of the sizes."""
    size = results.main

    def seconds(contender: str, mask: str = FULL, count: int = SIX) -> float | None:
        return results.median(Case(size, mask, count, contender))

    ours = seconds(NUMBA.name)
    compiled = [found for found in map(seconds, (COMPILED.name, COMPILED_WHOLE.name)) if found is not None]
    two = seconds(NUMBA.name, count=2)
    memory = results.memory.get(NUMBA.name)
    return [
        Ratio(f"times the frames of `{RELEASED.name}`", 30, True, quotient(seconds(RELEASED.name), ours), goal=60),
        Ratio(
            f"the same with a mask over {QUARTER}",
            80,
            True,
            quotient(seconds(RELEASED.name, QUARTER), seconds(NUMBA.name, QUARTER)),
            goal=150,
        ),
        Ratio(
            "times the frames of the best torch.compile of our formulas",
            5,
            True,
            quotient(min(compiled, default=None), ours),
        ),
        *(
            Ratio(f"time of k = {count} over k = 2", bound, False, quotient(seconds(NUMBA.name, count=count), two))
            for count, bound in BOUNDS.items()
        ),
        Ratio("extra memory, the result included", 1.2, False, extra_frames(memory), unit=" frames"),
        Ratio("frame, mask and extra memory of the largest", 3, False, all_frames(memory), unit=" frames"),
        Ratio(
            "second process: from import to the first frame filtered",
            0.8,
            False,
            float(np.median(results.first_frame)) if results.first_frame else None,
            unit=" s",
        ),
    ]


def extra_frames(memory: Memory | None) -> float | None:
    return None if memory is None else memory.extra / memory.frame


def all_frames(memory: Memory | None) -> float | None:
    return None if memory is None else (memory.extra + memory.frame + memory.mask) / memory.frame
