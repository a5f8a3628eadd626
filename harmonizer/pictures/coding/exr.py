"""OpenEXR, in which compositors exchange pictures: float, linear in the light of the scene, and above 1 too.

Filters work on values that are encoded for a display, in [0, 1]. So a pixel is divided by its largest channel if that
is above 1, and encoded by sRGB's curve; afterwards both are undone. What no filter has changed comes back bit for bit.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harmonizer.errors import HarmonizerWarning, ImageFileError, OutputError
from harmonizer.pictures import profiles
from harmonizer.pictures.picture import Pixels, check_size

NEEDED = "pip install 'whitebox-harmonizer[exr]'"
# Attributes that say how the pixels are stored, which the writer decides.
_STORAGE = ("channels", "compression", "dataWindow", "displayWindow", "lineOrder", "type", "tiles", "chunkCount")


@dataclass(frozen=True)
class Scene:
    """A decoded file: scene-linear values as they were, what a display would get of them, and the header."""

    linear: Pixels  # (H, W, 3 or 4), float16 or float32, alpha associated
    encoded: Pixels  # (H, W, 3 or 4), float32 in [0, 1], alpha straight
    gain: Pixels  # (H, W, 1): what a pixel was divided by, 1 or more
    profile: bytes | None  # of `encoded`, None for sRGB
    header: dict[str, Any]


def read(data: bytes) -> Scene:
    """Read R, G, B and A, or Y, of the first part.

    Raises ImageFileError without the library, ValueError, and RuntimeError for a damaged file.
    """
    part = _open(data)
    channels = part.channels
    size = part.height(), part.width()
    names = ["R", "G", "B"] if {"R", "G", "B"} <= set(channels) else ["Y"] * 3
    if not set(names) <= set(channels):
        raise ValueError(f"it has the channels {', '.join(channels)}; R, G and B, or Y, are read")
    others = set(channels) - {*names, "A"}
    if others:
        message = f"the channels {', '.join(sorted(others))} are left out; R, G, B and A are used"
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    names += ["A"] if "A" in channels else []
    linear = np.stack([np.asarray(channels[name].pixels) for name in names], axis=-1)
    if linear.dtype.kind != "f" or linear.shape[:2] != size:
        raise ValueError(f"its channels are {linear.dtype} {linear.shape}; all are float and of full resolution")
    if not np.isfinite(linear).all():
        raise ValueError("it holds NaN or infinity; replace these values first")
    header = {name: value for name, value in part.header.items() if name not in _STORAGE}
    encoded, gain = _encode(linear.astype(np.float32))
    return Scene(linear, encoded, gain, _profile(header), header)


def pasted(scene: Scene, opacity: Pixels, alpha: Pixels | None, over: Scene | None) -> Scene:
    """The scene behind a foreground of `opacity` (H, W), from `over` if that was a scene too; `alpha` is of both.

    Where the foreground covers it, a pixel has been divided by what the foreground was, 1 if that is no scene.
    """
    share = opacity[..., None].astype(np.float32)
    gain = scene.gain * (1 - share) + (share if over is None else over.gain * share)
    if alpha is None:
        return replace(scene, gain=gain)
    encoded, linear = scene.encoded.copy(), scene.linear.copy()
    if linear.shape[2] == 4:
        encoded[..., 3], linear[..., 3] = alpha, alpha
    return replace(scene, gain=gain, encoded=encoded, linear=linear)


def restore(scene: Scene, pixels: Pixels) -> Pixels:
    """Harmonized pixels (H, W, 3), encoded, as linear values like those of the file, alpha associated."""
    changed = (pixels != scene.encoded[..., :3]).any(axis=2)
    linear = scene.linear.copy()
    values = profiles.to_linear(pixels[changed]) * scene.gain[changed]
    if linear.shape[2] == 4:
        values = values * scene.encoded[changed][:, 3:]
    linear[changed, :3] = values
    return linear


def write(linear: Pixels, header: dict[str, Any]) -> bytes:
    """Values (H, W, 3 or 4) as a ZIP-compressed file. Raises OutputError without the library."""
    try:
        import OpenEXR
    except ImportError as error:
        raise OutputError(f"OpenEXR files are written by a library: {NEEDED}") from error
    fields = {**header, "compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    planes = {name: np.ascontiguousarray(linear[..., index]) for index, name in enumerate("RGBA"[: linear.shape[2]])}
    with tempfile.TemporaryDirectory() as folder:  # the library writes to files alone
        path = Path(folder) / "picture.exr"
        with OpenEXR.File(fields, planes) as file:
            file.write(str(path))
        return path.read_bytes()


def _encode(linear: Pixels) -> tuple[Pixels, Pixels]:
    """Straight display values (H, W, 3 or 4) of associated linear ones, and what pixels were divided by (H, W, 1)."""
    colours = linear[..., :3]
    if linear.shape[2] == 4:
        alpha = linear[..., 3:].clip(0, 1)
        colours = np.divide(colours, alpha, out=colours.copy(), where=alpha > 0)
    gain = np.maximum(colours.max(axis=2, keepdims=True), 1)
    encoded = profiles.to_encoded((colours / gain).clip(0, 1))
    return (encoded if linear.shape[2] == 3 else np.dstack([encoded, alpha])), gain


def _profile(header: dict[str, Any]) -> bytes | None:
    points = header.get("chromaticities")
    if points is None:
        return None
    red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y = (float(value) for value in points)
    return profiles.of_primaries((white_x, white_y), (red_x, red_y, green_x, green_y, blue_x, blue_y))


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height of the first part. Raises ImageFileError without the library, RuntimeError."""
    return _size(_open(data, header_only=True))


def _open(data: bytes, *, header_only: bool = False) -> Any:
    """The first part. Raises ValueError for one that is too large, before its pixels are read."""
    try:
        import OpenEXR
    except ImportError as error:
        raise ImageFileError(f"it is an OpenEXR picture; to read it, {NEEDED}") from error
    with tempfile.TemporaryDirectory() as folder:  # the library reads from files alone
        path = str(Path(folder) / "picture.exr")
        Path(path).write_bytes(data)
        head = OpenEXR.File(path, separate_channels=True, header_only=True).parts[0]
        if header_only:
            return head
        check_size(*_size(head))
        return OpenEXR.File(path, separate_channels=True).parts[0]


def _size(part: Any) -> tuple[int, int]:
    first, last = part.header["dataWindow"]
    return int(last[0] - first[0]) + 1, int(last[1] - first[1]) + 1
