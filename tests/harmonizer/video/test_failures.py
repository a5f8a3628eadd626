"""What goes wrong is one line, and leaves the folder as it was."""

from __future__ import annotations

import pkgutil
import resource
from itertools import chain

import numpy as np
import pytest
from clips import COUNT, HEIGHT, WIDTH, mask, write_clip, write_masks

from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture
from harmonizer.video.coding.writer import Writer

TENTHS = range(0, 108000, 9000)

MISTAKES = {
    "extension": (("clip.mp4", "mask.mkv", "-o", "out.avi"), "videos are written as .mp4"),
    "folder": (("clip.mp4", "mask.mkv", "-o", "none/out.mp4"), "no folder"),
    "alpha": (("clip.mp4", "mask.mkv", "-o", "out.mp4", "--alpha", 0), "--alpha lies in"),
    "quality": (("clip.mp4", "mask.mkv", "-o", "out.mp4", "--quality", 99), "from 0, the best, to 51"),
    "one quality": (("clip.mp4", "mask.mkv", "-o", "out.mkv", "--codec", "ffv1", "--quality", 9), "one quality"),
    "sound": (("clip.mp4", "mask.mkv", "-o", "out.webm", "--codec", "vp9"), "cannot hold this"),
    "missing": (("none.mp4", "mask.mkv", "-o", "out.mp4"), "there is no file"),
    "missing mask": (("clip.mp4", "none.mkv", "-o", "out.mp4"), "there is no file"),
    "coloured mask": (("clip.mp4", "clip.mp4", "-o", "out.mp4"), "in colour"),
    "short mask": (("clip.mp4", "short.mkv", "-o", "out.mp4", "--theta-out", "t.jsonl"), "ends after 3 frames"),
    "decided twice": (("clip.mp4", "mask.mkv", "-o", "out.mp4", "--theta-in", "t", "--alpha", 0.5), "leave --alpha"),
    "one file": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--delta", "./out.mp4"), "two outputs are one file"),
    "one file of two kinds": (("none.mp4", "-o", "out.mp4", "--theta-out", "t.cube", "--lut", "t.cube"), "one file"),
    "no video": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--mask-out", "used.png"), "used.png ends in '.png'"),
    "no container": (("clip.mp4", "mask.mkv", "-o", "out.mp4", "--delta", "d.webm"), "d.webm cannot hold this"),
    "no LUT": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--lut", "grade.3dl"), "the extension .cube"),
    "no folder for a LUT": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--lut", "none/grade.cube"), "no folder"),
    "no filter": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--set", "sepia=0.1"), "no filter sepia here; there are"),
    "no setting": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--set", "shadow"), "NAME=THETA"),
    "no theta": (("none.mp4", "mask.mkv", "-o", "out.mp4", "--set", "shadow=1.5"), "got shadow = 1.5"),
    "back in time": (("joined.ts", "mask.png", "-o", "out.mkv"), "frame 12 goes back in time, to 0.0 seconds"),
    "cut off": (("cut.mkv", "mask.png", "-o", "out.mp4"), "cut off"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_line_and_leaves_nothing(files, run, monkeypatch, mistake):
    write_masks(files / "short.mkv", 3)
    io.write_image(files / "mask.png", Picture(mask()[..., None].repeat(3, axis=2)))
    noise = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), dtype=np.uint8)
    whole = write_clip(files / "whole.mkv", noise, times=range(0, 120000, 3000))
    (files / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    part = write_clip(files / "part.ts", noise[:12], codec="libx264", pixel_format="yuv420p", times=TENTHS)
    (files / "joined.ts").write_bytes(2 * part.read_bytes())
    before = set(files.iterdir())
    arguments, message = MISTAKES[mistake]
    monkeypatch.chdir(files)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert set(files.iterdir()) == before


ALL = {"-o": "out.mp4", "--delta": "d.mp4", "--mask-out": "m.mp4", "--theta-out": "t.jsonl", "--lut": "l.cube"}


@pytest.mark.parametrize(("limit", "fails"), [(10_000, "out.mp4"), (1_000_000, "l.cube")])
def test_full_disk(files, run, limit, fails):
    """A limit on the size of files stands in for it: what is written fails in the same place."""
    options = {option: files / name for option, name in ALL.items() if limit == 1_000_000 or option != "--lut"}
    noise = np.random.default_rng(0).integers(0, 255, (COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8)
    clip = write_clip(files / "noise.mkv", noise, pixel_format="yuv420p")
    for name in ALL.values():
        (files / name).write_text(f"{name} as it was before")
    before = set(files.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        code, _, err = run(clip, files / "mask.mkv", *chain(*options.items()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 2
    assert f"{files / fails} cannot be written: File too large" in err
    assert err.count("\n") == 1
    assert set(files.iterdir()) == before
    assert all((files / name).read_text() == f"{name} as it was before" for name in ALL.values())


@pytest.mark.parametrize("stage", ["decode", "masks", "predict", "filter", "encode"])
def test_error_in_any_stage_ends_all(files, run, monkeypatch, stage):
    """A bug is raised as it is, once; the threads end (the fixture looks) and nothing is left."""
    places = {
        "decode": "harmonizer.video.coding.reader.Converter.to_rgb",
        "masks": "harmonizer.video.coding.reader.Converter.to_grey",
        "predict": "harmonizer.predictor.Predictor.predict",
        "filter": "harmonizer.render.Renderer.render",
        "encode": "harmonizer.video.coding.writer.Converter.to_yuv",
    }
    calls = []
    path, name = places[stage].rsplit(".", 1)
    original = getattr(pkgutil.resolve_name(path), name)

    def fail_at_fifth(*arguments, **options):
        calls.append(0)
        if len(calls) == 5:
            raise ZeroDivisionError(stage)
        return original(*arguments, **options)

    monkeypatch.setattr(places[stage], fail_at_fifth)
    before = set(files.iterdir())
    with pytest.raises(ZeroDivisionError, match=stage):
        run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4", "--theta-out", files / "t.jsonl")
    assert set(files.iterdir()) == before


def test_ctrl_c(files, run, monkeypatch):
    write = Writer.write

    def interrupted(writer, frame, **how):
        if frame.index == 5:
            raise KeyboardInterrupt
        write(writer, frame, **how)

    monkeypatch.setattr(Writer, "write", interrupted)
    before = set(files.iterdir())
    code, out, err = run(files / "clip.mp4", files / "mask.mkv", "-o", files / "out.mp4")
    assert (code, out) == (130, "")
    assert err == "error: stopped by Ctrl-C after 5 frames; nothing was written\n"
    assert set(files.iterdir()) == before
