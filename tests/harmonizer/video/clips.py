"""Clips small enough to make in a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np

WIDTH, HEIGHT, COUNT = 64, 48, 12
TIME_BASE = Fraction(1, 90000)
STEADY = tuple(range(0, 3000 * COUNT, 3000))
UNEVEN = (0, 3000, 6100, 9000, 15000, 18000, 21000, 27000, 30000, 33000, 36000, 42000)
RATE = 44100

# Weights of red and blue in luma.
LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def picture(index: int = 0) -> np.ndarray:
    """HWC uint8: smooth colour, brighter towards the bottom right, moving with `index`."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 3 + index, y * 4, 200 - x * 2 + 0 * y], axis=-1).clip(0, 255).astype(np.uint8)


def mask(index: int = 0) -> np.ndarray:
    """HW uint8: a rectangle that moves with `index`, neither symmetrical nor in the middle."""
    opacity = np.zeros((HEIGHT, WIDTH), np.uint8)
    opacity[8:36, 12 + index : 36 + index] = 255
    return opacity


def to_yuv(rgb: np.ndarray, matrix: int, *, full: bool, bits: int = 8) -> np.ndarray:
    """RGB in [0, 1] as (3, H, W) luma and chroma, by the definition of the colour space."""
    red, blue = LUMA[matrix]
    luma = rgb @ [red, 1 - red - blue, blue]
    chroma = [(rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)]
    top, middle = 2**bits - 1, 2 ** (bits - 1)
    scale = 2 ** (bits - 8)
    planes = [luma * top if full else 16 * scale + 219 * scale * luma]
    planes += [part * top + middle if full else part * 224 * scale + middle for part in chroma]
    return np.rint(planes).clip(0, top).astype(np.uint8 if bits == 8 else np.uint16)


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    codec: str = "ffv1",
    pixel_format: str = "yuv444p",
    times: Iterable[int] = STEADY,
    matrix: int = 1,
    full: bool = False,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    turn: Callable[[Any], None] | None = None,
    sound: str | None = None,
    title: str = "clip",
) -> Path:
    """Encode HWC RGB or RGBA, HW grey (uint8), or (3, H, W) planes that are in `pixel_format` already."""
    with av.open(str(path), "w", options=container_options or {}) as output:
        output.metadata["title"] = title
        stream = output.add_stream(codec, 30, options or {})
        track = output.add_stream(sound, RATE, layout="mono") if sound else None
        context = stream.codec_context
        context.time_base, context.pix_fmt = TIME_BASE, pixel_format
        context.colorspace, context.color_range = matrix, 2 if full else 1
        if turn:
            turn(stream)
        times = list(times)
        for frame, pts, end in zip(frames, times, [*times[1:], times[-1] + 3000], strict=False):
            coded = _coded(frame, pixel_format, matrix, full)
            if not context.is_open:
                context.width, context.height = coded.width, coded.height
            coded.pts, coded.time_base, coded.duration = pts, TIME_BASE, end - pts
            output.mux(stream.encode(coded))
        output.mux(stream.encode(None))
        if track:
            for part in _tone(times[0] / 90000, times[-1] / 90000 + 0.2):
                output.mux(track.encode(part))
            output.mux(track.encode(None))
    return path


def write_masks(path: Path, count: int = COUNT, size: tuple[int, int] | None = None, **options: Any) -> Path:
    frames = [mask(index) if size is None else np.zeros(size, np.uint8) for index in range(count)]
    return write_clip(path, frames, pixel_format="gray", **options)


def ffmpeg(folder: Path, *arguments: object) -> None:
    """Run FFmpeg's program in a folder, for clips that PyAV does not write."""
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], check=True, cwd=folder)


def decode(path: Path) -> tuple[Any, list[Any]]:
    """The video stream, and the frames in its own pixel format, by PyAV alone."""
    container = av.open(str(path))
    stream = container.streams.video[0]
    return stream, list(container.decode(stream))


def sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(audio=0) if packet.size]


def _coded(frame: np.ndarray, pixel_format: str, matrix: int, full: bool) -> av.VideoFrame:
    if frame.shape[0] == 3 and frame.ndim == 3:
        made = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
        for values, plane in zip(frame, made.planes, strict=True):
            rows = np.frombuffer(plane, values.dtype).reshape(plane.height, -1)
            rows[:, : plane.width] = values[:: HEIGHT // plane.height, :: WIDTH // plane.width]
        return made
    source = "gray" if frame.ndim == 2 else "rgb24" if frame.shape[2] == 3 else "rgba"
    made = av.VideoFrame.from_ndarray(frame, format=source)
    return made.reformat(format=pixel_format, dst_colorspace=matrix, dst_color_range=2 if full else 1)


def _tone(begin: float, end: float) -> Iterable[av.AudioFrame]:
    wave = (0.3 * np.sin(np.arange(int(RATE * (end - begin))) * 2 * np.pi * 440 / RATE)).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start + int(RATE * begin), Fraction(1, RATE)
        yield frame
