"""The filters by OpenCV: tables where a filter acts on each channel by itself, HSV where it has a counterpart there."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

import whitebox_filters as wf
from baselines.contender import Contender, Frame, FrameFilter, Names, Theta, lacking

LEVELS = np.arange(256)
RAMP = np.repeat(LEVELS.astype(np.uint8)[:, None, None], 3, axis=2)  # (256, 1, 3): every level of every channel
PER_CHANNEL = (
    "temperature",
    "brightness",
    "contrast",
    "highlight",
    "shadow",
    "tint",
    "exposure",
    "whites",
    "blacks",
    "fade",
)


def per_channel(name: str) -> Callable[[Frame, float], Frame]:
    """A table of our own filter, applied by `cv2.LUT`; means by `cv2.mean`."""
    statistic = wf.get(name).statistic

    def operation(frame: Frame, theta: float) -> Frame:
        measured = None
        if statistic:
            means = np.array(cv2.mean(frame)[:3]) / 255
            measured = means if statistic == "channel_means" else means.mean()
        table = wf.Cascade([name])(RAMP, [theta], statistics=[measured])
        return np.asarray(cv2.LUT(frame, table.reshape(1, 256, 3)), np.uint8)

    return operation


def in_hsv(channel: int, curve: Callable[[np.ndarray, float], np.ndarray]) -> Callable[[Frame, float], Frame]:
    """A curve (levels, theta) of one channel of HSV, hue in steps of 2 degrees."""

    def operation(frame: Frame, theta: float) -> Frame:
        tables = np.repeat(LEVELS[:, None], 3, axis=1)
        tables[:, channel] = np.clip(np.rint(curve(LEVELS, theta)), 0, 255)
        hsv = cv2.LUT(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV), tables.astype(np.uint8).reshape(1, 256, 3))
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)

    return operation


def saturated(levels: np.ndarray, theta: float) -> np.ndarray:
    """Of HSV, where ours is of HSL."""
    return levels * (1 / (1 - theta) if theta > 0 else 1 + theta)


def gamma(levels: np.ndarray, theta: float) -> np.ndarray:
    return 255 * (levels / 255) ** 2**-theta


def turned(levels: np.ndarray, theta: float) -> np.ndarray:
    """By up to 60 degrees at constant V, where ours keeps luma."""
    return np.asarray((levels + np.rint(30 * theta)) % 180)


OPERATIONS = {name: per_channel(name) for name in PER_CHANNEL} | {
    "saturation": in_hsv(1, saturated),
    "gamma": in_hsv(2, gamma),
    "hue": in_hsv(0, turned),
}


def prepare(names: Names, theta: Theta) -> FrameFilter:
    """The filters one by one on the whole frame, whose means they may need."""

    def run(frame: Frame, mask: Frame) -> Frame:
        filtered = frame
        for name, value in zip(names, theta, strict=True):
            filtered = OPERATIONS[name](filtered, value)
        weight = mask.astype(np.float32) / 255
        return np.asarray(cv2.blendLinear(filtered, frame, weight, 1 - weight), np.uint8)

    return run


OPENCV = Contender(
    "OpenCV",
    "tables by `cv2.LUT`, means by `cv2.mean`, saturation, gamma and hue through 8-bit HSV, then `cv2.blendLinear`; "
    "8 bits between the filters",
    prepare,
    lacking("OpenCV", OPERATIONS),
)
