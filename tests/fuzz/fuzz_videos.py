"""Small valid videos in several containers and codecs, and crafted ones."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

SIZE, COUNT = 32, 4
CLIPS = (
    ("mp4", "libx264", "yuv420p"),
    ("mov", "png", "rgba"),
    ("mkv", "ffv1", "bgra"),
    ("webm", "libvpx-vp9", "yuva420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("ts", "mpeg2video", "yuv420p"),
    ("y4m", "wrapped_avframe", "yuv420p"),
)


@cache
def videos() -> list[bytes]:
    return [_clip(*each) for each in CLIPS]


def vast_frames() -> list[bytes]:
    """WebM whose first frame says that it is 65536 x 65536: the picture, or the alpha beside it."""
    webm = videos()[3]
    head = bytes.fromhex("82498342")
    small, vast = head + bytes.fromhex("0001f001f6"), head + bytes.fromhex("0ffffffff6")
    before, colour, alpha = webm.split(small)
    return [before + vast + colour + small + alpha, before + small + colour + vast + alpha]


def bad_videos() -> list[bytes]:
    """Playlists and patterns that lead to other files, headers alone, boxes without an end, vast frames."""
    mp4 = videos()[0]
    return [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x01ftyp" + b"\xff" * 16 + mp4,
        mp4[:32] + b"\0\0\0\x08moov" * 10_000,
        b"\0\0\0\x10moov\0\0\0\x08trak" * 500,
        b"\x1a\x45\xdf\xa3" + b"\xff" * 100,
        b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl",
        b"YUV4MPEG2 W999999 H999999 F30:1 C420jpeg\nFRAME\n" + bytes(100),
        b"YUV4MPEG2 W0 H0 F0:0\nFRAME\n",
        b"",
        bytes(1000),
        *vast_frames(),
    ]


def _clip(extension: str, codec: str, pixel_format: str) -> bytes:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"clip.{extension}")
        container_format = {"mkv": "matroska", "ts": "mpegts", "y4m": "yuv4mpegpipe"}.get(extension, extension)
        with av.open(str(path), "w", format=container_format) as container:
            stream = container.add_stream(codec, rate=Fraction(25))
            stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, pixel_format
            for index in range(COUNT):
                rgba = np.stack([x * 7, y * 7, (x + y + index * 20) % 256, (x > 16) * 255], axis=-1).astype(np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format=pixel_format)):
                    container.mux(packet)
            for packet in stream.encode(None):
                container.mux(packet)
        return path.read_bytes()
