"""Torch images, theta and masks, checked: what `images` is for NumPy."""

from __future__ import annotations

import torch

from whitebox_filters.aliases import Array
from whitebox_filters.errors import ImageError, ThetaError
from whitebox_filters.images import ROUNDING

_FULL_SCALE = {torch.uint8: 255, torch.uint16: 65535}


def as_plain(tensor: torch.Tensor) -> torch.Tensor:
    """The same values as an ordinary tensor: a subclass such as torchvision's `tv_tensors.Image` loses its class.

    Subclasses that replace the tensor's storage (fake and distributed tensors) stay what they are.
    """
    ordinary = type(tensor) is torch.Tensor or type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__
    return tensor if ordinary else tensor.as_subclass(torch.Tensor)


def to_working_dtype(values: torch.Tensor) -> torch.Tensor:
    """Images and theta of half precision in float32, in which theta = 0.999 is not 1; others as they are."""
    return values.to(_working_dtype(values.dtype))


def check_batch(image: Array, theta: Array, count: int) -> None:
    """Raise unless `image` is floating point (N, 3, H, W) and `theta` a tensor (N, count) in [-1, 1].

    Raises ImageError, ThetaError. Whether the image lies in [0, 1] is not checked. The range of theta is checked where
    its values can be read without waiting: in the computer's own memory, outside of transforms such as `torch.compile`
    and `torch.func.vmap`.
    """
    if image.ndim != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise ImageError(
            f"a torch image is floating point of shape (N, 3, H, W); got {image.dtype}, {tuple(image.shape)}"
        )
    if not isinstance(theta, torch.Tensor) or theta.shape != (image.shape[0], count):
        actual = tuple(theta.shape) if isinstance(theta, torch.Tensor) else type(theta).__name__
        raise ThetaError(f"theta for this batch is a tensor of shape {(image.shape[0], count)}; got {actual}")
    if not _lies_in(theta, -1, 1):
        raise ThetaError("theta lies in [-1, 1]; got values outside, or NaN. Pass it through tanh, or clip it")


def to_alpha(mask: Array, image: Array) -> Array:
    """A mask (N, 1, H, W) of the batch `image` as opacity (1, N, H, W) in the image's dtype, but at least float32.

    Accepted: bool; uint8 and uint16 with full scale 255 and 65535 (one of only 0 and 1 counts as bool); floating point
    in [0, 1], which is checked where `check_batch` checks theta, and clipped if interpolation has left it by a rounding
    error.
    Raises ImageError for another dtype, range or shape.
    """
    expected = (image.shape[0], 1, *image.shape[2:])
    if not isinstance(mask, torch.Tensor) or tuple(mask.shape) != expected:
        actual = tuple(mask.shape) if isinstance(mask, torch.Tensor) else type(mask).__name__
        raise ImageError(f"a torch mask has shape {expected}; got {actual}")
    opacity, dtype = as_plain(mask), _working_dtype(image.dtype)
    if opacity.dtype in _FULL_SCALE:
        levels = opacity.movedim(1, 0).to(dtype)
        labels = levels.amax(dim=(-2, -1), keepdim=True) <= 1
        return torch.where(labels, levels, levels / _FULL_SCALE[opacity.dtype])
    if opacity.dtype != torch.bool:
        if not opacity.is_floating_point():
            raise ImageError(f"a torch mask is bool, uint8, uint16 or floating point; got {opacity.dtype}")
        if not _lies_in(opacity, -ROUNDING, 1 + ROUNDING):
            raise ImageError("a floating-point mask lies in [0, 1]; got values outside, or NaN. Scale or clip it first")
        opacity = opacity.clamp(0, 1)
    return opacity.movedim(1, 0).to(dtype)


def _working_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype.itemsize < torch.float32.itemsize else dtype


def _lies_in(values: torch.Tensor, low: float, high: float) -> bool:
    """Whether all values lie in [low, high], or cannot be read here."""
    if torch.compiler.is_compiling() or values.device.type != "cpu":
        return True
    try:
        return bool(((values >= low) & (values <= high)).all())
    except RuntimeError:  # torch.func.vmap and tracers hold no values
        return True
