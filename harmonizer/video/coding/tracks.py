"""What lies beside the picture in a file, copied as it is."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.stream import Stream

from harmonizer.video.coding.reader import open_input

# Containers of FFmpeg whose edit lists hide what lies before 0.
EDITABLE = ("mp4", "mov")


class Sound:
    """The sound of a file, copied packet by packet into an output that has not begun.

    What an edit list hides stays hidden: the part before a cut that was made without coding anew, or what a phone's
    trim took away.
    """

    def __init__(self, source: Path, output: av.container.OutputContainer, start: Fraction) -> None:
        """`start` is the time of the source, in seconds, that becomes 0.

        Raises ValueError for a codec that the output's container does not take.
        """
        self._container = open_input(source)
        self._output = output
        self._start = start
        try:
            self._tracks: dict[int, Stream] = {
                stream.index: output.add_stream_from_template(stream) for stream in self._container.streams.audio
            }
        except ValueError:
            self._container.close()
            raise
        packets = self._container.demux(*self._container.streams.audio) if self._tracks else iter(())
        self._packets = self._shown(packets)
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

    def close(self) -> None:
        """Close the source."""
        self._container.close()

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
        return "mp4" in self._container.format.name and self._seconds(packet) + length / 2 < 0

    def _seconds(self, packet: Packet[Any]) -> Fraction:
        return (packet.dts or 0) * (packet.time_base or Fraction(0)) - self._start
