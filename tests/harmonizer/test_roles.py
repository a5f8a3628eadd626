"""Which picture is what, what an alpha channel says, and what it hides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageFilter

from harmonizer import MaskError
from harmonizer.alpha import cover_hidden, says_something, varies
from harmonizer.pictures import io, roles
from harmonizer.pictures.picture import Picture, convert_depth

DEPTHS = (np.uint8, np.uint16, np.float32)
CORNER = (0, 0)


def full(dtype):
    return 1 if dtype == np.float32 else np.iinfo(dtype).max


@pytest.fixture
def studio(image):
    """A background of nearly one grey, as a white sweep is."""
    return (250 - np.random.default_rng(0).integers(0, 9, image.shape)).astype(np.uint8)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_only_an_opaque_channel_says_nothing(dtype):
    opaque = np.full((4, 5), full(dtype), dtype)
    assert not says_something(opaque)
    assert not varies(opaque)
    half = opaque // 2 if dtype != np.float32 else opaque / 2
    assert says_something(half)
    assert not varies(half)
    opaque[1, 2] = 0
    assert says_something(opaque)
    assert varies(opaque)


@pytest.mark.parametrize("dtype", DEPTHS)
@given(hidden=hnp.arrays(bool, (6, 7)), fillings=st.lists(st.integers(0, 255), min_size=2, max_size=2))
def test_what_is_hidden_decides_nothing(dtype, hidden, fillings):
    picture = convert_depth(np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8), dtype)
    alpha = np.where(hidden, 0, full(dtype)).astype(dtype)
    covered = []
    for filling in fillings:
        pixels = picture.copy()
        pixels[hidden] = convert_depth(np.uint8([[filling]]), dtype)[0, 0]
        covered.append(cover_hidden(pixels, alpha))
        np.testing.assert_array_equal(covered[-1][~hidden], picture[~hidden])
    if not hidden.all():
        np.testing.assert_array_equal(*covered)


@pytest.mark.parametrize("name", ["layer.png", "layer.tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hidden_pixels_stay_and_steer_nothing(files, run, image, mask, name, dtype):
    alpha = np.full(mask.shape, full(dtype), dtype)
    alpha[:, :8] = 0
    outputs = []
    for filling in (0, 200):
        pixels = convert_depth(image, dtype)
        pixels[:, :8] = convert_depth(np.uint8([[filling]]), dtype)[0, 0]
        io.write_image(files / name, Picture(pixels, alpha))
        code, _, _ = run("run", files / name, files / "mask.png", "-o", files / "out.png")
        assert code == 0
        output = io.read_image(files / "out.png")
        np.testing.assert_array_equal(output.pixels[:, :8], pixels[:, :8])
        np.testing.assert_array_equal(output.alpha, alpha)
        outputs.append(output.pixels[:, 8:].astype(int))
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.webp"])
@pytest.mark.parametrize("level", [0, 1, 128, 254])
def test_constant_alpha_travels(files, run, image, mask, name, level):
    io.write_image(files / "layer.png", Picture(image, np.full(mask.shape, level, np.uint8)))
    code, _, error = run("run", files / "layer.png", files / "mask.png", "-o", files / name)
    assert code == 0
    assert ("the mask is empty" in error) == (level == 0)
    np.testing.assert_array_equal(io.read_image(files / name).alpha, level)


def test_an_edit_of_a_layer_is_applied_to_the_same_bytes(files, run, image, mask):
    alpha = np.where(np.arange(mask.shape[1]) < 8, 0, 255).astype(np.uint8) * np.ones_like(mask)
    io.write_image(files / "layer.png", Picture(image, alpha))
    run("run", files / "layer.png", files / "mask.png", "-o", files / "one.png", "--edit", files / "edit.json")
    code, _, error = run("apply", files / "edit.json", files / "layer.png", files / "mask.png", "-o", files / "two.png")
    assert (code, error) == (0, "")
    assert (files / "one.png").read_bytes() == (files / "two.png").read_bytes()


def test_a_background_by_name_is_pasted_onto_whatever_it_looks_like(files, run, studio):
    io.write_image(files / "studio.png", Picture(studio))
    run("run", files / "foreground.png", "--background", files / "studio.png", "-o", files / "out.png")
    output = io.read_image(files / "out.png")
    assert output.alpha is None
    np.testing.assert_array_equal(output.pixels[CORNER], studio[CORNER])


def test_without_a_name_a_background_that_may_be_a_mask_is_an_error_that_says_how_to_say_it(files, run, studio):
    io.write_image(files / "studio.png", Picture(studio))
    code, _, error = run("run", files / "foreground.png", files / "studio.png", "-o", files / "out.png")
    assert code == 2
    assert "--background or --mask" in error
    assert not (files / "out.png").exists()
    code, _, _ = run("run", files / "foreground.png", "--mask", files / "studio.png", "-o", files / "out.png")
    assert code == 0
    assert says_something(io.read_image(files / "out.png").alpha)


@pytest.mark.parametrize("form", ["soft edge", "label map", "photograph in black and white"])
def test_a_grey_second_picture_of_a_cut_out(files, run, image, mask, form):
    grey = {
        "soft edge": np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(1))),
        "label map": (mask > 127).astype(np.uint8),
        "photograph in black and white": image[..., 0],
    }[form]
    Image.fromarray(grey).save(files / "grey.png")
    code, _, error = run("run", files / "foreground.png", files / "grey.png", "-o", files / "out.png")
    assert (code, error == "") == ((2, False) if form == "photograph in black and white" else (0, True))


def test_a_mask_and_a_background_together(files, run, image, mask):
    """A photograph without an alpha channel is cut out by the mask."""
    arguments = "run", files / "composite.png", files / "mask.png", "--background", files / "background.png"
    code, _, _ = run(*arguments, "-o", files / "out.png")
    assert code == 0
    output = io.read_image(files / "out.png").pixels
    np.testing.assert_array_equal(output[mask == 0], image[::-1][mask == 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["composite.png"], "nothing shows the foreground"),
        (["composite.png", "mask.png", "--mask", "mask.png"], "two masks"),
        (["composite.png", "--background", "background.png"], "has no alpha channel"),
        (["foreground.png", "--background", "small.png"], "put the foreground on a transparent canvas"),
        (["-", "--mask", "-"], "only one of the two"),
    ],
)
def test_roles_that_are_not_clear_are_one_line(files, run, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    Image.new("RGB", (3, 2), "red").save("small.png")
    code, _, error = run("run", *arguments, "-o", "out.png")
    assert code == 2
    assert message in error
    assert len(error.splitlines()) == 1


@given(
    over=hnp.arrays(np.uint8, (2, 3, 3)),
    under=hnp.arrays(np.uint8, (2, 3, 3)),
    opacity=hnp.arrays(np.uint8, (2, 3)),
    below=hnp.arrays(np.uint8, (2, 3)),
)
def test_a_foreground_over_a_transparent_background_is_what_pillow_makes_of_it(over, under, opacity, below):
    opacity.flat[0], opacity.flat[1] = 0, 255
    below.flat[0] = 0
    result, mask = roles.paste(Picture(over, opacity), Picture(under, below), None, ("over", "under"))
    layers = [Image.fromarray(np.dstack([pixels, alpha])) for pixels, alpha in ((under, below), (over, opacity))]
    expected = np.asarray(Image.alpha_composite(*layers)).astype(int)
    assert np.abs(result.alpha - expected[..., 3]).max() <= 1
    visible = expected[..., 3] > 32  # of less, 8 bits leave few levels
    assert np.abs(result.pixels - expected[..., :3])[visible].max(initial=0) <= 8
    np.testing.assert_array_equal(mask, opacity / np.float32(255))


def test_colour_is_no_mask(files):
    with pytest.raises(MaskError, match="in colour"):
        io.read_mask(files / "background.png", (24, 32))
