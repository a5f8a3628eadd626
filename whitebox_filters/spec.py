"""What a filter is: one frozen entry that is its definition and its test specification at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from whitebox_filters.aliases import Array, Channels, Coefficients, Pixel, Statistic
from whitebox_filters.chain import Chain

__all__ = ["Array", "Example", "Filter", "Prior"]


@dataclass(frozen=True)
class Prior:
    """The Gaussian from which synthesis draws theta (Eq. 9), truncated to [-1, 1]."""

    mean: float
    std: float


@dataclass(frozen=True)
class Example:
    """A documented figure: a grey pixel of value `value` in [0, 1] becomes `expected`."""

    value: float
    theta: float
    expected: float
    source: str


@dataclass(frozen=True)
class Filter:
    """A global photographic adjustment with one argument, theta in [-1, 1]; 0 is the identity.

    The executor, not the formulas, clamps the result to [0, 1].
    """

    name: str  # registry key; the module is named like it, or like the family
    summary: str  # one line for a person: what turning it up does
    source: str  # where the definition comes from, and what was mended
    statistic: Statistic | None  # what `coefficients` must know of the whole image
    coefficients: Coefficients  # (xp, theta, statistic) -> one value an image each; shapes below
    array: Callable[..., Array]  # (xp, rgb of shape (3, ...), *coefficients) -> (3, ...)
    pixel: Pixel  # (r, g, b, *coefficients) -> (r, g, b): the second, scalar writing
    inverse: Callable[[float], float] | None  # theta that undoes theta where nothing clipped; may leave [-1, 1]
    monotone: bool  # no channel of any pixel ever falls as theta grows
    prior: Prior
    channels: Channels = "mixed"  # which is right for every filter; another declaration makes it faster
    words: tuple[str, str] = ("less", "more")  # what it does below and above 0, in a word or two
    examples: tuple[Example, ...] = ()

    def __call__(self, image: Array, theta: Any, mask: Array | None = None, *, statistic: Any = None) -> Array:
        """Filter an image: a cascade of this filter alone. See `Cascade.__call__`.

        `theta` is a number (NumPy) or a tensor of shape (N,) (torch); `statistic` freezes what is else
        measured on the image. Raises ThetaError, ImageError, BackendError.
        """
        wrapped = [theta] if isinstance(theta, (int, float)) else theta[..., None]
        return Chain([self])(image, wrapped, mask, statistics=None if statistic is None else [statistic])
