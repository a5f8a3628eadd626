"""Decoded frames <-> RGB, with the matrix and range that the stream is coded in."""

from __future__ import annotations

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from harmonizer.pictures.picture import Pixels
from harmonizer.video.coding import planar
from harmonizer.video.frames import Colour

RGB, BT709, UNSPECIFIED, BT601 = 0, 1, 2, 6
# The largest picture of standard definition; without a tag, players decide by it.
SD_SIZE = (1279, 576)

# The matrices that FFmpeg's converter knows: BT.709, FCC, BT.601 (twice), SMPTE 240M, BT.2020; and others by name.
MATRICES = (1, 4, 5, 6, 7, 9)
OTHER_MATRICES = {8: "YCgCo", 10: "BT.2020 with constant luminance", 14: "ICtCp"}
# Float grey with alpha, over which the converter ends the process.
FATAL_LAYOUTS = ("yaf32le", "yaf32be")

# Without these flags the converter loses a level of brightness with every trip to RGB and back.
# On deep frames its white is 65280 of 65535, there and back, so that only numbers show it.
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT

# What a level of grey is worth, and black: as it is, or limited range, 16 to 235, to full range.
UNCHANGED, STRETCHED = np.array([1, 0], np.float32), np.array([255 / 219, 16], np.float32)


def read_colour(frame: VideoFrame) -> Colour:
    """The coding of a decoded frame.

    Without a tag the matrix is what players take: BT.709 for high definition, BT.601 below. RGB gets the coding
    that it is to be written in, BT.709 in limited range.
    """
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    if frame.format.is_rgb:
        return Colour(BT709, False, *(BT709 if tag == UNSPECIFIED else tag for tag in (primaries, transfer)))
    matrix = int(frame.colorspace)
    if matrix in (RGB, UNSPECIFIED):
        matrix = BT709 if frame.width > SD_SIZE[0] or frame.height > SD_SIZE[1] else BT601
    # The formats whose names begin with yuvj are full-range by definition.
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return Colour(matrix, full_range, primaries, transfer)


def find_obstacle(frame: VideoFrame) -> str | None:
    """What keeps a decoded frame from being converted to RGB, in words; None for nothing."""
    colour = read_colour(frame)
    if colour.matrix not in MATRICES:
        return f"the colour matrix {OTHER_MATRICES.get(colour.matrix, f'number {colour.matrix} of ITU-T H.273')}"
    if frame.format.name in FATAL_LAYOUTS:
        return f"the pixel format {frame.format.name}"
    try:
        Converter(colour).to_rgb(frame)
    except FFmpegError:
        return f"the pixel format {frame.format.name}"
    return None


class Converter:
    """Converts the frames of one stream, between which it keeps its tables."""

    def __init__(self, colour: Colour) -> None:
        """Take the coding of the frames' YUV side."""
        self._colour = colour
        self._range = ColorRange.JPEG if colour.full_range else ColorRange.MPEG
        self._terms = planar.make_terms(colour) if colour.matrix in planar.LUMA else np.empty(0, np.float32)
        self._reformatter = VideoReformatter()

    def to_rgb(self, frame: VideoFrame) -> Pixels:
        """HWC RGB without alpha: uint8, or uint16 from frames of more than 8 bits."""
        if planar.is_known(frame.format.name, self._colour):
            return planar.to_rgb(frame, self._terms)
        return self._decode(frame, "rgb24", "rgb48le")

    def to_alpha(self, frame: VideoFrame) -> Pixels:
        """The alpha channel (H, W) of a frame that has one, uint8 or uint16 as in `to_rgb`; opaque is full scale."""
        form = frame.format
        index = next(index for index, component in enumerate(form.components) if component.is_alpha)
        component = form.components[index]
        if form.is_planar and not form.is_big_endian and len(frame.planes) == len(form.components):
            return planar.to_alpha(frame.planes[component.plane], component.bits)
        if form.name in ("rgba64le", "rgba64be"):  # FFmpeg's converter has its white a level below 65535
            return frame.to_ndarray()[..., 3].astype(np.uint16)
        return self._decode(frame, "rgba", "rgba64le")[..., 3]

    def to_grey(self, frame: VideoFrame) -> Pixels:
        """HW, uint8 or uint16 as in `to_rgb`; white is full scale, whatever the stream's range."""
        form = frame.format
        if form.components[0].bits > 8 or form.is_rgb or not (form.is_planar or form.name == "gray"):
            return self._decode(frame, "gray", "gray16le")
        limited = form.is_planar and not self._colour.full_range  # grey without colour has full range, for FFmpeg too
        return planar.to_grey(frame.planes[0], STRETCHED if limited else UNCHANGED)

    def to_yuv(self, pixels: Pixels, pixel_format: str) -> VideoFrame:
        """HWC RGB of uint8 or uint16 in `pixel_format`; the tags are the encoder's to write."""
        if pixels.dtype == np.uint8 and planar.is_known(pixel_format, self._colour):
            return planar.to_yuv(pixels, self._terms)
        name = "rgb24" if pixels.dtype == np.uint8 else "rgb48le"
        return self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format=name),
            format=pixel_format,
            interpolation=EXACT,
            dst_colorspace=self._colour.matrix,
            dst_color_range=self._range,
        )

    def _decode(self, frame: VideoFrame, shallow: str, deep: str) -> Pixels:
        coding = {} if frame.format.is_rgb else {"src_colorspace": self._colour.matrix, "src_color_range": self._range}
        name = deep if frame.format.components[0].bits > 8 else shallow
        pixels: Pixels = self._reformatter.reformat(frame, format=name, interpolation=EXACT, **coding).to_ndarray()
        return pixels
