"""Harmonized video: decode, predict, smooth, filter and encode frame by frame.

Files need the extra `video` (PyAV); `grading`, which decides theta of frames in memory, does not.
"""

from __future__ import annotations

from enum import StrEnum


class CodecName(StrEnum):
    """The codecs on offer; here, since the command line names them before PyAV is known to be installed."""

    h264 = "h264"
    h265 = "h265"
    vp9 = "vp9"
    prores = "prores"
    ffv1 = "ffv1"
