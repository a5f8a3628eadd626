"""The types that filters and the code that runs them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Array = Any
"""A NumPy array or a torch tensor; a filter's text serves both through the namespace `xp`."""

Statistic = Literal["mean", "channel_means"]
Region = Literal["frame", "mask"]
"""Where statistics are measured."""

Channels = Literal["same", "each", "mixed"]
"""How a filter treats the channels of a pixel: all by the same curve, each by a curve of its own, or mixed."""

Coefficients = Callable[[Any, Array, Array | None], tuple[Array, ...]]
Pixel = Callable[..., tuple[float, float, float]]
