"""What lies beside the picture in a file, copied as it is: sound, subtitles, chapters, attachments and tags."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import AttachmentStream, Disposition, Stream

from harmonizer.errors import HarmonizerWarning
from harmonizer.video.coding.metadata import copy_tags, find_lost, read_tags
from harmonizer.video.coding.reader import best_video, open_input

# Containers of FFmpeg whose edit lists hide what lies before 0.
EDITABLE = ("mp4", "mov")


class Tracks:
    """The tracks of a file beside its picture, copied packet by packet into an output that has not begun.

    All sound is copied, and with it subtitles and attachments that the container takes, chapters, and the tags and
    flags of file and tracks. What is left out is in `dropped`. What an edit list hides stays hidden: the part before a
    cut that was made without encoding it again, or what a phone's trim took away.
    """

    def __init__(self, source: Path, output: OutputContainer, picture: Stream, start: Fraction) -> None:
        """`picture` is the output's video track, `start` the time of the source, in seconds, that becomes 0.

        Raises ValueError for sound that the output's container does not take.
        """
        self.dropped: list[str] = []
        self._source = open_input(source)
        self._output = output
        self._start = start
        self._pairs: list[tuple[int, int]] = []  # tracks of the source and the output, by index
        self._tracks: dict[int, Stream] = {}  # what packets are copied to, by index in the source
        try:
            self._add_all(picture)
        except ValueError:
            self._source.close()
            raise
        copied = [stream for stream in self._source.streams if stream.index in self._tracks]
        self._packets = self._shown(self._source.demux(*copied) if copied else iter(()))
        self._next = next(self._packets, None)

    def copy(self, until: float | None = None) -> None:
        """Copy the packets that begin at `until` seconds or before, all that are left by default."""
        while self._next is not None and (until is None or self._seconds(self._next) <= until):
            packet = self._next
            assert packet.time_base is not None
            shift = round(self._start / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._tracks[packet.stream_index]
            self._output.mux(packet)
            self._next = next(self._packets, None)

    def check(self, file: Path, aspect: Fraction) -> None:
        """Warn of what the output lacks, in one line, now that it is written to `file`.

        `aspect` is the width of a pixel over its height.
        """
        lost = list(self.dropped)
        with open_input(file) as output:
            for index, copy in self._pairs:
                stream = self._source.streams[index]
                missing = find_lost(stream, output.streams[copy])
                lost += [f"{', '.join(missing)} of {_name(stream)}"] if missing else []
            lacking = sorted(set(read_tags(self._source)) - set(read_tags(output)))
            lost += [f"the tags {', '.join(lacking)}"] if lacking else []
            if (output.streams.video[0].sample_aspect_ratio or 1) != aspect:
                lost.append("the shape of the pixels, which are not square")
            if len(output.chapters()) < len(self._source.chapters()):
                lost.append("chapters")
        if lost:
            message = f"not everything beside the picture came over, and these are lost: {'; '.join(lost)}"
            warnings.warn(message, HarmonizerWarning, stacklevel=2)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _add_all(self, picture: Stream) -> None:
        main = best_video(self._source)
        if main is not None:
            self._pair(main, picture)
        for stream in self._source.streams:
            if stream.type == "audio":
                self._add_track(stream)
            elif stream.type == "subtitle":
                try:
                    self._add_track(stream)
                except (ValueError, FFmpegError):
                    self.dropped.append(_name(stream))
            elif isinstance(stream, AttachmentStream):
                self._add_attachment(stream)
            elif stream is not main and not _is_made_by_muxer(stream, self._source):
                self.dropped.append(_name(stream))
        self._output.metadata.update(read_tags(self._source))
        self._output.set_chapters([dict(chapter) for chapter in self._chapters()])  # type: ignore[misc]

    def _add_track(self, stream: Stream) -> None:
        self._tracks[stream.index] = self._output.add_stream_from_template(stream)
        self._pair(stream, self._tracks[stream.index])

    def _add_attachment(self, stream: AttachmentStream) -> None:
        name = stream.metadata.get("filename", "attachment")
        if self._output.format.name == "matroska":
            self._output.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)
        else:
            self.dropped.append(f"the attachment {name}")

    def _pair(self, stream: Stream, copy: Stream) -> None:
        copy_tags(stream, copy, self._output.format.name)
        self._pairs.append((stream.index, copy.index))

    def _chapters(self) -> Iterator[dict[str, Any]]:
        for chapter in self._source.chapters():
            shift = round(self._start / (chapter["time_base"] or 1))
            begin, end = chapter["start"] - shift, chapter["end"] - shift
            if end > 0:
                yield {**chapter, "start": max(begin, 0), "end": end}

    def _shown(self, packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
        """The packets without the hidden ones.

        Decoders need the last packet before the first shown one, and an output with edit lists hides it again. In
        other containers it would be played, so that a track begins with its first packet that is mostly shown.
        """
        hides = self._output.format.name in EDITABLE
        leads: dict[int, Packet[Any]] = {}
        for packet in packets:
            if packet.dts is None:  # ends a stream, and is empty
                continue
            if packet.is_discard or (not hides and self._is_mostly_hidden(packet)):
                leads[packet.stream_index] = packet
                continue
            lead = leads.pop(packet.stream_index, None)
            if lead is not None and hides and self._seconds(packet) <= 0:
                yield lead
            yield packet

    def _is_mostly_hidden(self, packet: Packet[Any]) -> bool:
        """Whether the source has edit lists, and one hides most of a packet."""
        length = (packet.duration or 0) * (packet.time_base or Fraction(0))
        return "mp4" in self._source.format.name and self._seconds(packet) + length / 2 < 0

    def _seconds(self, packet: Packet[Any]) -> Fraction:
        return (packet.dts or 0) * (packet.time_base or Fraction(0)) - self._start


def _is_made_by_muxer(stream: Stream, source: InputContainer) -> bool:
    """Whether a data track holds what the output gets from tags and chapters: a time code, names of chapters."""
    holds_chapters = bool(source.chapters()) and stream.metadata.get("handler_name") != "TimeCodeHandler"
    return stream.type == "data" and ("timecode" in stream.metadata or holds_chapters)


def _name(stream: Stream) -> str:
    """A track in words: what it holds, its codec and language, its number."""
    codec = None
    with contextlib.suppress(AttributeError):
        codec = stream.codec_context.name
    kind = "cover picture" if stream.disposition & Disposition.attached_pic else f"{stream.type} track"
    details = ", ".join(text for text in (codec, stream.metadata.get("language")) if text and text != "und")
    return f"the {kind} {stream.index}" + (f" ({details})" if details else "")
