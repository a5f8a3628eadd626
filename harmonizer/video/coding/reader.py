"""Video files -> upright frames, by PyAV."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from harmonizer.errors import HarmonizerWarning, VideoError
from harmonizer.pictures import picture, roles
from harmonizer.pictures.picture import Pixels
from harmonizer.video.coding import vpx
from harmonizer.video.coding.clock import DecodingClock
from harmonizer.video.coding.colour import Converter, find_obstacle, read_colour
from harmonizer.video.coding.extras import find_unwritable, read_hdr10
from harmonizer.video.frames import Alpha, Frame, VideoInfo, to_opacity, without_noise

# By how much a file may end before the time in its header: rounding and odd muxers, not a lost part.
MISSING_SECONDS, MISSING_PART = 0.5, 0.02
MICROSECOND = Fraction(1, 1_000_000)
ONE = 1 << 16  # in a display matrix


class Reader:
    """The video stream of a file, frame by frame, turned and flipped as its display matrix asks.

    Opening decodes one frame, for `info`. Iterate once. Iterating raises VideoError for what cannot be decoded, for a
    frame of another size, and for a file that ends before its time.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises VideoError."""
        self.path = path
        self._container = open_input(path)
        try:
            stream = best_video(self._container)
            if stream is None:
                raise VideoError(f"{path} holds no video stream")
            if stream.codec_context is None:
                raise VideoError(
                    f"{path} is damaged, or in a codec that cannot be decoded here; get or convert it again"
                )
            self._stream = stream
            self._clock: DecodingClock | None = None
            frames = self._decode()
            first = next(frames, None)
            if first is None:
                raise VideoError(f"{path} holds no frame that can be decoded; if it is cut off, get it again")
            if obstacle := find_obstacle(first):
                raise VideoError(
                    f"{path} has {obstacle}, which cannot be converted here; convert it to BT.709 first, with "
                    "FFmpeg's zscale or another program"
                )
            self.info = _describe(self._stream, first, self._clock)
            self._turn = _turn(first)
            self._converter = Converter(self.info.colour)
        except BaseException:
            self._container.close()
            raise
        self._first = first
        self._decoded = chain([first], frames)

    @cached_property
    def is_coloured(self) -> bool:
        """Whether the first frame is more than grey, as `roles.is_colour` tells."""
        return roles.is_colour(self._converter.to_rgb(self._first))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in RGB, with alpha where the stream has it."""
        alpha = self.info.has_alpha
        for index, decoded in enumerate(self._checked()):
            pixels = self._converter.to_rgb(decoded)
            yield Frame(
                index=index,
                pts=decoded.pts or 0,
                duration=decoded.duration or 0,
                time=float((decoded.pts or 0) * self.info.time_base - self.info.start),
                pixels=self._upright(pixels),
                alpha=to_opacity(self._upright(self._converter.to_alpha(decoded))) if alpha else None,
            )

    @cached_property
    def alpha_varies(self) -> bool:
        """Whether the stream has an alpha channel that differs between any two pixels of any two frames.

        One that is the same in all frames shows no foreground. The first frames do not decide: a fade begins opaque or
        transparent. So frames are decoded, from the beginning and by another reader, up to the first difference.
        """
        if not self.info.has_alpha:
            return False
        low, high = _bounds(self._converter.to_alpha(self._first))
        if low < high:
            return True
        with Reader(self.path) as again:
            return any(_bounds(again._converter.to_alpha(frame)) != (low, high) for frame in again._checked())

    def opacities(self) -> Iterator[Alpha]:
        """The frames as masks: their alpha where it varies over the video, else their grey values.

        A HarmonizerWarning tells of a video of flags, whose levels 0 and 1 are both black.
        """
        if self.alpha_varies:
            yield from (to_opacity(self._upright(self._converter.to_alpha(decoded))) for decoded in self._checked())
            return
        highest = 0
        for decoded in self._checked():
            levels = self._upright(self._converter.to_grey(decoded))
            highest = max(highest, int(levels.max()))
            yield to_opacity(without_noise(levels))
        if highest == 1:
            message = f"no level of the mask {self.path} is above 1 of 255, which is black; white is the foreground"
            warnings.warn(message, HarmonizerWarning, stacklevel=2)

    def _upright(self, pixels: Pixels) -> Pixels:
        transposed, rows, columns = self._turn
        turned = pixels.swapaxes(0, 1) if transposed else pixels
        return np.ascontiguousarray(turned[::rows, ::columns])

    def _checked(self) -> Iterator[VideoFrame]:
        """The decoded frames, all of one size and with a time."""
        size = None
        for index, frame in enumerate(self._decoded):
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                raise VideoError(
                    f"{self.path} changes from {size[0]} x {size[1]} to {frame.width} x {frame.height} pixels at "
                    f"frame {index}; convert it to one size first"
                )
            if _has_alpha(frame) != self.info.has_alpha:
                raise VideoError(f"{self.path} has alpha in some frames alone, from frame {index} on; convert it first")
            if frame.pts is None:
                raise VideoError(f"frame {index} of {self.path} has no time; copy it into an .mkv or .mp4 file first")
            yield frame

    def _decode(self) -> Iterator[VideoFrame]:
        decoder = _decoder(self._stream)
        count, end = 0, Fraction(0)
        try:
            # The other streams are read too: the file is whole if any of them reaches its end.
            self._clock, packets = DecodingClock.find(self._stream, self._container.demux())
            for packet in packets:
                end = max(end, _end(packet))
                if packet.stream.index != self._stream.index:
                    continue
                if self._clock:
                    self._clock.take(packet)
                for frame in decoder.decode(packet):
                    count += 1
                    if self._clock:
                        self._clock.set_time(frame)
                    yield frame
        except FFmpegError as error:
            raise VideoError(
                f"{self.path} cannot be decoded after frame {count}: {error.strerror}. If it is damaged or cut off, "
                "get it again"
            ) from error
        if self._container.duration is None:
            return
        length = self._container.duration * MICROSECOND
        if "matroska" not in self._container.format.name:  # which counts its length from 0
            end -= (self._container.start_time or 0) * MICROSECOND
        if length - end > max(MISSING_SECONDS, MISSING_PART * length):
            raise VideoError(
                f"{self.path} ends after {float(end):.1f} of {float(length):.1f} seconds ({count} frames): it is cut "
                "off. Get it again"
            )


def open_input(path: Path) -> av.container.InputContainer:
    """Open a media file by its name, which is never taken for a URL or a pattern. Raises VideoError.

    Nor can what stands in the file, as playlists have it, lead to another place than a file.
    """
    options = {"protocol_whitelist": "file", **_limits()}
    try:
        container = av.open(as_file(path), "r", options=options, metadata_errors="replace")
        if container.format.name != "image2" or "%" not in str(path):
            return container
        # FFmpeg takes the % in the name of a picture for a number that counts up; bytes have no name.
        container.close()
        return av.open(io.BytesIO(path.read_bytes()), "r", options=options, metadata_errors="replace")
    except FileNotFoundError:
        raise VideoError(f"there is no file {path}; check the name and the folder") from None
    except (FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} cannot be read as video: {error.strerror}. If it is damaged or cut off, get it again; else "
            "convert it"
        ) from error


def as_file(path: Path) -> str:
    """The name by which FFmpeg opens a file, whatever characters its own name has."""
    return f"file:{path}"


def best_video(container: av.container.InputContainer) -> VideoStream | None:
    """The track that players show, None where there is none; a cover picture is none."""
    stream = container.streams.best("video")
    return stream if isinstance(stream, VideoStream) else None


def _start(container: av.container.InputContainer, first: VideoFrame, time_base: Fraction) -> Fraction:
    """The time in seconds that becomes 0, for picture and sound.

    It is the start of a file whose clock is ahead of 0, as in transport streams, and the first frame's time if that is
    negative. Sound may begin before 0: encoders put a lead there, which players leave out.
    """
    begin = (first.pts or 0) * time_base
    return begin if begin < 0 else min(begin, max(0, container.start_time or 0) * MICROSECOND)


def _decoder(stream: VideoStream) -> VideoCodecContext | vpx.AlphaDecoder:
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    context = stream.codec_context
    if context.name in vpx.CODECS and tags.get("alpha_mode") == "1":
        return vpx.AlphaDecoder(context.name, _limits())
    context.options = _limits()
    context.thread_type = "AUTO"
    return context


def _limits() -> dict[str, str]:
    """Options of a decoder: FFmpeg takes no memory for larger frames, whatever a file says of their size."""
    return {"max_pixels": str(picture.MAX_PIXELS)}


def _describe(stream: VideoStream, frame: VideoFrame, clock: DecodingClock | None) -> VideoInfo:
    container = stream.container
    assert isinstance(container, av.container.InputContainer)
    time_base = stream.time_base
    assert time_base is not None
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    if clock and clock.step > 0:
        rate = 1 / (clock.step * time_base)
    turned = _turn(frame)[0]
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    seconds = (container.duration or 0) * MICROSECOND
    return VideoInfo(
        size=(frame.width, frame.height) if turned else (frame.height, frame.width),
        time_base=time_base,
        rate=rate,
        sample_aspect=1 / aspect if turned else aspect,
        pixel_format=frame.format.name,
        bits=frame.format.components[0].bits,
        has_alpha=_has_alpha(frame),
        colour=read_colour(frame),
        start=_start(container, frame, time_base),
        frames=stream.frames or round(seconds * rate) or None,
        hdr10=read_hdr10(frame),
        unwritable=find_unwritable(stream, frame),
    )


def _has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def _turn(frame: VideoFrame) -> tuple[bool, int, int]:
    """What makes a frame upright: whether to transpose it, then the steps (1 or -1) through its rows and columns."""
    data = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload] # its keys are Type
    if data is None:
        return False, 1, 1
    # A pixel at (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if {abs(a), abs(d)} == {ONE} and b == c == 0:
        return False, d // ONE, a // ONE
    if {abs(b), abs(c)} == {ONE} and a == d == 0:
        return True, b // ONE, c // ONE
    raise VideoError("the video is to be shown turned by other than quarter turns; convert it to an upright one first")


def _bounds(values: Pixels) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _end(packet: Packet[Any]) -> Fraction:
    """The time at which a packet ends, in seconds."""
    if packet.pts is None or packet.time_base is None:
        return Fraction(0)
    return (packet.pts + (packet.duration or 0)) * packet.time_base
