"""Torch images, theta and masks, checked: what `images` is for NumPy."""

from __future__ import annotations

import torch

from whitebox_filters.errors import ImageError, ThetaError
from whitebox_filters.spec import Array


def check_batch(image: Array, theta: Array, count: int) -> None:
    """Raise unless `image` is floating point (N, 3, H, W) and `theta` a tensor (N, count) in [-1, 1].

    Raises ImageError, ThetaError. Whether the image lies in [0, 1] is not checked, and of theta only where it lies in
    the computer's own memory: the program would have to wait for a GPU.
    """
    if image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise ImageError(
            f"a torch image is floating point of shape (N, 3, H, W); got {image.dtype}, {tuple(image.shape)}"
        )
    if not isinstance(theta, torch.Tensor) or theta.shape != (len(image), count):
        given = tuple(theta.shape) if isinstance(theta, torch.Tensor) else type(theta).__name__
        raise ThetaError(f"theta for this batch is a tensor of shape {(len(image), count)}; got {given}")
    if theta.device.type == "cpu" and not bool((theta.abs() <= 1).all()):
        raise ThetaError("theta lies in [-1, 1]; got values outside, or NaN. Pass it through tanh, or clip it")


def to_alpha(mask: Array, image: Array) -> Array:
    """A mask (N, 1, H, W) of the batch `image` as opacity (1, N, H, W) in its dtype. Raises ImageError."""
    expected = (len(image), 1, *image.shape[2:])
    if tuple(mask.shape) != expected:
        raise ImageError(f"a torch mask has shape {expected}; got {tuple(mask.shape)}")
    return mask.movedim(1, 0).to(image.dtype)
