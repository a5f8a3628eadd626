"""What a library does not take is handled, or said by us before the work begins."""

from __future__ import annotations

import av
import numpy as np
import pytest
from clips import HEIGHT, WIDTH, ffmpeg, picture, write_clip
from PIL import Image

from harmonizer.video import CodecName
from harmonizer.video.coding.codecs import output_format
from harmonizer.video.coding.colour import find_obstacle
from harmonizer.video.coding.reader import Reader

CLIP = ("-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r=25:d=0.2")


def film(folder, width, height):
    """Frames of a size, and their mask as a picture."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(60, 200, (height, width, 3), dtype=np.uint8) for _ in range(4)]
    mask = np.zeros((height, width), np.uint8)
    mask[: (height + 1) // 2] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    return write_clip(folder / "clip.mov", frames, codec="png", pixel_format="rgb24"), folder / "mask.png"


@pytest.mark.parametrize("codec", CodecName)
@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (17, 31), (16, 16)])
def test_odd_sizes_in_every_codec(tmp_path, run, codec, size):
    clip, mask = film(tmp_path, *size)
    code, _, err = run(clip, mask, "-o", tmp_path / "out.mkv", "--codec", codec)
    assert code == 0
    is_odd = bool(size[0] % 2 or size[1] % 2) and codec in ("h264", "h265")
    assert err.count("\n") == is_odd
    assert ("is odd" in err) == is_odd
    with av.open(str(tmp_path / "out.mkv")) as file:
        frames = list(file.decode(video=0))
    assert len(frames) == 4
    assert (frames[0].width, frames[0].height) == size


@pytest.mark.parametrize("codec", CodecName)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 5), (5, 1), (15, 15), (8, 64)])
def test_tiny_pictures_are_taken_or_refused_in_one_line(tmp_path, run, codec, size):
    clip, mask = film(tmp_path, *size)
    code, _, err = run(clip, mask, "-o", tmp_path / "out.mkv", "--codec", codec)
    if codec == "h265":
        assert code == 2
        assert err.startswith(f"error: {size[0]} x {size[1]} pixels are too small for h265")
        assert not (tmp_path / "out.mkv").exists()
    elif code == 2:  # what noise takes in a frame of few pixels
        assert codec == "ffv1"
    else:
        assert len(list(av.open(str(tmp_path / "out.mkv")).decode(video=0))) == 4
    assert "Traceback" not in err


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("bits", ["", "10le"])
def test_format_of_odd_sizes_halves_no_odd_number(codec, bits):
    names = [output_format(CodecName(codec), f"yuv420p{bits}", size) for size in ((48, 64), (47, 64), (48, 63))[:1]]
    assert names == [f"yuv420p{bits}"]
    for size, expected in (((47, 64), "yuv422p"), ((48, 63), "yuv444p"), ((47, 63), "yuv444p")):
        with pytest.warns(UserWarning, match="is odd"):
            assert output_format(CodecName(codec), f"yuv420p{bits}", size) == expected + bits
    assert output_format(CodecName(codec), f"yuv444p{bits}", (47, 63)) == f"yuv444p{bits}"


@pytest.mark.parametrize(("number", "name"), [(8, "YCgCo"), (10, "BT.2020 with constant luminance"), (14, "ICtCp"),
                                              (11, "number 11"), (12, "number 12"), (13, "number 13")])  # fmt: skip
def test_matrices_that_cannot_be_converted_are_named(tmp_path, run, still, number, name):
    matrix = f"h264_metadata=matrix_coefficients={number}"
    ffmpeg(tmp_path, *CLIP, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bsf:v", matrix, "clip.mkv")
    for arguments in (("clip.mkv", "mask.png"), ("ordinary.mkv", "clip.mkv"), ("clip.mkv", "mask.png", "--background")):
        if "--background" in arguments:
            arguments = ("ordinary.mkv", "mask.png", "--background", "clip.mkv")
        ffmpeg(tmp_path, *CLIP, "-c:v", "libx264", "-pix_fmt", "yuv420p", "ordinary.mkv")
        paths = [tmp_path / each if "." in each else each for each in arguments]
        code, _, err = run(*paths, "-o", tmp_path / "out.mkv")
        assert code == 2
        assert err.count("\n") == 1
        assert f"has the colour matrix {name}" in err


@pytest.mark.parametrize("matrix", ["fcc", "smpte240m", "bt470bg", "smpte170m", "bt709", "bt2020nc"])
@pytest.mark.parametrize("coded_range", ["tv", "pc"])
def test_matrices_and_ranges_that_can_be_converted(tmp_path, run, still, matrix, coded_range):
    tags = ("-colorspace", matrix, "-color_range", coded_range)
    ffmpeg(tmp_path, *CLIP, "-c:v", "libx264", "-pix_fmt", "yuv420p", *tags, "clip.mkv")
    assert run(tmp_path / "clip.mkv", still, "-o", tmp_path / "out.mkv")[::2] == (0, "")
    with Reader(tmp_path / "clip.mkv") as before, Reader(tmp_path / "out.mkv") as after:
        assert (after.info.colour.matrix, after.info.colour.full_range) == (
            before.info.colour.matrix,
            before.info.colour.full_range,
        )
        old, new = next(iter(before)).pixels, next(iter(after)).pixels
    assert np.median(np.abs(old[42:].astype(int) - new[42:])) <= 3  # x264 blurs edges


LAYOUTS = ["yuv410p", "yuv411p", "yuv440p", "yuv422p", "yuv444p", "gray", "gray10le", "gbrp9le", "yuv444p16le", "bgr0",
           "gbrpf32le", "rgb48le", "yuv420p14le"]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_a_source(tmp_path, run, still, layout):
    ffmpeg(tmp_path, *CLIP, "-c:v", "ffv1", "-strict", "-2", "-pix_fmt", layout, "clip.mkv")
    code, _, err = run(tmp_path / "clip.mkv", still, "-o", tmp_path / "out.mkv")
    assert (code, err) == (0, "")
    with Reader(tmp_path / "clip.mkv") as before, Reader(tmp_path / "out.mkv") as after:
        old, new = (
            next(iter(video)).pixels / np.iinfo(next(iter(video)).pixels.dtype).max for video in (before, after)
        )
    assert np.abs(old[42:] - new[42:]).mean() < 0.05


def test_float_grey_with_alpha_is_refused_before_the_converter_ends_the_process():
    assert find_obstacle(av.VideoFrame(WIDTH, HEIGHT, "yaf32le")) == "the pixel format yaf32le"
    assert find_obstacle(av.VideoFrame.from_ndarray(picture(), format="rgb24")) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [("yuv420p", "yuv420p"), ("yuv422p", "yuv422p"), ("yuv444p", "yuv444p"), ("yuv411p", "yuv422p"),
     ("yuv410p", "yuv420p"), ("yuv440p", "yuv444p"), ("gray", "yuv420p"), ("rgb24", "yuv420p")],
)  # fmt: skip
@pytest.mark.parametrize("codec", ["h264", "h265", "ffv1", "vp9"])
def test_chroma_of_a_source(codec, source, expected):
    assert output_format(CodecName(codec), source, (48, 64)) == expected
