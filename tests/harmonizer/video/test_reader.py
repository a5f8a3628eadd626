"""What a file holds arrives upright, in RGB, with its depth and times."""

from __future__ import annotations

from itertools import product

import av
import numpy as np
import pytest
from clips import COUNT, HEIGHT, UNEVEN, WIDTH, mask, picture, to_yuv, write_clip, write_masks

from harmonizer.errors import VideoError
from harmonizer.pictures.picture import convert_depth
from harmonizer.video.coding.colour import BT601, BT709, Converter, read_colour
from harmonizer.video.coding.reader import Reader
from harmonizer.video.frames import Colour

ONE = 1 << 16


def read(path):
    with Reader(path) as video:
        return video.info, list(video)


@pytest.mark.parametrize(("matrix", "full"), list(product((1, 6, 9), (False, True))))
def test_matrix_and_range(tmp_path, matrix, full):
    planes = to_yuv(picture() / 255, matrix, full=full)
    path = write_clip(tmp_path / "clip.mkv", [planes], matrix=matrix, full=full)
    info, (frame,) = read(path)
    assert (info.colour.matrix, info.colour.full_range) == (matrix, full)
    assert np.abs(frame.pixels.astype(int) - picture()).max() <= 2


def test_ten_bits(tmp_path):
    fine = np.linspace(0.2, 0.4, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1).repeat(3, axis=2)
    planes = to_yuv(fine, 1, full=False, bits=10)
    path = write_clip(tmp_path / "clip.mkv", [planes], pixel_format="yuv420p10le")
    info, (frame,) = read(path)
    assert info.bits == 10
    assert frame.pixels.dtype == np.uint16
    assert np.abs(frame.pixels / 65535 - fine).max() < 0.004 + 0.5 / 876  # FFmpeg's white is 255/256 of 16 bits
    assert len(np.unique(frame.pixels)) > 150


def test_untagged_is_taken_as_players_take_it():
    assert read_colour(av.VideoFrame(720, 576, "yuv420p")).matrix == BT601
    assert read_colour(av.VideoFrame(1280, 720, "yuv420p")).matrix == BT709
    assert read_colour(av.VideoFrame(1280, 544, "yuv420p")).matrix == BT709


@pytest.mark.parametrize(
    ("a", "b", "c", "d"),
    [(s, 0, 0, t) for s in (1, -1) for t in (1, -1)] + [(0, s, t, 0) for s in (1, -1) for t in (1, -1)],
)
def test_display_matrix(tmp_path, a, b, c, d):
    def turn(stream):
        stream.set_display_matrix([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30])

    path = write_clip(tmp_path / "clip.mp4", [picture()] * 2, codec="libx264", options={"qp": "0"}, turn=turn)
    info, (frame, _) = read(path)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shown_x, shown_y = a * x + c * y, b * x + d * y  # as FFmpeg's display.h defines the matrix
    shown_x, shown_y = shown_x - shown_x.min(), shown_y - shown_y.min()
    expected = np.empty((shown_y.max() + 1, shown_x.max() + 1, 3), int)
    expected[shown_y, shown_x] = picture()
    assert info.size == frame.pixels.shape[:2] == expected.shape[:2]
    assert np.abs(frame.pixels - expected).max() <= 3


def test_a_quarter_turn_is_counterclockwise(tmp_path):
    path = write_clip(
        tmp_path / "clip.mp4",
        [picture()],
        codec="libx264",
        options={"qp": "0"},
        turn=lambda s: s.set_display_rotation(90),
    )
    _, (frame,) = read(path)
    assert np.abs(frame.pixels.astype(int) - np.rot90(picture())).max() <= 3


def test_slanted_matrix_is_refused(tmp_path):
    path = write_clip(
        tmp_path / "clip.mp4", [picture()], codec="libx264", turn=lambda stream: stream.set_display_rotation(30)
    )
    with pytest.raises(VideoError, match="quarter turns"):
        Reader(path)


def test_variable_frame_rate(tmp_path):
    path = write_clip(
        tmp_path / "clip.mp4", map(picture, range(COUNT)), codec="libx264", pixel_format="yuv420p", times=UNEVEN
    )
    info, frames = read(path)
    assert [frame.pts * info.time_base * 90000 for frame in frames] == list(UNEVEN)
    assert [round(frame.time * 90000) for frame in frames] == list(UNEVEN)
    assert info.frames == COUNT


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("a.mov", "prores_ks", "yuva444p10le"), ("a.webm", "libvpx-vp9", "yuva420p"), ("a.mov", "png", "rgba")],
)
def test_alpha(tmp_path, name, codec, pixel_format):
    frames = [np.dstack([picture(i), mask(i)]) for i in range(COUNT)]
    options = {"profile": "4"} if codec == "prores_ks" else {"crf": "4"} if codec == "libvpx-vp9" else {}
    path = write_clip(tmp_path / name, frames, codec=codec, pixel_format=pixel_format, options=options)
    info, found = read(path)
    assert info.has_alpha
    assert len(found) == COUNT
    for index, frame in enumerate(found):
        assert frame.alpha.dtype == (np.float32 if info.bits > 8 else np.uint8)
        assert np.mean(np.abs(convert_depth(frame.alpha, np.float32) - mask(index) / 255)) < 0.01
        assert np.mean(np.abs(frame.pixels / np.iinfo(frame.pixels.dtype).max - picture(index) / 255)) < 0.03
    with Reader(path) as video:
        assert all((alpha == frame.alpha).all() for alpha, frame in zip(video.opacities(), found, strict=True))


@pytest.mark.parametrize("full", [False, True])
def test_grey_is_opacity_in_any_range(tmp_path, full):
    levels = np.full((3, HEIGHT, WIDTH), 128, np.uint8)
    black, white = (0, 255) if full else (16, 235)
    levels[0] = np.where(mask() > 0, white, black)
    path = write_clip(tmp_path / "mask.mkv", [levels], full=full)
    with Reader(path) as video:
        (alpha,) = video.opacities()
    np.testing.assert_array_equal(alpha, mask())


@pytest.mark.parametrize("pixel_format", ["yuv420p", "gray", "nv12", "yuyv422", "rgb24", "gray10le", "yuv444p10le"])
def test_every_layout_gives_its_grey(pixel_format):
    """Luma is taken as it lies where it lies apart, which must be what FFmpeg's converter makes of it."""
    ramp = np.linspace(0, 255, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint8)
    grey = av.VideoFrame.from_ndarray(np.dstack([ramp] * 3), format="rgb24")
    frame = grey.reformat(format=pixel_format, dst_colorspace=1, dst_color_range=1)
    found = Converter(Colour(BT709, False, 1, 1)).to_grey(frame)
    assert found.dtype == (np.uint16 if "10" in pixel_format else np.uint8)
    assert np.abs(convert_depth(found, np.uint8).astype(int) - ramp).max() <= 2


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_cut_off(tmp_path, name):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(40)]
    whole = write_clip(
        tmp_path / f"whole_{name}",
        noise,
        codec="libx264",
        pixel_format="yuv420p",
        times=range(0, 40 * 3000, 3000),
        container_options={"movflags": "faststart"} if name.endswith("mp4") else None,
    )
    assert len(read(whole)[1]) == 40
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"cut off"):
        read(cut)


def test_mp4_without_its_index(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", [picture()] * 5, codec="libx264")
    data = whole.read_bytes()
    (tmp_path / "clip.mp4").write_bytes(data[: data.index(b"moov") - 4])
    (tmp_path / "strange.mp4").write_bytes(data.replace(b"avc1", b"zzz1"))
    with pytest.raises(VideoError, match="cannot be read as video"):
        Reader(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match="codec"):
        Reader(tmp_path / "strange.mp4")


def test_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with av.open(str(tmp_path / "sound.mka"), "w", format="matroska") as output:
        stream = output.add_stream("pcm_s16le", 44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 512), np.int16), layout="mono")
        frame.sample_rate = 44100
        output.mux([*stream.encode(frame), *stream.encode(None)])
    for name, message in [("none.mp4", "there is no file"), ("text.mp4", "cannot be read"), ("sound.mka", "no video")]:
        with pytest.raises(VideoError, match=message):
            Reader(tmp_path / name)


def test_metadata_of_another_encoding_do_no_harm(tmp_path):
    path = write_masks(tmp_path / "clip.mkv", title="Mask")
    path.write_bytes(path.read_bytes().replace(b"Mask", b"M\xe4sk"))
    assert len(read(path)[1]) == COUNT
