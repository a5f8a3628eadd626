"""What x264's settings cost: processor time, and bytes at the quality that ours give."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame

from harmonizer.video import CodecName
from harmonizer.video.coding.codecs import CODECS
from video_speed.cases import Encoder

OURS = "ours"
FURTHER = 2  # by how much the second constant rate factor is higher, for the line between the two
SETTINGS: dict[str, dict[str, str]] = {
    OURS: dict(CODECS[CodecName.h264].options),
    "ours, looking for cuts": {"preset": "superfast", "x264-params": "b-adapt=0"},
    "superfast as it is": {"preset": "superfast"},
    "veryfast": {"preset": "veryfast"},
    "ours, no B-frames": {"preset": "superfast", "x264-params": "scenecut=0:bframes=0"},
    "ours, no arithmetic coding": {"preset": "superfast", "x264-params": "b-adapt=0:scenecut=0:cabac=0"},
    "ours, whole pixels": {"preset": "superfast", "x264-params": "b-adapt=0:scenecut=0:subme=0"},
    "ultrafast": {"preset": "ultrafast"},
}


def measure(clip: Path, count: int) -> dict[str, Encoder]:
    """Encode the clip's first frames with each of the settings, by one thread."""
    with av.open(str(clip)) as file:
        frames = list(islice(file.decode(video=0), count))
    quality = CODECS[CodecName.h264].default_quality or 0
    _encode(frames, SETTINGS[OURS], quality)  # warms up
    points = {
        name: [_encode(frames, settings, each) for each in (quality, quality + FURTHER)]
        for name, settings in SETTINGS.items()
    }
    goal = points[OURS][0].psnr
    return {name: _at(goal, *pair) for name, pair in points.items()}


def _at(psnr: float, better: Encoder, worse: Encoder) -> Encoder:
    """Between or beyond two measurements on the line through them, where the logarithm of the bytes is straight."""
    if better.psnr == worse.psnr:  # lossless, or nearly
        return better
    part = (better.psnr - psnr) / (better.psnr - worse.psnr)
    size = np.exp(np.log(better.bytes) + part * (np.log(worse.bytes) - np.log(better.bytes)))
    return Encoder(better.cpu + part * (worse.cpu - better.cpu), float(size), psnr)


def _encode(frames: list[VideoFrame], settings: dict[str, str], quality: int) -> Encoder:
    """CPU seconds and bytes a frame, and the PSNR of luma in decibels."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    context.time_base, context.framerate, context.thread_count = Fraction(1, 24), Fraction(24), 1
    context.options = {**settings, "crf": str(quality)}
    packets, start = [], time.process_time()
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.pict_type = index, Fraction(1, 24), PictureType.NONE
        packets += context.encode(frame)
    packets += context.encode(None)
    cpu = (time.process_time() - start) / len(frames)
    decoder = av.CodecContext.create("h264", "r")
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    errors = [np.mean((_luma(a) - _luma(b)) ** 2) for a, b in zip(frames, decoded, strict=True)]
    psnr = 10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9))
    return Encoder(cpu, sum(packet.size for packet in packets) / len(frames), float(psnr))


def _luma(frame: VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width].astype(np.float32)
