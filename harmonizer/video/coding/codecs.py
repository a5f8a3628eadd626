"""What videos are written as: codecs by name, and the pixel format nearest to the source's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import av
from av.video.format import VideoFormat

from harmonizer.errors import HarmonizerWarning, OutputError
from harmonizer.video import CodecName
from harmonizer.video.frames import Hdr10, VideoInfo

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg, its settings, and the scale of its quality: 0 is best; None where it has no such scale."""

    encoder: str
    default_quality: int | None = None
    worst_quality: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None  # the four letters in .mp4 and .mov, where players want others than FFmpeg's
    parameters: str | None = None  # the option that takes the encoder library's own parameters
    needs_even_sides: bool = False  # where chroma is halved
    least_side: int = 1
    hdr10_parameters: tuple[str, str] = ("", "")  # of these, those for the mastering display and the light level

    def settings(self, quality: int | None, hdr10: Hdr10 = Hdr10()) -> dict[str, str]:  # noqa: B008 # frozen
        """The encoder's options at a constant `quality`, None for the default. Raises OutputError."""
        return self._with_hdr10(self._with_quality(quality), hdr10)

    def find_lost(self, info: VideoInfo) -> list[str]:
        """What a stream says of its picture that this encoder leaves out, in words."""
        lost = list(info.unwritable)
        if self.parameters is None and info.hdr10 != Hdr10():
            lost.append("HDR10 metadata, which h265 and h264 hold")
        return lost

    def _with_hdr10(self, options: dict[str, str], hdr10: Hdr10) -> dict[str, str]:
        if self.parameters is None:
            return options
        values = zip(self.hdr10_parameters, (hdr10.mastering_display, hdr10.light_level), strict=True)
        added = [f"{name}={value}" for name, value in values if value]
        return {**options, self.parameters: ":".join([options[self.parameters], *added])}

    def _with_quality(self, quality: int | None) -> dict[str, str]:
        if self.default_quality is None:
            if quality is not None:
                raise OutputError(f"{self.encoder} has one quality; leave --quality out")
            return dict(self.options)
        if quality is not None and not 0 <= quality <= self.worst_quality:
            raise OutputError(
                f"quality of {self.encoder} goes from 0, the best, to {self.worst_quality}; got {quality}"
            )
        return {**self.options, "crf": str(self.default_quality if quality is None else quality)}


# Presets fast enough to leave most of the time of a frame to the filters. Of x264's, superfast with B-frames at fixed
# places takes half the time of veryfast; at the same PSNR its files are 7 % larger, 28 % where noise lies over pans.
# Nor does it look for shot changes, 7 % of its time: the pipeline finds them, and asks for key frames there.
CODECS = {
    CodecName.h264: Codec(
        "libx264",
        18,
        51,
        {"preset": "superfast", "x264-params": "b-adapt=0:scenecut=0"},
        parameters="x264-params",
        hdr10_parameters=("mastering-display", "cll"),
        needs_even_sides=True,
    ),
    CodecName.h265: Codec(
        "libx265",
        20,
        51,
        {"preset": "fast", "forced-idr": "1", "x265-params": "log-level=error"},
        tag="hvc1",
        parameters="x265-params",
        hdr10_parameters=("master-display", "max-cll"),
        needs_even_sides=True,
        least_side=16,
    ),
    CodecName.vp9: Codec("libvpx-vp9", 24, 63, {"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}),
    CodecName.prores: Codec("prores_ks", options={"profile": "auto"}),
    CodecName.ffv1: Codec("ffv1", options={"level": "3", "slicecrc": "1"}),
}


def output_format(name: CodecName, source: str, size: tuple[int, int]) -> str:
    """The codec's pixel format nearest to the source's, without alpha, for pictures of `size` (H, W).

    It has at least the source's bits where any codec has (12 become 10 rather than an error), and its chroma
    sampling where the codec takes it; RGB and grey become 4:2:0, which every player shows. Odd sizes become 4:4:4 in
    H.264 and H.265, which halve no odd number, with a HarmonizerWarning. Raises OutputError for a codec with fewer
    bits, one that takes no picture so small, and one that this build of FFmpeg lacks.
    """
    codec = CODECS[name]
    if min(size) < codec.least_side:
        raise OutputError(
            f"{size[1]} x {size[0]} pixels are too small for {name}, which takes {codec.least_side} x "
            f"{codec.least_side} and more; choose --codec {CodecName.h264} or {CodecName.ffv1}"
        )
    source_format = VideoFormat(source, 64, 64)
    bits = source_format.components[0].bits
    depths = [8, 10] if bits <= 8 else [10, 12] if bits <= 10 else [12, 10]
    samplings = sorted(("420", "422", "444"), key=lambda sampling: sampling != _sampling(source_format))
    nearest = samplings[0]
    if codec.needs_even_sides:
        samplings = [sampling for sampling in samplings if _halves(sampling, size)]
    wanted = [f"yuv{sampling}p{'' if depth == 8 else f'{depth}le'}" for depth in depths for sampling in samplings]
    formats = _formats(name)
    chosen = next((pixel_format for pixel_format in wanted if pixel_format in formats), None)
    if chosen and samplings[0] != nearest:
        message = (
            f"{size[1]} x {size[0]} is odd, and {name} in 4:2:0 is not: it is written as {chosen}, which few browsers "
            "and televisions play; crop to even sides first for these, or choose --codec vp9"
        )
        warnings.warn(message, HarmonizerWarning, stacklevel=2)
    if chosen is None:
        deep = [str(other) for other in CODECS if any(pixel_format in _formats(other) for pixel_format in wanted)]
        raise OutputError(
            f"the source has {bits} bits, which {name} does not take here; choose --codec {' or '.join(deep)}"
        )
    return chosen


def _halves(sampling: str, size: tuple[int, int]) -> bool:
    """Whether a sampling of chroma divides `size` (H, W)."""
    height, width = size
    return sampling == "444" or (width % 2 == 0 and (sampling == "422" or height % 2 == 0))


def _sampling(source: VideoFormat) -> str:
    if source.is_rgb or len(source.components) < 3:
        return "420"
    across, down = source.chroma_width(64), source.chroma_height(64)
    return "444" if across == 64 else "422" if down == 64 else "420"


def _formats(name: CodecName) -> set[str]:
    try:
        encoder = av.Codec(CODECS[name].encoder, "w")
    except ValueError:  # PyAV's UnknownCodecError
        return set()
    return {pixel_format.name for pixel_format in encoder.video_formats or ()}
