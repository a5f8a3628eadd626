"""The filters by kornia's own operations, where it has them; they do the same job, not always by the same formula."""

from __future__ import annotations

import math

import array_api_compat.torch as xp
import kornia.color as color
import kornia.enhance as enhance
import torch

import whitebox_filters as wf
from baselines.contender import (
    Contender,
    FrameFilter,
    Names,
    TensorFrames,
    Theta,
    blended,
    compile_alone,
    lacking,
)


def gain(theta: float) -> float:
    """The gain of brightness, contrast and saturation, without the bound that ours has at theta = 1."""
    return 1 / (1 - theta) if theta > 0 else 1 + theta


def channel_gains(name: str, image: torch.Tensor, theta: float) -> torch.Tensor:
    """Our filter's gains of the channels by `denormalize`, which multiplies by a deviation a channel."""
    filter = wf.get(name)
    means = image.mean(dim=(0, 2, 3)) if filter.statistic else None
    gains = filter.array(xp, torch.ones(3), *filter.coefficients(xp, torch.tensor(theta), means))
    return enhance.denormalize(image, torch.zeros(3), gains).clamp(0, 1)


def temperature(image: torch.Tensor, theta: float) -> torch.Tensor:
    return channel_gains("temperature", image, theta)


def tint(image: torch.Tensor, theta: float) -> torch.Tensor:
    return channel_gains("tint", image, theta)


def brightness(image: torch.Tensor, theta: float) -> torch.Tensor:
    return enhance.adjust_brightness_accumulative(image, gain(theta))


def contrast(image: torch.Tensor, theta: float) -> torch.Tensor:
    """About the mean of luma, where ours takes the mean of all channels."""
    return enhance.adjust_contrast_with_mean_subtraction(image, gain(theta))


def saturation(image: torch.Tensor, theta: float) -> torch.Tensor:
    """Of HSV, where ours is of HSL."""
    return enhance.adjust_saturation(image, gain(theta))


def highlight(image: torch.Tensor, theta: float) -> torch.Tensor:
    return enhance.invert(enhance.adjust_gamma(enhance.invert(image), 1 + theta))


def shadow(image: torch.Tensor, theta: float) -> torch.Tensor:
    return enhance.adjust_gamma(image, 1 - theta)


def gamma(image: torch.Tensor, theta: float) -> torch.Tensor:
    """Of the V of HSV, as ours."""
    hue, saturation, value = torch.split(color.rgb_to_hsv(image), 1, dim=1)
    return color.hsv_to_rgb(torch.cat([hue, saturation, enhance.adjust_gamma(value, 2**-theta)], dim=1))


def exposure(image: torch.Tensor, theta: float) -> torch.Tensor:
    linear = enhance.adjust_brightness_accumulative(color.rgb_to_linear_rgb(image), 2 ** (4 * theta))
    return color.linear_rgb_to_rgb(linear)


def fade(image: torch.Tensor, theta: float) -> torch.Tensor:
    veil = 1 - 0.7**theta
    return enhance.denormalize(image, torch.tensor(veil), torch.tensor(1 - veil)).clamp(0, 1)


def hue(image: torch.Tensor, theta: float) -> torch.Tensor:
    """At constant V, where ours keeps luma."""
    return enhance.adjust_hue(image, theta * math.pi / 3)


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        temperature,
        brightness,
        contrast,
        saturation,
        highlight,
        shadow,
        tint,
        gamma,
        exposure,
        fade,
        hue,
    )
}


def one_by_one(names: Names, theta: Theta) -> TensorFrames:
    def filter_image(image: torch.Tensor) -> torch.Tensor:
        for name, value in zip(names, theta, strict=True):
            image = OPERATIONS[name](image, value)
        return image

    return TensorFrames(blended(filter_image))


def compiled(names: Names, theta: Theta) -> FrameFilter:
    return TensorFrames(compile_alone(one_by_one(names, theta).filter_batch))


KORNIA = Contender("kornia", "kornia's own operations one by one", one_by_one, lacking("kornia", OPERATIONS))
KORNIA_COMPILED = Contender(
    "kornia, torch.compile", "the same through torch.compile", compiled, lacking("kornia", OPERATIONS)
)
