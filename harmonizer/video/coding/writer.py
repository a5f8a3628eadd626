"""Frames -> a video file with the source's times, colour tags and sound."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from harmonizer import atomic
from harmonizer.atomic import FileGroup
from harmonizer.errors import OutputError, VideoError
from harmonizer.video import CodecName
from harmonizer.video.coding.codecs import CODECS, CONTAINERS, output_format
from harmonizer.video.coding.colour import Converter
from harmonizer.video.coding.reader import as_file
from harmonizer.video.coding.tracks import Tracks
from harmonizer.video.frames import Frame, VideoInfo

# Seconds by which a frame may come too late: damaged streams are decoded in a wrong order here and there.
BACKWARDS = 0.5


class Writer:
    """Encodes frames into one of the files of `group`, whole on leaving the context without an error.

    What lies beside the picture of `source` is copied: sound, subtitles, chapters, tags; None makes a silent video.
    All methods raise OutputError.
    """

    def __init__(
        self,
        path: Path,
        group: FileGroup,
        info: VideoInfo,
        source: Path | None,
        codec: CodecName,
        quality: int | None,
    ) -> None:
        """Check what can be checked before the work: name, place, codec, quality and depth."""
        check_output(path)
        self._path = path
        self._info = info
        self._source = source
        self._codec = CODECS[codec]
        self._settings = self._codec.settings(quality, info.hdr10)
        self._pixel_format = output_format(codec, info.pixel_format, info.size)
        self._part = group.reserve(path)
        self._converter = Converter(info.colour)
        self._tracks: Tracks | None = None
        self._stack = ExitStack()
        self._shift = round(info.start / info.time_base)
        self._last = -sys.maxsize  # the last frame's time
        self._written = 0

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, frame: Frame, *, shot_change: bool = False) -> None:
        """Encode a frame at its own time, as a key frame if a shot begins with it, and copy the sound up to it."""
        coded = self._converter.to_yuv(frame.pixels, self._pixel_format)
        if shot_change:
            coded.pict_type = PictureType.I
        coded.pts, coded.time_base, coded.duration = self._time(frame), self._info.time_base, frame.duration
        with self._explained():
            self._output.mux(self._stream.encode(coded))
            if self._tracks:
                self._tracks.copy(until=frame.time)
        self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with self._explained():
                    self._output.mux(self._stream.encode(None))
                    if self._tracks:
                        self._tracks.copy()
                    self._output.close()  # writes the index, so it too can meet a full disk
                    if self._tracks:
                        self._tracks.check(self._part, self._info.sample_aspect)
        finally:
            self._discard()

    def _time(self, frame: Frame) -> int:
        """The frame's time here, after that of the last: not every file may hold two frames of one time."""
        time = frame.pts - self._shift
        if (self._last - time) * self._info.time_base > BACKWARDS:
            raise VideoError(
                f"frame {frame.index} goes back in time, to {float(time * self._info.time_base):.1f} seconds, as in "
                "files that were put together; rewrite the times first: ffmpeg -i SOURCE -c copy REWRITTEN.mkv"
            )
        self._last = max(time, self._last + 1)
        return self._last

    def _open(self) -> None:
        container = CONTAINERS[self._path.suffix.lower()]
        with self._explained():
            self._output = av.open(as_file(self._part), "w", format=container)
        try:
            stream = self._output.add_stream(self._codec.encoder, self._info.rate, self._settings)
            assert isinstance(stream, VideoStream)
            self._stream = stream
            self._describe(stream.codec_context)
            if self._codec.tag and container in ("mp4", "mov"):
                stream.codec_context.codec_tag = self._codec.tag
            if self._source:
                self._tracks = Tracks(self._source, self._output, stream, self._info.start)
                self._stack.callback(self._tracks.close)
                self._tracks.dropped += self._codec.find_lost(self._info)
            with self._explained(but=(ValueError,)):
                self._output.start_encoding()
        except ValueError as error:  # among others of FFmpeg's "invalid argument"
            raise OutputError(
                f"{self._path.name} cannot hold this: {error}. Choose another of {', '.join(CONTAINERS)}, or another "
                "codec; .mkv holds nearly everything"
            ) from error

    def _describe(self, context: VideoCodecContext) -> None:
        colour = self._info.colour
        context.height, context.width = self._info.size
        context.pix_fmt = self._pixel_format
        context.time_base = self._info.time_base
        context.sample_aspect_ratio = self._info.sample_aspect
        context.colorspace, context.color_range = colour.matrix, 2 if colour.full_range else 1
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer

    def _discard(self) -> None:
        self._stack.close()
        if hasattr(self, "_output"):
            # Closing writes what is left of a file that is not wanted: what goes wrong in it was said already.
            with contextlib.suppress(FFmpegError):
                self._output.close()

    @contextlib.contextmanager
    def _explained(self, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        try:
            yield
        except but:
            raise
        except (FFmpegError, OSError) as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror}, after {self._written} frames; nothing is left of it"
            ) from error


def check_output(path: Path) -> None:
    """Raise OutputError unless the container of that name is known and its folder exists."""
    if path.suffix.lower() not in CONTAINERS:
        fault = f"ends in {path.suffix!r}" if path.suffix else "has no extension"
        raise OutputError(f"{path} {fault}; videos are written as {', '.join(CONTAINERS)}")
    atomic.check_place(path)
