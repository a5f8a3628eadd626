"""The command as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tiny_checkpoint import write_checkpoint

import harmonizer
import whitebox_filters as wf
from harmonizer import Harmonizer
from harmonizer.cli import app, theta_table
from harmonizer.pictures import io
from harmonizer.pictures.picture import Picture


def test_run_writes_what_the_library_returns(files, run, checkpoint, image, mask):
    code, out, err = run("run", files / "composite.png", files / "mask.png", "-o", files / "out.png")
    expected = Harmonizer.load(checkpoint).harmonize(image, mask)
    assert (code, err) == (0, "")
    np.testing.assert_array_equal(io.read_image(files / "out.png").pixels, expected.image)
    for name, value in expected.theta.items():
        assert f"{value:+.2f}" in next(line for line in out.splitlines() if name in line)


def test_table_says_what_was_done():
    effects = {name: theta_table.effect(name, value) for name, value in [("temperature", 0.3), ("shadow", -0.2)]}
    assert effects == {"temperature": "warmer", "shadow": "dark tones darker"}
    assert theta_table.effect("contrast", 0.001) == "unchanged"
    with pytest.raises(wf.UnknownFilterError, match="sepia"):
        theta_table.effect("sepia", 0.5)
    assert theta_table.bar(-0.5) == "     █████│          "
    assert theta_table.bar(1.0) == "          │██████████"
    assert theta_table.effect("blue_saturation", -0.5) == "greyer"


def test_compare(files, run):
    options = ("-o", files / "out.jpg", "--compare", files / "compare.jpg")
    code, _, err = run("run", files / "composite.png", files / "mask.png", *options)
    assert (code, err) == (0, "")
    before = io.read_image(files / "compare.jpg").pixels
    assert before.shape[1] > 2 * 32


def test_foreground_and_background(files, run, image, mask):
    code, _, err = run("run", files / "foreground.png", files / "background.png", "-o", files / "out.png")
    out = io.read_image(files / "out.png")
    assert (code, err) == (0, "")
    assert out.alpha is None
    np.testing.assert_array_equal(out.pixels[mask == 0], image[::-1][mask == 0])


def test_16_bits_profile_and_exif_go_from_file_to_file(files, run, image):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    picture = Picture(image.astype(np.uint16) * 257 - np.uint16(3), exif=exif.tobytes())
    io.write_image(files / "deep.png", picture)
    assert run("run", files / "deep.png", files / "mask.png", "-o", files / "out.tif")[0] == 0
    out = io.read_image(files / "out.tif")
    assert out.pixels.dtype == np.uint16
    assert (out.pixels % 257 == 254).any()  # the odd levels of the background
    with Image.open(files / "deep.png") as deep:
        assert deep.getexif()[0x010F] == "Maker"
    reread = Image.Exif()
    reread.load(out.exif)
    assert reread[0x010F] == "Maker"


def test_warning_is_one_line(files, run):
    Image.new("L", (32, 24)).save(files / "empty.png")
    code, out, err = run("run", files / "composite.png", files / "empty.png", "-o", files / "out.png")
    assert code == 0
    assert err == "warning: the mask is empty: there is no foreground to harmonize\n"
    assert out.count("unchanged") == 6
    assert (io.read_image(files / "out.png").pixels == io.read_image(files / "composite.png").pixels).all()


def missing(files):
    return files / "none.png", files / "mask.png", files / "out.png"


def no_picture(files):
    (files / "text.png").write_text("no picture")
    return files / "text.png", files / "mask.png", files / "out.png"


def truncated(files):
    (files / "cut.png").write_bytes((files / "composite.png").read_bytes()[:300])
    return files / "cut.png", files / "mask.png", files / "out.png"


def truncated_tiff(files):
    tifffile.imwrite(files / "cut.tif", np.zeros((24, 32, 3), np.uint16), photometric="rgb")
    (files / "cut.tif").write_bytes((files / "cut.tif").read_bytes()[:200])
    return files / "cut.tif", files / "mask.png", files / "out.png"


def mask_size(files):
    Image.new("L", (8, 8)).save(files / "small.png")
    return files / "composite.png", files / "small.png", files / "out.png"


def colour_mask(files):
    return files / "composite.png", files / "background.png", files / "out.png"


def not_finite(files):
    tifffile.imwrite(files / "nan.tif", np.full((24, 32, 3), np.nan, np.float32), photometric="rgb")
    return files / "nan.tif", files / "mask.png", files / "out.png"


def no_folder(files):
    return files / "composite.png", files / "mask.png", files / "none" / "out.png"


def under_a_file(files):
    return files / "composite.png", files / "mask.png", files / "mask.png" / "out.png"


def extension(files):
    return files / "composite.png", files / "mask.png", files / "out.gif"


FILES = [missing, no_picture, truncated, truncated_tiff, mask_size, colour_mask, not_finite]
OUTPUTS = [no_folder, under_a_file, extension]


def check_refused(files: Path, before: set[Path], result: tuple[int, str, str]) -> None:
    code, out, err = result
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert set(files.rglob("*")) == before


@pytest.mark.parametrize("mistake", FILES + OUTPUTS)
def test_mistake_is_one_line_and_leaves_nothing(files, run, caplog, mistake):
    first, second, output = mistake(files)
    before = set(files.rglob("*"))
    check_refused(files, before, run("run", first, second, "-o", output))
    assert caplog.records == []  # outside of pytest they would be lines on stderr


@pytest.mark.parametrize(("output", "compare"), [("out.png", "compare.gif"), ("out.gif", "compare.png")])
def test_one_mistaken_output_leaves_neither(files, run, output, compare):
    before = set(files.rglob("*"))
    options = ("-o", files / output, "--compare", files / compare)
    check_refused(files, before, run("run", files / "composite.png", files / "mask.png", *options))


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "unknown filter", "newer"])
def test_bad_checkpoint(files, run, tmp_path_factory, damage):
    changes = {"unknown filter": {"filters": ["sepia"]}, "newer": {"registry_version": 99}}.get(damage, {})
    weights = write_checkpoint(tmp_path_factory.mktemp("bad"), **changes)
    model = weights / "model.onnx"
    if damage == "missing":
        model.unlink()
    elif damage == "truncated":
        model.write_bytes(model.read_bytes()[:100])
    elif damage == "foreign":
        model.write_text("no model\nat all")
    before = set(files.rglob("*"))
    arguments = ("run", files / "composite.png", files / "mask.png", "-o", files / "out.png")
    check_refused(files, before, run(*arguments, weights=weights))


def test_a_bug_is_not_dressed_up_as_a_users_mistake(files, monkeypatch, checkpoint):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("harmonizer.pipeline.Harmonizer.render", fail)
    arguments = [files / "composite.png", files / "mask.png", "-o", files / "out.png", "--weights", checkpoint]
    monkeypatch.setattr(sys, "argv", ["harmonizer", "run", *map(str, arguments)])
    with pytest.raises(ZeroDivisionError):
        app.main()


def test_wrong_usage(run):
    code, _, err = run("run", "one.png", weights=None)
    assert code == 2
    assert "MASK" in err


def test_version(run):
    try:
        installed = version("whitebox-harmonizer")
    except PackageNotFoundError:
        pytest.skip("harmonizer runs from the source tree here, not installed, and so has no version")
    assert run("--version")[:2] == (0, f"harmonizer {installed}\n")


def test_python_m_harmonizer(files, checkpoint):
    command = [sys.executable, "-m", "harmonizer", "run", "composite.png", "mask.png", "-o", "out.png"]
    environment = os.environ | {"PYTHONPATH": str(Path(harmonizer.__file__).parents[1])}
    done = subprocess.run(
        [*command, "--weights", checkpoint], cwd=files, env=environment, capture_output=True, text=True, check=True
    )
    assert "temperature" in done.stdout
    assert (files / "out.png").is_file()
