"""Colour maps of the foreground, in NumPy: the baselines that move it to the background's colours, and polynomials.

Pixels are (P, 3) RGB, floating point in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.floating[Any]]
ColourMap = Callable[[Colours], Colours]

# Logarithmic cone responses, decorrelated on natural images (Ruderman et al. 1998; Reinhard et al. 2001).
TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
DECORRELATE = np.array([[1.0, 1, 1], [1, 1, -2], [1, -1, 0]]) / np.sqrt([[3.0], [6.0], [2.0]])
# Keeps the logarithm of black, and what a deviation of nearly nothing is divided by, finite.
_BLACK = 0.02
_VARIANCE = 1e-6


def to_decorrelated(pixels: Colours) -> Colours:
    """Lightness, yellow-blue and red-green, (P, 3), in the logarithmic space of Ruderman et al. (1998)."""
    decorrelated: Colours = np.log(pixels @ TO_LMS.T + _BLACK) @ DECORRELATE.T
    return decorrelated


def from_decorrelated(pixels: Colours) -> Colours:
    """The inverse of `to_decorrelated`; may leave [0, 1]."""
    return (np.exp(pixels @ np.linalg.inv(DECORRELATE).T) - _BLACK) @ np.linalg.inv(TO_LMS).T


def reinhard(foreground: Colours, background: Colours) -> ColourMap:
    """Mean and deviation of each decorrelated axis become the background's (Reinhard et al. 2001)."""
    source, goal = to_decorrelated(foreground), to_decorrelated(background)
    gain = np.sqrt((goal.var(axis=0) + _VARIANCE) / (source.var(axis=0) + _VARIANCE))
    return lambda pixels: from_decorrelated((to_decorrelated(pixels) - source.mean(axis=0)) * gain + goal.mean(axis=0))


def monge_kantorovich(foreground: Colours, background: Colours) -> ColourMap:
    """Mean and covariance become the background's, by the linear map that moves least (Pitie and Kokaram 2007)."""
    source, goal = (np.cov(pixels.T) + _VARIANCE * np.eye(3) for pixels in (foreground, background))
    root, inverse = _power(source, 0.5), _power(source, -0.5)
    matrix = inverse @ _power(root @ goal @ root, 0.5) @ inverse
    return lambda pixels: (pixels - foreground.mean(axis=0)) @ matrix + background.mean(axis=0)


def polynomial(composite: Colours, harmonized: Colours, opacity: Colours) -> ColourMap:
    """The 11-term polynomial of Hong et al. (2001) that best turns `composite` into `harmonized`.

    `opacity` (P,) is how much of each pixel is foreground: its harmonized value is a blend, which is undone. A touch
    of regularization holds the map to the identity where the colours leave it undecided.
    """
    features, identity = _terms(composite), np.zeros((11, 3))
    identity[:3] = np.eye(3)
    weighted = opacity[:, None] * features
    change = weighted.T @ (harmonized - composite)
    ridge = 1e-5 * len(composite) * np.eye(11)
    matrix = identity + np.linalg.solve(weighted.T @ weighted + ridge, change)
    return lambda pixels: _terms(pixels) @ matrix


def recolour(image: npt.NDArray[np.uint8], mask: Colours, colour_map: ColourMap) -> npt.NDArray[np.uint8]:
    """Map the foreground of an HWC picture, blended by its mask (HW in [0, 1]) as in Eq. 5; the rest stays."""
    inside = mask > 0
    pixels = image[inside] / np.float32(255)
    moved = np.clip(colour_map(pixels), 0, 1)
    recoloured = image.copy()
    recoloured[inside] = np.rint(255 * (pixels + mask[inside][:, None] * (moved - pixels)))
    return recoloured


def _terms(pixels: Colours) -> Colours:
    r, g, b = pixels.T
    return np.stack([r, g, b, r * g, g * b, b * r, r * r, g * g, b * b, r * g * b, np.ones_like(r)], axis=1)


def _power(matrix: Colours, power: float) -> Colours:
    values, vectors = np.linalg.eigh(matrix)
    powered: Colours = (vectors * values**power) @ vectors.T
    return powered
