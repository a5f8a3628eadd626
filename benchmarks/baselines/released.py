"""The paper's six filters as the released system applies them: one by one in eager torch, brightness through HSV.

Written from the definitions, with the faults that ours mend; RGB to HSV and back are kornia's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import kornia
import torch

from baselines.contender import Contender, FrameFilter, Names, TensorFrames, Theta, blended, lacking


def temperature(image: torch.Tensor, theta: float) -> torch.Tensor:
    """Grey-world gains of the channel means, of which those towards the other colour are raised by |theta|."""
    means = image.mean(dim=(2, 3), keepdim=True)
    cool, warm = max(-theta, 0), max(theta, 0)
    shifted = means + torch.tensor([cool, abs(theta) / 2, warm]).reshape(1, 3, 1, 1)
    gains = shifted.mean(dim=1, keepdim=True) / shifted + 1 - means.mean(dim=1, keepdim=True) / means
    return image * gains


def brightness(image: torch.Tensor, theta: float) -> torch.Tensor:
    """A gain of V, which comes to the same gain of RGB."""
    hue, saturation, value = kornia.color.rgb_to_hsv(image).unbind(dim=1)
    gain = 1 / (1 - theta + 1e-9) if theta >= 0 else 1 + theta
    return kornia.color.hsv_to_rgb(torch.stack([hue, saturation, value * gain], dim=1))


def contrast(image: torch.Tensor, theta: float) -> torch.Tensor:
    """Away from the mean of frame and channels, above 0 in steps of theta by its floor()."""
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    push = theta if theta <= 0 else 255 / (256 - math.floor(theta * 255)) - 1
    return image + (image - mean) * push


def saturation(image: torch.Tensor, theta: float) -> torch.Tensor:
    """Away from HSL lightness, above 0 up to full HSL saturation."""
    high, low = image.amax(dim=1, keepdim=True), image.amin(dim=1, keepdim=True)
    lightness = (high + low) / 2
    if theta < 0:
        return lightness + (image - lightness) * (1 + theta)
    total = high + low
    strength = (high - low) / torch.where(total < 1, total, 2 - total).clamp(min=1e-9)
    divisor = torch.where(strength + theta >= 1, strength, torch.full_like(strength, 1 - theta))
    return image + (image - lightness) * (1 / divisor.clamp(min=1e-9) - 1)


def highlight(image: torch.Tensor, theta: float) -> torch.Tensor:
    """A power curve hung from white."""
    return 1 - (1 - image).clamp(min=1e-9) ** (1 + theta)


def shadow(image: torch.Tensor, theta: float) -> torch.Tensor:
    """A power curve hung from black."""
    return image.clamp(min=1e-9) ** (1 - theta)


FILTERS = {
    "temperature": temperature,
    "brightness": brightness,
    "contrast": contrast,
    "saturation": saturation,
    "highlight": highlight,
    "shadow": shadow,
}


def filter_steps(image: torch.Tensor, names: Names, theta: Theta) -> Iterator[torch.Tensor]:
    """What each filter makes of the one before, clamped to [0, 1]."""
    for name, value in zip(names, theta, strict=True):
        image = FILTERS[name](image, value).clamp(0, 1)
        yield image


def prepare(names: Names, theta: Theta) -> FrameFilter:
    """Every step blended with the mask: the released system gives them all, and a user takes the last."""

    def filter_batch(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return [step * mask + image * (1 - mask) for step in filter_steps(image, names, theta)][-1]

    return TensorFrames(filter_batch)


def prepare_once(names: Names, theta: Theta) -> FrameFilter:
    """The last step alone blended."""

    def filter_image(image: torch.Tensor) -> torch.Tensor:
        *_, last = filter_steps(image, names, theta)
        return last

    return TensorFrames(blended(filter_image))


RELEASED = Contender(
    "released",
    "the paper's six filters one by one in eager torch as the released system applies them: brightness through "
    "kornia's RGB to HSV and back, and every step blended with the mask; the baseline of the ratios",
    prepare,
    lacking("the released system", FILTERS),
)
RELEASED_ONCE = Contender(
    "released, blended once",
    "the same without the blends that nobody looks at",
    prepare_once,
    lacking("the released system", FILTERS),
)
