"""What the numbers of a picture mean: ICC profiles, made where a file says it in another way, and conversions."""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping

import numpy as np

from harmonizer.pictures.picture import Pixels, convert_depth

SRGB_WHITE = (0.3127, 0.3290)
SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3_PRIMARIES = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
BT2020_PRIMARIES = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
SRGB_GAMMA = 0.45455  # of gAMA, with which sRGB is announced to programs that know nothing better
NODES = 512  # of a tabulated curve

# By the numbers of ITU-T H.273.
_PRIMARIES = {1: SRGB_PRIMARIES, 9: BT2020_PRIMARIES, 12: P3_PRIMARIES}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
SRGB_TRANSFER = 13
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
# The camera curve of video, which displays show like sRGB.
_VIDEO_TRANSFERS = (1, 6, 14, 15)


def is_rgb(profile: bytes | None) -> bool:
    """Whether it is the profile of an RGB picture."""
    return profile is not None and profile[16:20] == b"RGB "


def is_grey(profile: bytes | None) -> bool:
    """Whether it is the profile of a grey picture."""
    return profile is not None and profile[16:20] == b"GRAY"


def from_png(chunks: Mapping[bytes, bytes]) -> bytes | None:
    """The profile that a PNG's cICP, or gAMA and cHRM, describe; None for sRGB, or if nothing is said.

    PNG specification, 11.3.2: cICP counts first, then iCCP and sRGB, which the caller knows, then these. Raises
    struct.error for a damaged chunk.
    """
    if b"cICP" in chunks:
        return from_cicp(*struct.unpack(">4B", chunks[b"cICP"])[:2])
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000 if b"gAMA" in chunks else SRGB_GAMMA
    points = struct.unpack(">8I", chunks[b"cHRM"]) if b"cHRM" in chunks else None
    values = (*SRGB_WHITE, *SRGB_PRIMARIES) if points is None else tuple(value / 100_000 for value in points)
    like_srgb = _has_srgb_points(values)
    is_srgb_gamma = abs(gamma - SRGB_GAMMA) < 0.005
    if (like_srgb and is_srgb_gamma) or gamma <= 0:
        return None
    return _build(values[:2], values[2:], None if is_srgb_gamma else 1 / gamma)


def from_cicp(primaries: int, transfer: int) -> bytes | None:
    """The profile of two code points of ITU-T H.273; None for sRGB, for HDR, and for what is unknown."""
    if primaries not in _PRIMARIES or transfer in HDR_TRANSFERS:
        return None
    gamma = _GAMMAS.get(transfer)
    if gamma is None and transfer not in (SRGB_TRANSFER, *_VIDEO_TRANSFERS):
        return None
    if primaries == 1 and gamma is None:
        return None
    return _build(SRGB_WHITE, _PRIMARIES[primaries], gamma)


def of_primaries(white: tuple[float, float], primaries: tuple[float, ...]) -> bytes | None:
    """The profile of sRGB's curve over other primaries; None if they are sRGB's."""
    return None if _has_srgb_points((*white, *primaries)) else _build(white, primaries, None)


@functools.cache
def adobe_rgb() -> bytes:
    """The profile that cameras mean by Adobe RGB (1998), where they embed none."""
    import imagecodecs

    return bytes(imagecodecs.cms_profile("adobergb"))


def grey_to_srgb(samples: Pixels, profile: bytes) -> Pixels:
    """Grey (H, W) of a grey profile to sRGB (H, W, 3) in its own dtype. Raises what the colour engine raises."""
    import imagecodecs

    converted: Pixels = imagecodecs.cms_transform(
        np.ascontiguousarray(samples), profile, _srgb(), colorspace="gray", outcolorspace="rgb"
    )
    return converted.clip(0, 1) if converted.dtype.kind == "f" else converted


def convert(pixels: Pixels, source: bytes | None, destination: bytes | None) -> Pixels:
    """RGB (H, W, 3) of any depth from one profile to another, None being sRGB, as float32 in [0, 1].

    Colours that the destination has not are clipped to it (relative colorimetric). Raises what the colour engine
    raises.
    """
    import imagecodecs

    values = convert_depth(pixels, np.float32)
    if source == destination:
        return values
    converted: Pixels = imagecodecs.cms_transform(
        np.ascontiguousarray(convert_depth(values, np.uint16)),
        source or _srgb(),
        destination or _srgb(),
        colorspace="rgb",
        outcolorspace="rgb",
        intent=1,
    )
    return convert_depth(converted, np.float32)


@functools.cache
def _srgb() -> bytes:
    import imagecodecs

    return bytes(imagecodecs.cms_profile("srgb"))


def _has_srgb_points(points: tuple[float, ...]) -> bool:
    """Whether white and primaries, x and y of each, are sRGB's."""
    return max(abs(a - b) for a, b in zip(points, (*SRGB_WHITE, *SRGB_PRIMARIES), strict=True)) < 0.002


def _build(white: tuple[float, ...], primaries: tuple[float, ...], gamma: float | None) -> bytes:
    """A matrix profile; without a gamma its curve is sRGB's."""
    import imagecodecs

    curve = {"transferfunction": to_linear(np.linspace(0, 1, NODES))} if gamma is None else {"gamma": gamma}
    return bytes(imagecodecs.cms_profile("rgb", whitepoint=white, primaries=primaries, **curve))


def to_linear(encoded: Pixels) -> Pixels:
    """Undo sRGB's curve (IEC 61966-2-1) over values in [0, 1], float32."""
    values = np.asarray(encoded, np.float32)
    linear: Pixels = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** np.float32(2.4))
    return linear


def to_encoded(linear: Pixels) -> Pixels:
    """The curve of sRGB over values in [0, 1], float32."""
    values = np.asarray(linear, np.float32)
    encoded: Pixels = np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** np.float32(1 / 2.4) - 0.055)
    return encoded.clip(0, 1).astype(np.float32)
