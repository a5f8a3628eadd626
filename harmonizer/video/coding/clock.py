"""When frames are shown, also for files that hold only the times at which packets are decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, Self

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# Packets by which it is decided. A codec that reorders frames does so long before.
PACKETS = 64


class DecodingClock:
    """Times of display for a stream whose packets have times of decoding: the first frame shown gets the first time.

    AVI holds no others, and programs copy them into .mov and .mkv. A frame that the decoder holds back gets a later
    time by itself, since frames come out of the decoder in the order of display.
    """

    def __init__(self, packets: list[Packet[Any]]) -> None:
        """`packets` are the first of the stream, whose times tell how long a frame lasts."""
        self._times: deque[int] = deque()
        times = [time for time in map(_decoding_time, packets) if time is not None]
        steps = sorted(later - time for time, later in pairwise(times))
        self.step = steps[len(steps) // 2] if steps else 0

    @classmethod
    def find(cls, stream: VideoStream, packets: Iterator[Packet[Any]]) -> tuple[Self | None, Iterator[Packet[Any]]]:
        """The clock of a stream that needs one, else None; and the packets of the file, from the first on."""
        if not stream.codec_context.has_b_frames:
            return None, packets
        first: list[Packet[Any]] = []
        own: list[Packet[Any]] = []
        for packet in packets:
            first.append(packet)
            if packet.stream_index == stream.index and packet.size:
                own.append(packet)
                if not _rises(own) or len(own) == PACKETS:
                    break
        # Packets in the order of display would not be reordered: such times are those of decoding.
        needs_one = len(own) > 1 and (_rises(own) or stream.container.format.name == "avi")
        return cls(own) if needs_one else None, chain(first, packets)

    def take(self, packet: Packet[Any]) -> None:
        """Note the time of a packet that goes to the decoder."""
        time = _decoding_time(packet)
        if time is not None and packet.size:
            self._times.append(time)

    def set_time(self, frame: VideoFrame) -> None:
        """Give a frame that comes from the decoder its time."""
        if self._times:
            frame.pts, frame.duration = self._times.popleft(), self.step


def _rises(packets: list[Packet[Any]]) -> bool:
    """Whether the last of the packets is shown after the one before it, by its time."""
    if len(packets) < 2:
        return True
    before, last = (packet.pts if packet.pts is not None else packet.dts for packet in packets[-2:])
    return before is not None and last is not None and last > before


def _decoding_time(packet: Packet[Any]) -> int | None:
    return packet.dts if packet.dts is not None else packet.pts
