"""VP8 and VP9 with alpha: WebM has it beside each packet, as a video of its own in grey."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from harmonizer.pictures.picture import Pixels

CODECS = ("vp8", "vp9")
BESIDE: Literal["matroska_block_additional"] = "matroska_block_additional"
ID_BYTES = 8  # what is beside begins with a number that says what it is
ALPHA_ID = 1


class AlphaDecoder:
    """Decodes to frames with alpha, from the first packet on that has alpha beside it.

    FFmpeg finds alpha only through libvpx, which takes as much memory as a packet asks for, however small it is.
    After that, a frame whose packet has none keeps the alpha of the frame before.
    """

    def __init__(self, name: str, options: dict[str, str]) -> None:
        """Take one of CODECS, and the options of its decoder."""
        self._colour, self._alpha = (_create(name, options) for _ in range(2))
        self._levels: VideoFrame | None = None

    def decode(self, packet: Packet[Any]) -> list[VideoFrame]:
        """The frames that a packet ends, at most one. Raises FFmpegError."""
        if (beside := _find_alpha(packet)) is not None:
            self._levels = next(iter(self._alpha.decode(beside)), self._levels)
        frames = self._colour.decode(packet)
        return frames if self._levels is None else [_join(frame, self._levels) for frame in frames]


def _create(name: str, options: dict[str, str]) -> VideoCodecContext:
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = options
    return decoder


def _find_alpha(packet: Packet[Any]) -> Packet[Any] | None:
    if not packet.has_sidedata(BESIDE):
        return None
    beside = bytes(packet.get_sidedata(BESIDE))
    is_alpha = int.from_bytes(beside[:ID_BYTES]) == ALPHA_ID and len(beside) > ID_BYTES
    return Packet(beside[ID_BYTES:]) if is_alpha else None


def _join(frame: VideoFrame, alpha: VideoFrame) -> VideoFrame:
    if (alpha.width, alpha.height) != (frame.width, frame.height) or frame.format.name != "yuv420p":
        return frame
    joined = VideoFrame(frame.width, frame.height, "yuva420p")
    for place, plane in zip(joined.planes, (*frame.planes, alpha.planes[0]), strict=True):
        _view(place)[:] = _view(plane)
    for name in ("pts", "dts", "duration", "time_base", "colorspace", "color_range", "color_primaries", "color_trc"):
        setattr(joined, name, getattr(frame, name))
    return joined


def _view(plane: VideoPlane) -> Pixels:
    """The pixels of a plane of bytes, without what pads its rows."""
    values: Pixels = np.frombuffer(memoryview(plane), np.uint8)
    return values.reshape(-1, plane.line_size)[: plane.height, : plane.width]
