"""What is written beside the harmonized video: the difference, the mask, LUTs; and arguments that a person sets."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest
from clips import COUNT, HEIGHT, UNEVEN, WIDTH, decode, mask, picture, write_clip, write_masks

import harmonizer
import whitebox_filters as wf
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture, convert_depth
from harmonizer.video.coding.reader import Reader
from harmonizer.video.coding.writer import Writer

ROOT = Path(harmonizer.__file__).parents[1]


def frames(path):
    with Reader(path) as video:
        return [frame.pixels for frame in video]


def opacities(path):
    with Reader(path) as video:
        return [convert_depth(opacity, np.float32) for opacity in video.opacities()]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def before_encoding(monkeypatch):
    """The pictures that each writer gets, by the name of its file."""
    seen: dict[str, list[np.ndarray]] = {}
    write = Writer.write

    def watch(writer, frame, **how):
        seen.setdefault(writer._path.name, []).append(frame.pixels)
        write(writer, frame, **how)

    monkeypatch.setattr(Writer, "write", watch)
    return seen


def test_set_holds_theta_over_the_video(files, run):
    given = (files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4")
    assert run(*given, "--theta-out", files / "free.jsonl")[0] == 0
    assert run(*given, "--theta-out", files / "set.jsonl", "--set", "shadow=0.3", "--set", "contrast=-1")[0] == 0
    header, *free = lines(files / "free.jsonl")
    changed, *held = lines(files / "set.jsonl")
    assert changed == header | {"smoothing": "One Euro; shadow set to 0.3; contrast set to -1"}
    for old, new in zip(free, held, strict=True):
        assert new["theta"] == [old["theta"][0], old["theta"][1], -1.0, *old["theta"][3:5], 0.3]
        assert new | {"theta": None} == old | {"theta": None}


def test_set_edits_a_timeline_without_the_network(files, run, monkeypatch, before_encoding):
    given, free, held = (files / "clip.mp4", files / "mask.mkv"), files / "free.jsonl", files / "held.jsonl"
    assert run(*given, "-o", files / "direct.mp4", "--set", "shadow=0.3")[0] == 0
    assert run(*given, "-o", files / "free.mp4", "--theta-out", free)[0] == 0
    monkeypatch.setattr("harmonizer.pipeline.Predictor.load", lambda path: pytest.fail("the network was opened"))
    options = ("--theta-in", free, "--set", "shadow=0.3", "--theta-out", held)
    assert run(*given, "-o", files / "set.mp4", *options, weights=None)[0] == 0
    assert run(*given, "-o", files / "again.mp4", "--theta-in", held, weights=None)[0] == 0
    for name in ("set.mp4", "again.mp4"):
        np.testing.assert_array_equal(before_encoding[name], before_encoding["direct.mp4"])
    assert (np.array(before_encoding["free.mp4"]) != before_encoding["direct.mp4"]).any()
    assert [line["cut"] for line in lines(held)[1:]] == [line["cut"] for line in lines(free)[1:]]
    assert [line["theta_raw"] for line in lines(held)[1:]] == [None] * COUNT


@pytest.mark.parametrize(("pixel_format", "steps", "tolerance"), [("yuv444p", 1, 4), ("yuv444p10le", 257, 1.2)])
def test_the_difference_gives_after_from_before(files, run, before_encoding, pixel_format, steps, tolerance):
    clip = write_clip(files / "clip.mkv", map(picture, range(3)), pixel_format=pixel_format)
    write_masks(files / "three.mkv", 3)
    options = ("-o", files / "out.mkv", "--delta", files / "delta.mkv", "--codec", "ffv1")
    assert run(clip, files / "three.mkv", *options)[0] == 0
    changes = []
    for index, (old, delta) in enumerate(zip(frames(clip), frames(files / "delta.mkv"), strict=True)):
        assert delta.dtype == old.dtype
        new = before_encoding["out.mkv"][index].astype(float)
        grey = 128 if steps == 1 else 32768
        assert np.abs(delta[mask(index) == 0] / steps - grey / steps).max() <= (0 if steps == 1 else 0.2)
        rebuilt = old + 2 * (delta.astype(float) - grey)
        assert np.abs(rebuilt - new).max() / steps <= tolerance
        changes.append(np.abs(new - old).max() / steps)
    assert min(changes) > 20


def test_the_mask_that_was_used_is_one(files, run, before_encoding):
    soft = [np.where(mask(index) > 0, np.arange(WIDTH) * 4, 0).astype(np.uint8) for index in range(COUNT)]
    write_clip(files / "soft.mkv", soft, pixel_format="gray")
    options = ("--codec", "ffv1", "--mask-out", files / "used.mkv")
    assert run(files / "clip.mp4", files / "soft.mkv", "-o", files / "first.mkv", *options)[0] == 0
    for given, used in zip(opacities(files / "soft.mkv"), opacities(files / "used.mkv"), strict=True):
        assert np.abs(used - given).max() <= 1.01 / 255
        np.testing.assert_array_equal(used == 0, given == 0)
    assert run(files / "clip.mp4", files / "used.mkv", "-o", files / "second.mkv", "--codec", "ffv1")[0] == 0
    first, second = (np.array(before_encoding[name], int) for name in ("first.mkv", "second.mkv"))
    assert np.abs(first - second).max() <= 2


def test_the_mask_of_a_foreground_is_its_alpha(files, run):
    cut = [np.dstack([picture(index), mask(index)]) for index in range(3)]
    foreground = write_clip(files / "cut.mov", cut, codec="png", pixel_format="rgba")
    io.write_image(files / "back.png", Picture(picture(9)))
    options = ("-o", files / "out.mkv", "--codec", "ffv1", "--mask-out", files / "used.mkv")
    assert run(foreground, "--background", files / "back.png", *options)[0] == 0
    np.testing.assert_array_equal(opacities(files / "used.mkv"), [mask(index) / np.float32(255) for index in range(3)])


def test_delta_and_mask_have_the_times_and_no_sound(files, run):
    clip = write_clip(
        files / "uneven.mp4",
        map(picture, range(COUNT)),
        codec="libx264",
        pixel_format="yuv420p",
        times=UNEVEN,
        sound="aac",
    )
    names = ("out.mp4", "delta.mp4", "mask.mp4")
    options = ("-o", files / names[0], "--delta", files / names[1], "--mask-out", files / names[2])
    assert run(clip, files / "mask.mkv", *options)[0] == 0
    for name in names:
        assert [frame.time for frame in decode(files / name)[1]] == [frame.time for frame in decode(clip)[1]]
        with av.open(str(files / name)) as container:
            assert len(container.streams.audio) == (name == "out.mp4")


def through_ffmpeg(image, path):
    """An 8-bit RGB image through FFmpeg's lut3d, as `ffmpeg -i IMAGE -vf lut3d=FILE` does it."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=image.shape[1], height=image.shape[0], format="rgb24", time_base="1/25")
    lut3d, sink = graph.add("lut3d", f"file={path}"), graph.add("buffersink")
    source.link_to(lut3d)
    lut3d.link_to(sink)
    graph.configure()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    frame.pts = 0
    source.push(frame)
    return sink.pull().to_ndarray(format="rgb24")


def test_the_lut_in_ffmpeg_is_our_frames_in_constant_light(files, run, before_encoding):
    photograph = io.read_image(ROOT / "demo/composite.jpg").pixels
    clip = write_clip(files / "still.mkv", [photograph] * 3, pixel_format="yuv444p")
    options = ("-o", files / "out.mkv", "--codec", "ffv1", "--lut", files / "grade.cube")
    code, out, err = run(clip, ROOT / "demo/mask.png", *options, weights=None)
    assert (code, err, out.count("\n")) == (0, "", 1)
    inside = io.read_mask(ROOT / "demo/mask.png", photograph.shape[:2]) == 1
    for before, after in zip(frames(clip), before_encoding["out.mkv"], strict=True):
        graded = through_ffmpeg(before, files / "grade.cube")
        apart = np.abs(graded[inside].astype(int) - after[inside]).max(axis=1)
        assert (apart <= 1).mean() >= 0.999
        assert (before[inside] != after[inside]).mean() > 0.5
    assert (files / "grade.cube").read_text().startswith('TITLE "harmonizer: shot 1, from 00:00:00.000, frame 0"\n')


def shots(files):
    """Two shots, 5 dark frames and 4 light ones, and a timeline in which only one of the latter has a foreground."""
    levels = [20] * 5 + [200] * 4
    clip = write_clip(files / "shots.mkv", [np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels])
    masks = [mask(index) if index not in (5, 6, 8) else np.zeros((HEIGHT, WIDTH), np.uint8) for index in range(9)]
    write_clip(files / "masks.mkv", masks, pixel_format="gray")
    brightness = [0.1, 0.2, 0.2, 0.3, 0.9, 0.5, 0.5, -0.4, 0.5]
    header = {
        "format": "harmonizer timeline", "version": 1, "registry_version": 1, "filters": ["contrast", "brightness"]
    }  # fmt: skip
    timeline = [{"frame": i, "cut": i == 5, "theta": [0.5, theta]} for i, theta in enumerate(brightness)]
    (files / "theta.jsonl").write_text("\n".join(map(json.dumps, [header, *timeline])))
    return clip, files / "masks.mkv", "--theta-in", files / "theta.jsonl"


def test_one_lut_a_shot_of_its_medians(files, run):
    given = shots(files)
    options = ("-o", files / "out.mkv", "--codec", "ffv1", "--lut", files / "grade.cube")
    code, out, err = run(*given, *options, weights=None)
    assert (code, err) == (0, "")
    assert out.endswith(f"{files / 'grade_001.cube'} to grade_002.cube: a LUT for each of 2 shots\n")
    assert sorted(file.name for file in files.glob("*.cube")) == ["grade_001.cube", "grade_002.cube"]
    cascade = wf.Cascade(["contrast", "brightness"])
    for name, theta, level, title in [
        ("grade_001.cube", [0.5, 0.2], 20 / 255, "shot 1, from 00:00:00.000, frame 0"),
        ("grade_002.cube", [0.5, -0.4], 200 / 255, "shot 2, from 00:00:00.167, frame 5"),
    ]:
        assert title in (files / name).read_text().splitlines()[0]
        expected = wf.bake_lut(cascade, theta, [level, None])
        np.testing.assert_allclose(wf.read_cube(files / name), expected, atol=0.01)


def test_the_lut_of_a_video_without_any_foreground(files, run):
    clip, _, *timeline = shots(files)
    write_clip(files / "empty.mkv", [np.zeros((HEIGHT, WIDTH), np.uint8)] * 9, pixel_format="gray")
    options = ("-o", files / "out.mkv", "--codec", "ffv1", "--lut", files / "grade.cube")
    assert run(clip, files / "empty.mkv", *timeline, *options, weights=None)[0] == 0
    expected = wf.bake_lut(wf.Cascade(["contrast", "brightness"]), [0.5, 0.1], [20 / 255, None])
    np.testing.assert_allclose(wf.read_cube(files / "grade_001.cube"), expected, atol=0.01)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9"])
def test_each_shot_begins_with_a_key_frame(files, run, codec):
    options = ("-o", files / "out.mkv", "--codec", codec, "--delta", files / "delta.mkv")
    assert run(*shots(files), *options, weights=None)[0] == 0
    for name in ("out.mkv", "delta.mkv"):
        with av.open(str(files / name)) as video:
            assert [index for index, frame in enumerate(video.decode(video=0)) if frame.key_frame] == [0, 5]


def test_all_outputs_in_one_run(files, run, before_encoding):
    """Nothing that is written beside the video changes it."""
    given = (files / "clip.mp4", files / "mask.mkv")
    assert run(*given, "-o", files / "plain.mp4")[0] == 0
    before = set(files.iterdir())
    names = {"-o": "out.mp4", "--delta": "d.mp4", "--mask-out": "m.mp4", "--theta-out": "t.jsonl", "--lut": "l.cube"}
    assert run(*given, *chain(*((option, files / name) for option, name in names.items())))[0] == 0
    assert {file.name for file in set(files.iterdir()) - before} == set(names.values())
    np.testing.assert_array_equal(before_encoding["out.mp4"], before_encoding["plain.mp4"])
