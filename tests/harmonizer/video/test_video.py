"""From file to file, as the command does it."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from clips import (
    COUNT,
    HEIGHT,
    RATE,
    STEADY,
    TIME_BASE,
    UNEVEN,
    WIDTH,
    decode,
    mask,
    picture,
    sound_packets,
    write_clip,
    write_masks,
)

from harmonizer import Harmonizer, Renderer
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture
from harmonizer.video import CodecName, grading, pipeline
from harmonizer.video.coding.reader import Reader
from harmonizer.video.smoothing import ema, one_euro
from whitebox_filters import Cascade


def read(path):
    with Reader(path) as video:
        return video.info, list(video)


def lossless(files, name="out.mkv"):
    return ("-o", files / name, "--codec", "ffv1")


def test_frames_are_what_the_library_makes_of_them(files, run, checkpoint):
    code, out, err = run(files / "clip.mp4", files / "mask.mkv", *lossless(files), "--alpha", 1)
    assert (code, err) == (0, "")
    assert f"{files / 'out.mkv'}: {COUNT} frames in" in out
    harmonizer = Harmonizer.load(checkpoint)
    _, before = read(files / "clip.mp4")
    _, after = read(files / "out.mkv")
    assert len(after) == COUNT
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        alpha = mask(index) / np.float32(255)
        expected = harmonizer.harmonize(old.pixels, alpha).image.astype(int)
        # 4:2:0 mixes the colours of neighbours, which differ across the mask's edge.
        inside = alpha[10:34, 16 + index : 32 + index].astype(bool)
        region = (slice(10, 34), slice(16 + index, 32 + index))
        assert np.abs(new.pixels[region] - expected[region])[inside].mean() < 2
        assert np.abs(new.pixels[region].astype(int) - old.pixels[region])[inside].mean() > 5
        assert np.abs(new.pixels[40:].astype(int) - old.pixels[40:]).max() <= 4


@pytest.mark.parametrize(("pixel_format", "matrix", "full"), [("yuv420p", 1, False), ("yuv420p10le", 6, True)])
def test_background_and_coding_stay(files, run, pixel_format, matrix, full):
    clip = write_clip(files / "in.mkv", map(picture, range(3)), pixel_format=pixel_format, matrix=matrix, full=full)
    write_masks(files / "three.mkv", 3)
    assert run(clip, files / "three.mkv", *lossless(files))[0] == 0
    info, _ = read(files / "out.mkv")
    for old, new in zip(decode(clip)[1], decode(files / "out.mkv")[1], strict=True):
        assert new.format.name == pixel_format
        for tag in ("colorspace", "color_range", "color_primaries", "color_trc"):
            assert getattr(new, tag) == getattr(old, tag)
        before, after = (frame.to_ndarray()[40:HEIGHT].astype(int) for frame in (old, new))  # luma below the mask
        assert np.abs(after - before).max() <= (1 if info.bits == 8 else 2)


def test_default_is_h264(files, run):
    assert run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4")[0] == 0
    stream, frames = decode(files / "out.mp4")
    assert stream.codec_context.name == "h264"
    assert (frames[0].colorspace, frames[0].color_range) == (1, 1)


def test_uneven_times_and_sound_stay(files, run):
    clip = write_clip(
        files / "uneven.mp4",
        map(picture, range(COUNT)),
        codec="libx264",
        pixel_format="yuv420p",
        times=UNEVEN,
        sound="aac",
    )
    assert run(clip, files / "mask.mkv", "-o", files / "out.mp4")[0] == 0
    stream, frames = decode(files / "out.mp4")
    assert [frame.pts * stream.time_base / TIME_BASE for frame in frames] == list(UNEVEN)
    old, new = decode(clip)[0], stream
    assert abs(old.duration * old.time_base - new.duration * new.time_base) < Fraction(1, 60)
    assert len(sound_packets(clip)) > 10
    assert sound_packets(files / "out.mp4") == sound_packets(clip)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_frames_of_one_time_follow_one_another(files, run, codec):
    """MP4 holds no two frames of one time; other containers and phones do."""
    times = [0, 3000, 3000, 9000, 9000, 9000, *range(18000, 36000, 3000)]
    clip = write_clip(files / "twice.mkv", map(picture, range(COUNT)), times=times)
    assert run(clip, files / "mask.mkv", "-o", files / "out.mp4", "--codec", codec)[::2] == (0, "")
    before, after = ([round(1000 * frame.time) for frame in decode(path)[1]] for path in (clip, files / "out.mp4"))
    assert before[3:6] == [100] * 3
    assert after == [0, 33, 34, 100, 101, 102, *before[6:]]


def test_a_clock_that_does_not_begin_at_0(files, run):
    """As in transport streams; picture and sound move to 0 together."""
    clip = write_clip(
        files / "clip.ts",
        map(picture, range(COUNT)),
        codec="libx264",
        pixel_format="yuv420p",
        times=[180000 + time for time in STEADY],
        sound="mp2",
    )
    assert run(clip, files / "mask.mkv", "-o", files / "out.mkv")[0] == 0
    before = [decode(clip)[1][0].time, sound_packets(clip)[0][0]]
    after = [decode(files / "out.mkv")[1][0].time, sound_packets(files / "out.mkv")[0][0]]
    assert before[0] >= 2
    assert after[0] < 0.1
    assert abs((before[0] - before[1]) - (after[0] - after[1])) < 0.002


def test_turned_clip_with_upright_mask(files, run):
    def turn(stream):
        stream.set_display_rotation(-90)
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    clip = write_clip(
        files / "phone.mp4",
        map(picture, range(3)),
        codec="libx264",
        pixel_format="yuv420p",
        options={"crf": "4"},
        turn=turn,
    )
    for index in range(3):
        io.write_image(files / f"{index}.png", Picture(np.rot90(mask(index), -1)[..., None].repeat(3, axis=2)))
    (files / "masks").mkdir()
    for index in range(3):
        (files / f"{index}.png").rename(files / "masks" / f"{index}.png")
    assert run(clip, files / "masks", "-o", files / "out.mp4", "--quality", 4)[0] == 0
    info, frames = read(files / "out.mp4")
    assert info.size == (WIDTH, HEIGHT)
    assert info.sample_aspect == Fraction(3, 4)
    assert decode(files / "out.mp4")[1][0].rotation == 0
    for index, frame in enumerate(frames):
        outside = np.rot90(mask(index), -1) == 0
        difference = np.abs(frame.pixels.astype(int) - np.rot90(picture(index), -1)).max(axis=2)
        assert np.percentile(difference[outside], 90) <= 6
        assert np.percentile(difference[~outside], 50) > 6


@pytest.mark.parametrize("explicit", [False, True])
def test_alpha_over_a_background(files, run, explicit):
    """The mask is the foreground's alpha, left out or named."""
    foreground = write_clip(
        files / "cut.mov", [np.dstack([picture(i), mask(i)]) for i in range(3)], codec="png", pixel_format="rgba"
    )
    io.write_image(files / "back.png", Picture(np.full((HEIGHT, WIDTH, 3), (200, 60, 20), np.uint8)))
    masks = [foreground] if explicit else []
    assert run(foreground, *masks, "--background", files / "back.png", *lossless(files))[0] == 0
    _, frames = read(files / "out.mkv")
    for frame in frames:
        assert np.abs(frame.pixels[42:] - np.array([200, 60, 20])).max() <= 4
        assert np.abs(frame.pixels[20, 24].astype(int) - [200, 60, 20]).max() > 20


def test_no_mask_at_all(files, run):
    code, _, err = run(files / "clip.mp4", *lossless(files))
    assert code == 2
    assert "no alpha channel" in err


def test_theta_is_smoothed_and_begins_anew_at_a_cut(checkpoint):
    predictor = Harmonizer.load(checkpoint).predictor
    dark, light = (np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in (20, 220))
    shots = [dark] * 4 + [light] * 3
    frames = [
        pipeline.Frame(i, i, 1, i / 30, np.where(mask(0)[..., None] > 0, picture(i), shot), mask(0) / np.float32(255))
        for i, shot in enumerate(shots)
    ]
    graded = list(grading.predict(frames, predictor, partial(ema, alpha=0.6)))
    assert [item.shot_change for item in graded] == [False] * 4 + [True] + [False] * 2
    expected = graded[0].raw
    for item in graded:
        expected = item.raw if item.shot_change or item.frame.index == 0 else 0.6 * item.raw + 0.4 * expected
        np.testing.assert_allclose(item.theta, expected)


def test_frames_without_foreground_keep_theta(checkpoint):
    predictor = Harmonizer.load(checkpoint).predictor
    alphas = [np.zeros((HEIGHT, WIDTH), np.float32) if i in (0, 2) else mask(0) / np.float32(255) for i in range(4)]
    frames = [pipeline.Frame(i, i, 1, i / 30, picture(i), alpha) for i, alpha in enumerate(alphas)]
    graded = list(grading.predict(frames, predictor, partial(ema, alpha=0.6)))
    assert [item.raw is None for item in graded] == [True, False, True, False]
    assert not graded[0].theta.any()
    np.testing.assert_array_equal(graded[2].theta, graded[1].theta)
    out = list(pipeline.filter_frames(graded, Harmonizer.load(checkpoint)))
    np.testing.assert_array_equal(out[2].frame.pixels, picture(2))


@pytest.mark.parametrize("region", ["frame", "mask"])
def test_each_frame_is_filtered_with_its_own_theta_and_mask(region):
    cascade, thetas = Cascade(statistics=region), (np.full(6, 0.3), np.full(6, -0.2))
    frames = [pipeline.Frame(i, i, 1, i / 30, picture(i), mask(i) / np.float32(255)) for i in range(2)]
    whole = [cascade(frame.pixels, theta, frame.alpha) for frame, theta in zip(frames, thetas, strict=True)]
    filtered = pipeline.filter_frames(map(pipeline.Graded, frames, thetas), Renderer(cascade))
    for expected, item in zip(whole, filtered, strict=True):
        assert np.abs(item.frame.pixels.astype(int) - expected).max() <= 1


def test_timeline_out_and_in(files, run, monkeypatch):
    first, second, edited = (lossless(files, name) for name in ("first.mkv", "second.mkv", "edited.mkv"))
    theta = files / "theta.jsonl"
    assert run(files / "clip.mp4", files / "mask.mkv", *first, "--theta-out", theta)[0] == 0
    monkeypatch.setattr("harmonizer.pipeline.Predictor.load", lambda path: pytest.fail("the network was opened"))
    assert run(files / "clip.mp4", files / "mask.mkv", *second, "--theta-in", theta, weights=None)[0] == 0
    for old, new in zip(read(files / "first.mkv")[1], read(files / "second.mkv")[1], strict=True):
        np.testing.assert_array_equal(new.pixels, old.pixels)
    header, *lines = map(json.loads, theta.read_text().splitlines())
    assert header["smoothing"] == "One Euro"
    for line in lines[6:]:
        line["theta"] = [0.0] * 6
    theta.write_text("\n".join(map(json.dumps, [header, *lines])))
    assert run(files / "clip.mp4", files / "mask.mkv", *edited, "--theta-in", theta, weights=None)[0] == 0
    before, after = read(files / "clip.mp4")[1], read(files / "edited.mkv")[1]
    changes = [np.abs(new.pixels.astype(int) - old.pixels).mean() for old, new in zip(before, after, strict=True)]
    assert max(changes[6:]) < 1 < min(changes[:6])


@pytest.mark.parametrize("codec", CodecName)
def test_codecs(files, run, codec):
    code, _, err = run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mov", "--codec", codec)
    if codec in ("vp9", "ffv1"):
        assert code == 2
        assert "out.mov cannot hold this" in err
        code, _, err = run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mkv", "--codec", codec)
        files.joinpath("out.mkv").rename(files / "out.mov")
    assert (code, err) == (0, "")
    assert len(read(files / "out.mov")[1]) == COUNT


def test_quality(files, run):
    sizes = []
    silent = write_clip(files / "silent.mp4", map(picture, range(COUNT)), codec="libx264", pixel_format="yuv420p")
    for quality in (5, 45):
        options = ("-o", files / "out.mp4", "--quality", quality)
        assert run(silent, files / "mask.mkv", *options)[0] == 0
        sizes.append((files / "out.mp4").stat().st_size)
    assert sizes[0] > 1.3 * sizes[1]


def test_ten_bits_need_a_codec_that_takes_them(files, run):
    clip = write_clip(files / "deep.mkv", map(picture, range(COUNT)), pixel_format="yuv420p10le")
    code, _, err = run(clip, files / "mask.mkv", "-o", files / "out.mkv", "--codec", "vp9")
    assert code == 2
    assert "10 bits, which vp9 does not take here; choose --codec h264 or h265" in err
    assert run(clip, files / "mask.mkv", "-o", files / "out.mp4")[0] == 0
    assert decode(files / "out.mp4")[1][0].format.name == "yuv420p10le"


@pytest.mark.parametrize(("options", "smooth"), [((), one_euro), (("--alpha", 0.3), partial(ema, alpha=0.3))])
def test_smoothing_is_one_euro_or_the_average(files, run, checkpoint, options, smooth):
    assert (
        run(files / "clip.mp4", files / "mask.mkv", *lossless(files), "--theta-out", files / "t.jsonl", *options)[0]
        == 0
    )
    lines = [json.loads(line) for line in (files / "t.jsonl").read_text().splitlines()[1:]]
    state = None
    for line in lines:
        state = smooth(state, np.array(line["theta_raw"]), 1 / 30)
        np.testing.assert_allclose(line["theta"], state.theta, atol=1e-6)


def test_masks_without_any_foreground_give_a_warning(files, run):
    write_clip(files / "empty.mkv", [np.zeros((HEIGHT, WIDTH), np.uint8)] * COUNT, pixel_format="gray")
    code, _, err = run(files / "clip.mp4", files / "empty.mkv", *lossless(files))
    assert code == 0
    assert err == "warning: the mask is empty in all frames: there is no foreground to harmonize\n"


def test_frames_of_one_time_do_no_harm(checkpoint):
    frames = [pipeline.Frame(i, 0, 0, 0.0, picture(i), mask(i) / np.float32(255)) for i in range(3)]
    graded = list(grading.predict(frames, Harmonizer.load(checkpoint).predictor, one_euro))
    assert np.isfinite(graded[2].theta).all()


def test_sound_keeps_its_rate(files, run):
    assert run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4")[0] == 0
    with Reader(files / "out.mp4") as video:
        assert video._container.streams.audio[0].rate == RATE
