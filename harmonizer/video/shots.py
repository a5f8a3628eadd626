"""Where one shot ends and the next begins, from thumbnails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harmonizer.pictures.picture import Pixels, convert_depth

SIDE = 64  # samples a side
# At a shot change the tones move by at least LEAST (full scale is 1), and RATIO times as far as in the frames before
# it: pans move them steadily, and a change of light moves them less. Of the changes between any two of 60 photographs,
# 1 in 100 moves them by less than 0.09; pans by up to 40 % of the width a frame move them by less than 1.8 times as
# before.
LEAST, RATIO = 0.06, 2.5
REST = 0.01  # noise and small motion, added to what came before
MEMORY = 0.3  # weight of the newest change in the running mean


@dataclass(frozen=True)
class ShotState:
    """The last frame's sorted tones by quarter and channel, (12, n), and the usual change; None at first."""

    tones: npt.NDArray[np.float32]
    change: float | None = None


def detect_change(state: ShotState | None, pixels: Pixels) -> tuple[ShotState, bool]:
    """The state after a frame (HWC RGB), and whether a new shot begins with it.

    The change is the earth mover's distance between the tones of two frames, in each quarter of the frame and each
    channel: it ignores what moves within a quarter, and grows with how far tones move, not with how many do.
    The first frame, with state None, is no shot change. Neither is the second: there is no usual change yet.
    """
    tones = _sorted_tones(pixels)
    if state is None:
        return ShotState(tones), False
    change = float(np.mean(np.abs(tones - state.tones)))
    if state.change is None:
        return ShotState(tones, change), False
    if change > max(LEAST, RATIO * (state.change + REST)):
        return ShotState(tones, state.change), True
    return ShotState(tones, state.change + MEMORY * (change - state.change)), False


def _sorted_tones(pixels: Pixels) -> npt.NDArray[np.float32]:
    rows, columns = (np.linspace(0, length - 1, SIDE).astype(np.intp) for length in pixels.shape[:2])
    sample = convert_depth(pixels[rows[:, None], columns], np.float32)
    half = SIDE // 2
    quarters = sample.reshape(2, half, 2, half, 3).transpose(0, 2, 4, 1, 3).reshape(12, half * half)
    return np.sort(quarters, axis=1)
