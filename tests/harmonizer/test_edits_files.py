"""`harmonizer run` and `apply` with edits, LUTs, differences and masks, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import harmonizer
from harmonizer import Harmonizer, edits
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture

ROOT = Path(harmonizer.__file__).parents[1]
DEPTHS = {
    "8 bits": (".png", lambda image: image),
    "16 bits": (".png", lambda image: image.astype(np.uint16) * 257 - np.uint16(3)),
    "16 bits TIFF": (".tif", lambda image: image.astype(np.uint16) * 257 - np.uint16(3)),
    "float TIFF": (".tif", lambda image: (image / 260).astype(np.float32)),
}


@pytest.fixture
def inputs(files):
    return files / "composite.png", files / "mask.png"


@pytest.fixture
def edited(files, run, inputs):
    """edit.json and out.png in the folder of the files."""
    assert run("run", *inputs, "-o", files / "out.png", "--edit", files / "edit.json")[0] == 0
    return files / "edit.json"


@pytest.mark.parametrize("depth", DEPTHS)
def test_apply_gives_what_run_gave(files, run, image, depth):
    extension, convert = DEPTHS[depth]
    composite, first, second = (files / f"{name}{extension}" for name in ("deep", "first", "second"))
    io.write_image(composite, Picture(convert(image)))
    given = (composite, files / "mask.png")
    assert run("run", *given, "-o", first, "--edit", files / "edit.json")[::2] == (0, "")
    assert run("apply", files / "edit.json", *given, "-o", second)[::2] == (0, "")
    assert io.read_image(first).pixels.dtype == convert(image).dtype
    assert first.read_bytes() == second.read_bytes()


def test_run_is_the_same_with_and_without_an_edit(files, run, inputs, edited):
    assert run("run", *inputs, "-o", files / "plain.png")[0] == 0
    assert (files / "plain.png").read_bytes() == (files / "out.png").read_bytes()


def test_a_foreground_on_a_background(files, run):
    given = (files / "foreground.png", files / "background.png")
    assert run("run", *given, "-o", files / "first.png", "--edit", files / "edit.json")[0] == 0
    assert run("apply", files / "edit.json", *given, "-o", files / "second.png")[::2] == (0, "")
    assert (files / "first.png").read_bytes() == (files / "second.png").read_bytes()


def test_apply_needs_no_network(files, edited):
    program = (
        "import sys\n"
        "sys.modules['onnxruntime'] = None\n"
        "sys.argv = ['harmonizer', 'apply', 'edit.json', 'composite.png', 'mask.png', '-o', 'again.png']\n"
        "from harmonizer.cli import app\n"
        "app.main()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=files, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (files / "again.png").read_bytes() == (files / "out.png").read_bytes()
    refused = subprocess.run(
        [sys.executable, "-c", program.replace("'apply', 'edit.json'", "'run'")],
        cwd=files,
        env=environment,
        text=True,
        capture_output=True,
    )
    assert "onnxruntime" in refused.stderr


def test_set_is_the_same_on_run_and_on_apply(files, run, inputs, edited, checkpoint, image, mask):
    changes = ("--set", "brightness=-0.3", "--set", "shadow=0.3")
    code, out, err = run("apply", edited, *inputs, "-o", files / "first.png", *changes)
    assert (code, err) == (0, "")
    assert "+0.30" in next(line for line in out.splitlines() if "shadow" in line)
    options = ("-o", files / "second.png", "--edit", files / "changed.json", *changes)
    assert run("run", *inputs, *options)[::2] == (0, "")
    assert edits.read(files / "changed.json").steps[2].statistic is not None
    assert run("apply", files / "changed.json", *inputs, "-o", files / "third.png")[::2] == (0, "")
    assert (files / "first.png").read_bytes() == (files / "second.png").read_bytes()
    assert (files / "first.png").read_bytes() == (files / "third.png").read_bytes()
    harmonizer = Harmonizer.load(checkpoint)
    theta = harmonizer.harmonize(image, mask).theta | {"brightness": -0.3, "shadow": 0.3}
    expected = harmonizer.harmonize(image, mask, theta=theta).image
    np.testing.assert_array_equal(io.read_image(files / "first.png").pixels, expected)


def test_apply_writes_the_changed_edit(files, run, inputs, edited):
    options = ("-o", files / "first.png", "--set", "temperature=0.5", "--edit", files / "changed.json")
    assert run("apply", edited, *inputs, *options)[0] == 0
    changed = edits.read(files / "changed.json")
    assert changed.theta == edits.read(edited).theta | {"temperature": 0.5}
    assert changed.steps[2].statistic is not None
    assert run("apply", files / "changed.json", *inputs, "-o", files / "second.png")[::2] == (0, "")
    assert (files / "first.png").read_bytes() == (files / "second.png").read_bytes()


def test_a_person_changes_the_file(files, run, inputs, edited):
    document = json.loads(edited.read_text())
    document["filters"][5]["theta"] = 0.3
    edited.write_text(json.dumps(document))
    assert run("apply", edited, *inputs, "-o", files / "by hand.png")[::2] == (0, "")
    assert run("run", *inputs, "-o", files / "set.png", "--set", "shadow=0.3")[0] == 0
    assert (files / "by hand.png").read_bytes() == (files / "set.png").read_bytes()


def test_another_picture_is_one_warning(files, run, inputs, edited):
    code, _, err = run("apply", edited, files / "background.png", inputs[1], "-o", files / "other.png")
    assert code == 0
    assert err.startswith("warning: the edit was made for another picture;")
    assert err.count("\n") == 1
    assert (files / "other.png").exists()


def test_the_same_pixels_in_another_file_are_the_same_picture(files, run, inputs, edited):
    io.write_image(files / "same.tif", io.read_image(inputs[0]))
    assert run("apply", edited, files / "same.tif", inputs[1], "-o", files / "again.png")[::2] == (0, "")
    assert (files / "again.png").read_bytes() == (files / "out.png").read_bytes()


def through_ffmpeg(image, path):
    """An RGB image of 8 or 16 bits through FFmpeg's lut3d, as `ffmpeg -i IMAGE -vf lut3d=FILE` does it."""
    form = "rgb24" if image.dtype == np.uint8 else "rgb48le"
    graph = av.filter.Graph()
    source = graph.add_buffer(width=image.shape[1], height=image.shape[0], format=form, time_base="1/25")
    lut3d, sink = graph.add("lut3d", f"file={path}"), graph.add("buffersink")
    source.link_to(lut3d)
    lut3d.link_to(sink)
    graph.configure()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=form)
    frame.pts = 0
    source.push(frame)
    return sink.pull().to_ndarray(format=form)


@pytest.mark.parametrize("command", ["run", "apply"])
def test_the_lut_in_ffmpeg_is_our_output(tmp_path, run, command):
    given = (ROOT / "demo/composite.jpg", ROOT / "demo/mask.png")
    options = ("-o", tmp_path / "out.png", "--lut", tmp_path / "grade.cube")
    if command == "run":
        assert run("run", *given, *options, weights=None)[::2] == (0, "")
    else:
        assert run("run", *given, "-o", tmp_path / "out.png", "--edit", tmp_path / "edit.json", weights=None)[0] == 0
        options = (*options, "--set", "temperature=0.3", "--set", "contrast=-0.2")
        assert run("apply", tmp_path / "edit.json", *given, *options)[::2] == (0, "")
    before, after = io.read_image(given[0]).pixels, io.read_image(tmp_path / "out.png").pixels
    inside = io.read_mask(given[1], before.shape[:2]) == 1
    graded = through_ffmpeg(before, tmp_path / "grade.cube")
    apart = np.abs(graded[inside].astype(int) - after[inside]).max(axis=1)
    assert inside.sum() > 10_000
    assert (apart <= 1).mean() >= 0.995  # FFmpeg cuts fractions of 8-bit levels off
    assert apart.max() <= 2
    deep = np.round(through_ffmpeg(before.astype(np.uint16) * 257, tmp_path / "grade.cube") / 257)
    assert (np.abs(deep[inside] - after[inside]).max(axis=1) <= 1).mean() >= 0.999
    assert (before[inside] != after[inside]).mean() > 0.5


def linear_light(base, layer):
    """FFmpeg's blend mode linearlight, which photo editors have by that name, of two uint16 RGB pictures."""
    height, width, _ = base.shape
    graph = av.filter.Graph()
    sources = [graph.add_buffer(width=width, height=height, format="gbrp16le", time_base="1/25") for _ in range(2)]
    blend, sink = graph.add("blend", "all_mode=linearlight"), graph.add("buffersink")
    for index, source in enumerate(sources):
        source.link_to(blend, 0, index)
    blend.link_to(sink)
    graph.configure()
    for source, pixels in zip(sources, (layer, base), strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="gbrp16le")
        frame.pts = 0
        source.push(frame)
        source.push(None)
    return sink.pull().to_ndarray()


def test_the_difference_as_a_layer_of_linear_light(files, run, inputs, image):
    assert run("run", *inputs, "-o", files / "out.png", "--delta", files / "delta.png")[0] == 0
    delta, after = io.read_image(files / "delta.png").pixels, io.read_image(files / "out.png").pixels
    assert delta.dtype == np.uint16
    blended = linear_light(image.astype(np.uint16) * 257, delta)
    assert np.abs(blended / 257 - after).max() < 0.02
    assert (delta[0] == 32768).all()


@pytest.mark.parametrize("deep", [False, True])
def test_the_mask_that_was_used(files, run, inputs, edited, deep):
    composite, mask = inputs
    if deep:
        soft = np.linspace(0, 65535, 24 * 32).astype(np.uint16).reshape(24, 32)
        mask = files / "soft.png"
        Image.fromarray(soft).save(mask)
    used = files / "used.png"
    options = ("-o", files / "first.png", "--mask-out", used, "--edit", files / "new.json")
    assert run("run", composite, mask, *options)[0] == 0
    np.testing.assert_array_equal(io.read_mask(used, (24, 32)), io.read_mask(mask, (24, 32)))
    assert run("apply", files / "new.json", composite, used, "-o", files / "second.png")[::2] == (0, "")
    assert (files / "first.png").read_bytes() == (files / "second.png").read_bytes()


def test_the_mask_of_a_foreground_is_its_alpha(files, run, mask):
    options = ("-o", files / "out.png", "--mask-out", files / "used.png")
    assert run("run", files / "foreground.png", files / "background.png", *options)[0] == 0
    np.testing.assert_array_equal(io.read_image(files / "used.png").pixels[..., 0], mask.astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("run", ("--edit", "none/edit.json"), "no folder"),
        ("run", ("--lut", "grade.txt"), "the extension .cube"),
        ("run", ("--delta", "delta.gif"), "ends in '.gif'"),
        ("run", ("--mask-out", "mask"), "no extension"),
        ("run", ("--edit", "-"), "only the harmonized picture can go to standard output"),
        ("run", ("--format", "jpg"), "--format is that of -o -; the format of out.png"),
        ("run", ("--lut", "out.cube", "--edit", "out.cube"), "two outputs are one file"),
        ("run", ("--set", "sepia=0.1"), "no filter sepia here; there are temperature"),
        ("run", ("--set", "shadow"), "NAME=THETA"),
        ("apply", ("--delta", "out.png"), "two outputs are one file"),
        ("apply", ("--set", "sepia=0.1"), "no filter sepia here; there are temperature"),
        ("apply", ("--set", "shadow=1.5"), "got shadow = 1.5"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(files, run, inputs, edited, monkeypatch, command, options, message):
    monkeypatch.chdir(files)
    (files / "out.png").unlink()
    before = set(files.rglob("*"))
    first = (command, edited) if command == "apply" else (command,)
    code, out, err = run(*first, *inputs, "-o", "out.png", *options)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert set(files.rglob("*")) == before


def test_a_newer_edit_is_refused(files, run, inputs, edited):
    edited.write_text(edited.read_text().replace('"format": 1', '"format": 2'))
    code, out, err = run("apply", edited, *inputs, "-o", files / "new.png")
    assert (code, out) == (2, "")
    assert "upgrade harmonizer" in err
    assert not (files / "new.png").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_an_edit_that_an_editor_saved_in_its_own_encoding_is_read(files, run, encoding):
    run("run", files / "composite.png", files / "mask.png", "-o", files / "out.png", "--edit", files / "edit.json")
    text = (files / "edit.json").read_text(encoding="utf-8")
    (files / "other.json").write_text(text.replace("\n", "\r\n"), encoding=encoding, newline="")
    assert edits.read(files / "other.json") == edits.read(files / "edit.json") == edits.loads(text)
    assert edits.dumps(edits.loads(text)) == text
