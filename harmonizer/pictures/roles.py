"""Which of two pictures is what: composite and mask, or foreground and background."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from harmonizer.alpha import says_something, varies
from harmonizer.errors import HarmonizerWarning, MaskError
from harmonizer.pictures import profiles
from harmonizer.pictures.coding import exr
from harmonizer.pictures.picture import Picture, Pixels, convert_depth
from whitebox_filters.images import to_alpha

# A grey picture that went through a lossy format has channels that differ by a few levels.
COLOUR_TOLERANCE = 1 / 16
# A mask is black and white but for its edges; levels this close to either, as a lossy format leaves them, count.
EXTREME = 1 / 32
MOSTLY = 0.5


def opacity(mask: Picture, size: tuple[int, int], name: str) -> Pixels:
    """A mask for a picture of `size` (H, W) as foreground opacity: HW, float32 in [0, 1].

    It is the mask's alpha channel if that varies, else its grey values; values of only 0 and 1 count as false and
    true. Raises MaskError, with `name`, for a picture of another size, or in colour.
    """
    has_shape = mask.alpha is not None and varies(mask.alpha)
    if not has_shape and is_colour(mask.pixels):
        raise MaskError(
            f"{name} is in colour; a mask is grey, white on the foreground. To paste a foreground onto a "
            "background, give the foreground, with an alpha channel, and --background"
        )
    if mask.pixels.shape[:2] != size:
        raise MaskError(
            f"the mask {name} has {_extent(mask.pixels)} pixels, its picture {size[1]} x {size[0]}; "
            "scale or crop the mask to the size of the picture"
        )
    values = mask.alpha if has_shape else mask.pixels[..., 1]
    assert values is not None
    return to_alpha(values, size, np.dtype(np.float32))


def combine(
    picture: Picture, mask: Picture | None, background: Picture | None, names: tuple[str, str, str]
) -> tuple[Picture, Pixels]:
    """A composite and its mask as opacity (H, W); with a background, `picture` is pasted onto it first.

    Raises MaskError, with `names` of picture, mask and background, as `opacity` and `paste` do, or if neither is there.
    """
    size = picture.pixels.shape[0], picture.pixels.shape[1]
    if mask is None and background is None:
        raise MaskError(
            f"nothing shows the foreground of {names[0]}; give its mask, or the background that it is to be pasted onto"
        )
    shape = None if mask is None else opacity(mask, size, names[1])
    if background is not None:
        return paste(picture, background, shape, (names[0], names[2]))
    assert shape is not None
    return picture, shape


def paste(
    foreground: Picture, background: Picture, mask: Pixels | None, names: tuple[str, str]
) -> tuple[Picture, Pixels]:
    """A foreground over a background of its size, and the foreground's opacity: `mask` (HW), or its alpha channel.

    The foreground's colours are converted into the background's profile. Depth, profile and metadata are the
    background's, and so is transparency that the foreground leaves.
    Raises MaskError, with `names`, for pictures of two sizes, or if nothing shows what the foreground is.
    """
    if foreground.pixels.shape != background.pixels.shape:
        raise MaskError(
            f"the foreground {names[0]} has {_extent(foreground.pixels)} pixels, the background {names[1]} "
            f"{_extent(background.pixels)}; put the foreground on a transparent canvas of the background's size"
        )
    if mask is None:
        if foreground.alpha is None:
            raise MaskError(
                f"the foreground {names[0]} has no alpha channel, or an opaque one, so that it would cover the "
                "background; give a mask too, or a foreground that is cut out"
            )
        mask = convert_depth(foreground.alpha, np.float32)
    over, under = _in_its_colours(foreground, background, names[0]), convert_depth(background.pixels, np.float32)
    dtype = background.pixels.dtype
    if background.alpha is None:
        pixels = over * mask[..., None] + under * (1 - mask[..., None])
        scene = background.scene and exr.pasted(background.scene, mask, None, foreground.scene)
        return replace(background, pixels=convert_depth(pixels, dtype), scene=scene), mask
    below = convert_depth(background.alpha, np.float32) * (1 - mask)
    alpha = mask + below
    share = np.divide(mask, alpha, out=np.zeros_like(mask), where=alpha > 0)[..., None]
    pixels = over * share + under * (1 - share)
    scene = background.scene and exr.pasted(background.scene, share[..., 0], alpha, foreground.scene)
    alpha = convert_depth(alpha, dtype)
    result = replace(background, pixels=convert_depth(pixels, dtype), scene=scene)
    return replace(result, alpha=alpha if says_something(alpha) else None), mask


def is_pasted(first: Picture, second: Picture, name: str) -> bool:
    """Whether two pictures without named roles are foreground and background; else they are composite and mask.

    They are foreground and background where the first has an alpha channel that varies, and the second has none and is
    in colour (channels that differ by more than 1/16 of full scale somewhere).
    Raises MaskError where the second is as grey as a mask, but does not look like one: it may be a white studio.
    """
    cut_out = first.alpha is not None and varies(first.alpha)
    if not cut_out or second.alpha is not None:
        return False
    if is_colour(second.pixels):
        return True
    if not _looks_like_a_mask(second.pixels[..., 1]):
        raise MaskError(
            f"{name} may be the background of the cut-out, or its mask: it is grey, but neither mostly black and "
            "white nor in colour. Say which: --background or --mask before its name"
        )
    return False


def is_colour(pixels: Pixels) -> bool:
    """Whether the channels of a picture (HWC RGB) differ by more than 1/16 of full scale somewhere."""
    red, green, blue = np.moveaxis(pixels, 2, 0)  # ten times as fast as over the last axis
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    return bool(np.max(high - low) > COLOUR_TOLERANCE * _full_scale(pixels))


def _looks_like_a_mask(grey: Pixels) -> bool:
    """Whether black and white are both there, and most of the picture; or if it is a label map of 0 and 1."""
    if grey.dtype.kind == "u" and grey.max() == 1:
        return True
    near = EXTREME * _full_scale(grey)
    black, white = (grey <= near).mean(), (grey >= _full_scale(grey) - near).mean()
    return bool(black > 0 and white > 0 and black + white >= MOSTLY)


def _in_its_colours(foreground: Picture, background: Picture, name: str) -> Pixels:
    """The foreground's pixels as float32, by the background's profile."""
    if foreground.cicp != background.cicp:
        message = "one of foreground and background is HDR, and the other not; their values are mixed as they are"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)
        return convert_depth(foreground.pixels, np.float32)
    try:
        return profiles.convert(foreground.pixels, foreground.profile, background.profile)
    except Exception:  # the colour engine's errors have no public base class
        message = f"the colour profile of {name} or of its background is damaged; values are mixed as they are"
        warnings.warn(message, HarmonizerWarning, stacklevel=3)
        return convert_depth(foreground.pixels, np.float32)


def _full_scale(pixels: Pixels) -> float:
    return 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)


def _extent(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"
