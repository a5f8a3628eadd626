"""The whole way in a real browser: files to sliders, sliders to the picture, the picture to a file."""

from __future__ import annotations

import numpy as np
import pytest
from studio_steps import DEMO, SHOWN, harmonize, move, save, shown, theta_of, wait_for

import whitebox_filters as wf
from harmonizer import Harmonizer, edits, io, jobs


@pytest.fixture(scope="module")
def expected():
    picture, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    result, edit = jobs.harmonize(Harmonizer.load(threads=1), picture.pixels, mask)
    return picture.pixels, mask, result, edit


def test_the_downloaded_picture_is_what_the_command_gives_bit_for_bit(page, tmp_path, expected):
    harmonize(page)
    assert save(page, "Picture", tmp_path / "out.png") == "composite-harmonized.png"
    np.testing.assert_array_equal(io.read_image(tmp_path / "out.png").pixels, expected[2].image)
    save(page, "Edit", tmp_path / "edit.json")
    assert edits.read(tmp_path / "edit.json") == expected[3]


def test_a_changed_picture_and_its_edit_and_lut(page, tmp_path, expected):
    harmonize(page)
    move(page, "brightness", 0.25)
    move(page, "shadow", -0.3)
    pixels, mask, _, edit = expected
    result, changed = jobs.apply(edit, pixels, mask, {"brightness": 0.25, "shadow": -0.3})
    save(page, "Picture", tmp_path / "out.png")
    np.testing.assert_array_equal(io.read_image(tmp_path / "out.png").pixels, result.image)
    save(page, "Edit", tmp_path / "edit.json")
    assert edits.read(tmp_path / "edit.json") == changed
    save(page, ".cube", tmp_path / "grade.cube")
    np.testing.assert_allclose(wf.read_cube(tmp_path / "grade.cube"), changed.bake_lut(), atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"contrast": 0.3}, {"brightness": 0.4, "saturation": -0.5, "highlight": 0.2}])
def test_the_preview_is_the_picture_within_two_levels(page, expected, changes):
    harmonize(page)
    for name, value in changes.items():
        move(page, name, value)
    pixels, mask, _, edit = expected
    result, _ = jobs.apply(edit, pixels, mask, changes)
    preview = shown(page).astype(int)
    assert preview.shape == pixels.shape  # the demo is smaller than the preview's limit
    apart = np.abs(preview - result.image).max(axis=2)
    assert (apart <= 2).mean() >= 0.999
    np.testing.assert_array_equal(preview[mask == 0], pixels[mask == 0])


def test_undo_redo_and_reset(page):
    harmonize(page)
    predicted = theta_of(page)
    assert page.get_by_role("button", name="Undo").is_disabled()
    move(page, "shadow", 0.5)
    move(page, "contrast", -0.25)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(
        f"JSON.parse(document.getElementById('canvas').dataset.shown).contrast === {predicted['contrast']}"
    )
    assert theta_of(page)["shadow"] == 0.5
    page.get_by_role("button", name="Redo").click()
    wait_for(page, "contrast", -0.25)
    page.get_by_role("button", name="reset shadow").click()
    page.wait_for_function(
        f"JSON.parse(document.getElementById('canvas').dataset.shown).shadow === {predicted['shadow']}"
    )
    page.get_by_role("button", name="Reset all").click()
    wait_for(page, "contrast", predicted["contrast"])
    assert theta_of(page) == predicted


def test_before_and_after_and_the_mask(page, expected):
    harmonize(page)
    after = shown(page)
    page.locator("#divider").fill("100")
    found = page.evaluate(SHOWN)
    before = np.array(found["pixels"], np.uint8).reshape(*after.shape[:2], 4)[..., :3]
    np.testing.assert_array_equal(before, expected[0])
    page.get_by_label("Show the mask").check()
    tinted = np.array(page.evaluate(SHOWN)["pixels"], np.uint8).reshape(*after.shape[:2], 4)[..., :3]
    opaque = expected[1] == 1
    assert (tinted[opaque, 0] >= 127).all()


def test_a_slider_is_moved_by_keys(page):
    harmonize(page)
    slider = page.get_by_role("slider", name="shadow")
    before = theta_of(page)["shadow"]
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    page.wait_for_function(f"JSON.parse(document.getElementById('canvas').dataset.shown).shadow > {before}")


def test_a_mistake_is_told_and_can_be_mended(page, tmp_path):
    (tmp_path / "none.png").write_bytes(b"no picture")
    assert page.get_by_role("button", name="Harmonize").is_disabled()
    page.set_input_files("#composite", tmp_path / "none.png")
    page.get_by_role("alert").filter(has_text="is not a picture").wait_for()
    page.set_input_files("#mask", DEMO / "mask.png")
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_role("alert").filter(has_text="is not a picture").wait_for()
    harmonize(page)
    assert page.get_by_role("alert").text_content() == ""


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    harmonize(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(page):
    harmonize(page)
    for control in page.locator("input, button, select").all():
        if control.is_visible():
            name = control.evaluate("(each) => each.ariaLabel || each.labels?.[0]?.textContent || each.textContent")
            assert name.strip(), control.evaluate("(each) => each.outerHTML")
