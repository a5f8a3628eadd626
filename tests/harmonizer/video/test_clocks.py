"""Frames come at the times of display, and what an edit list hides stays hidden; picture and sound stay together."""

from __future__ import annotations

import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import HEIGHT, WIDTH, ffmpeg

from harmonizer.video.coding.reader import Reader

SIZE = f"{WIDTH}x{HEIGHT}"
RAMP = f"color=black:s={SIZE}:r=25:d=0.48,format=gray,geq=lum='20+18*N'"
H264 = ("-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", "-qp", "1")


def decoded(path):
    with Reader(path) as video:
        return [(frame.time, int(frame.pixels[2, 2, 1])) for frame in video]


@pytest.mark.parametrize(
    "codec",
    [
        H264,
        ("-c:v", "libx265", "-x265-params", "log-level=error:bframes=3", "-pix_fmt", "yuv420p", "-crf", "4"),
        ("-c:v", "mpeg4", "-bf", "2", "-q:v", "2"),
        ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "2"),
        ("-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", "-qp", "1"),
        ("-c:v", "mjpeg", "-q:v", "2"),
    ],
    ids=["h264", "h265", "mpeg4", "mpeg2", "h264 without B-frames", "mjpeg"],
)
@pytest.mark.parametrize("copied", [None, "mov", "mkv", "mp4"])
def test_times_of_avi_are_those_of_display(tmp_path, codec, copied):
    """AVI holds decoding times, and copies into other containers hold them on."""
    through = "mp4" if "lib" in codec[1] else "avi"
    ffmpeg(tmp_path, "-f", "lavfi", "-i", RAMP, *codec, f"one.{through}")
    ffmpeg(tmp_path, "-i", f"one.{through}", "-c", "copy", "clip.avi")
    clip = tmp_path / "clip.avi"
    if copied:
        try:
            ffmpeg(tmp_path, "-i", "clip.avi", "-c", "copy", f"copy.{copied}")
        except subprocess.CalledProcessError:
            pytest.skip("FFmpeg does not copy this")
        clip = tmp_path / f"copy.{copied}"
    times, levels = zip(*decoded(clip), strict=True)
    assert len(times) == 12
    assert list(levels) == sorted(levels)
    np.testing.assert_allclose(np.diff(times)[:-1], 0.04, atol=0.004)  # FFmpeg writes the last time of an AVI wrong
    assert times[0] <= 0.041 if copied or "0" in codec else times[0] == 0


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.ts", "clip.mpg", "clip.flv"])
def test_times_of_display_are_taken_as_they_are(tmp_path, name):
    codec = ("-c:v", "mpeg2video", "-bf", "2") if name.endswith("mpg") else H264
    ffmpeg(tmp_path, "-f", "lavfi", "-i", RAMP, *codec, name)
    times, levels = zip(*decoded(tmp_path / name), strict=True)
    assert list(levels) == sorted(levels)
    np.testing.assert_allclose(times, np.arange(12) / 25, atol=0.002)


def onsets(path):
    """The times at which the picture turns white, the tone begins and the picture begins, as FFmpeg decodes them."""
    with av.open(str(path)) as container:
        shown = [(float(frame.time), frame.to_ndarray(format="gray")[2, 2]) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        samples, times = [], []
        for frame in container.decode(audio=0):
            values = frame.to_ndarray()[0]
            samples.append(values)
            times.append(float(frame.time) + np.arange(len(values)) / frame.sample_rate)
    loud = np.abs(np.concatenate(samples)) > 0.02
    return next(time for time, level in shown if level > 128), np.concatenate(times)[loud.argmax()], shown[0][0]


@pytest.fixture
def flash(tmp_path):
    """A second of the film from 1.3 s on, cut out without coding anew; at 2 s the picture turns white, and it beeps."""
    ffmpeg(
        tmp_path,
        *("-f", "lavfi", "-i", f"color=black:s={SIZE}:r=25:d=4,drawbox=color=white:t=fill:enable='gte(t,2)'"),
        *("-f", "lavfi", "-i", "sine=d=4:f=900,volume=0:enable='lt(t,2)'"),
        *("-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "long.mp4"),
    )

    def cut(name):
        ffmpeg(tmp_path, "-ss", "1.3", "-i", "long.mp4", "-c", "copy", "-t", "1", name)
        return tmp_path / name

    return cut


@pytest.mark.parametrize("source", ["clip.mp4", "clip.mov"])
@pytest.mark.parametrize("output", ["out.mp4", "out.mov", "out.mkv"])
def test_what_an_edit_list_hides_stays_hidden(tmp_path, run, still, flash, source, output):
    clip = flash(source)
    assert run(clip, still, "-o", tmp_path / output)[::2] == (0, "")
    before, after = onsets(clip), onsets(tmp_path / output)
    np.testing.assert_allclose(after[:2], before[:2], atol=0.03)
    assert abs((after[0] - after[1]) - (before[0] - before[1])) < 0.003
    assert after[2] == pytest.approx(0, abs=0.002)
    with av.open(str(tmp_path / output)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.dts is not None]
        assert packets[0].dts * packets[0].time_base > -0.05


@pytest.mark.parametrize("output", ["out.mp4", "out.mkv"])
def test_priming_of_a_whole_film_moves_nothing(tmp_path, run, still, flash, output):
    flash("clip.mp4")
    ffmpeg(tmp_path, "-i", "long.mp4", "-t", "3", "-c", "copy", "whole.mp4")
    assert run(tmp_path / "whole.mp4", still, "-o", tmp_path / output)[::2] == (0, "")
    np.testing.assert_allclose(onsets(tmp_path / output), onsets(tmp_path / "whole.mp4"), atol=0.003)


def test_sound_that_begins_later_stays_later(tmp_path, run, still):
    ffmpeg(
        tmp_path,
        *("-f", "lavfi", "-i", f"color=black:s={SIZE}:r=25:d=1,drawbox=color=white:t=fill:enable='gte(t,0.6)'"),
        *("-itsoffset", "0.6", "-f", "lavfi", "-i", "sine=d=0.4"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "late.mov"),
    )
    for name in ("out.mp4", "out.mkv"):
        assert run(tmp_path / "late.mov", still, "-o", tmp_path / name)[::2] == (0, "")
        np.testing.assert_allclose(onsets(tmp_path / name), onsets(tmp_path / "late.mov"), atol=0.003)


def test_frame_rate_of_avi_is_that_of_its_frames(tmp_path):
    ffmpeg(tmp_path, "-f", "lavfi", "-i", RAMP, *H264, "one.mp4")
    ffmpeg(tmp_path, "-i", "one.mp4", "-c", "copy", "clip.avi")
    with Reader(tmp_path / "clip.avi") as video:
        assert video.info.rate == Fraction(25)
