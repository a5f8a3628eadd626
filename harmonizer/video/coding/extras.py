"""What a video stream says about its picture beside the pixels: HDR10, interlacing, captions, 3-D and 360 degrees."""

from __future__ import annotations

import struct

from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from harmonizer.video.frames import Hdr10

# FFmpeg's AVMasteringDisplayMetadata: red, green, blue and white point (x, y), least and greatest luminance, as
# fractions of two integers; then whether the first eight and the last two are set.
MASTERING_DISPLAY = struct.Struct("=20i2i")
LIGHT_LEVEL = struct.Struct("=2I")
CHROMATICITY, LUMINANCE = 50_000, 10_000  # units of the standard in 1, and in a candela a square metre

# Kinds of data that decoders attach to frames and PyAV cannot hand to an encoder.
NAMES = {
    Type.A53_CC: "closed captions in the picture",
    Type.STEREO3D: "the arrangement of the two eyes of 3-D video",
    Type.SPHERICAL: "the projection of 360-degree video",
    Type.DYNAMIC_HDR_PLUS: "HDR10+ metadata",
    Type.DYNAMIC_HDR_VIVID: "HDR Vivid metadata",
    Type.DOVI_METADATA: "Dolby Vision metadata",
    Type.ICC_PROFILE: "an ICC profile",
}
PROGRESSIVE = (0, 1)  # FFmpeg's field orders unknown and progressive


def read_hdr10(frame: VideoFrame) -> Hdr10:
    """The mastering display and light level that a decoded frame carries."""
    display = light = None
    for data in _side_data(frame):
        if data.type is Type.MASTERING_DISPLAY_METADATA and len(bytes(data)) >= MASTERING_DISPLAY.size:
            display = _mastering_display(bytes(data)) or display
        elif data.type is Type.CONTENT_LIGHT_LEVEL and len(bytes(data)) >= LIGHT_LEVEL.size:
            light = "{},{}".format(*LIGHT_LEVEL.unpack_from(bytes(data)))
    return Hdr10(display, light)


def find_unwritable(stream: VideoStream, frame: VideoFrame) -> list[str]:
    """What the stream says about its picture that no output says, in words."""
    kinds = {data.type for data in _side_data(frame)}
    lost = [name for kind, name in NAMES.items() if kind in kinds]
    if frame.interlaced_frame or stream.codec_context.field_order not in PROGRESSIVE:
        lost.append("the mark of interlaced frames (their lines stay as they are, marked as progressive)")
    return lost


def _side_data(frame: VideoFrame) -> list[SideData]:
    return list(frame.side_data)  # type: ignore[arg-type] # as a mapping it iterates over its values


def _mastering_display(data: bytes) -> str | None:
    *numbers, has_primaries, has_luminance = MASTERING_DISPLAY.unpack_from(data)
    if not (has_primaries and has_luminance) or 0 in numbers[1::2]:
        return None
    values = [top / bottom for top, bottom in zip(numbers[::2], numbers[1::2], strict=True)]
    red, green, blue, white = (
        ",".join(str(round(value * CHROMATICITY)) for value in values[first : first + 2]) for first in (0, 2, 4, 6)
    )
    least, greatest = (round(value * LUMINANCE) for value in values[8:])
    return f"G({green})B({blue})R({red})WP({white})L({greatest},{least})"
