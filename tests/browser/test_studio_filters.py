"""Any filters of the registry in any order, the tones, zoom and pan, and accessibility."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from studio_steps import DEMO, harmonize, move, save, shown, theta_of, wait_for

import whitebox_filters as wf
from harmonizer import edits, io, jobs


def names_shown(page):
    return list(theta_of(page))


def wait_for_names(page, names):
    condition = "(names) => Object.keys(JSON.parse(document.getElementById('canvas').dataset.shown)).join() === names"
    page.wait_for_function(condition, arg=",".join(names))


def add(page, name):
    page.get_by_label("Another filter").select_option(name)
    page.get_by_role("button", name="Add", exact=True).click()


def test_filters_are_added_moved_and_removed(page, tmp_path):
    harmonize(page)
    predicted = theta_of(page)
    names = list(predicted)
    assert page.get_by_label("Another filter").locator("option").count() == len(wf.names()) - len(names)
    add(page, "tint")
    move(page, "tint", 0.3)
    page.get_by_role("button", name="remove contrast").click()
    page.get_by_role("button", name="move tint up").click()
    expected = ["temperature", "brightness", "saturation", "highlight", "tint", "shadow"]
    wait_for_names(page, expected)
    save(page, "Picture", tmp_path / "out.png")
    save(page, "Edit", tmp_path / "edit.json")
    edit = edits.read(tmp_path / "edit.json")
    assert edit.theta == {name: {**predicted, "tint": 0.3}[name] for name in expected}
    picture, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    result, _ = jobs.apply(edit, picture.pixels, mask)
    np.testing.assert_array_equal(io.read_image(tmp_path / "out.png").pixels, result.image)
    apart = np.abs(shown(page).astype(int) - result.image).max(axis=2)
    assert (apart <= 2).mean() >= 0.999
    for _ in range(4):
        page.get_by_role("button", name="Undo").click()
    wait_for_names(page, names)
    assert theta_of(page) == predicted


def test_the_last_filter_cannot_be_removed_nor_the_first_moved_up(page):
    harmonize(page)
    assert page.get_by_role("button", name="move temperature up").is_disabled()
    assert page.get_by_role("button", name="move shadow down").is_disabled()
    for name in list(theta_of(page))[1:]:
        page.get_by_role("button", name=f"remove {name}").click()
    wait_for_names(page, ["temperature"])
    assert page.get_by_role("button", name="remove temperature").is_disabled()


def test_every_filter_of_the_registry_is_offered_and_rendered(page):
    harmonize(page)
    for name in ("curve_black", "red_hue"):
        if name in wf.names():
            add(page, name)
            page.wait_for_function(f"'{name}' in JSON.parse(document.getElementById('canvas').dataset.shown)")
    assert page.get_by_role("alert").text_content() == ""


def test_the_tones_are_told_in_words_too(page):
    harmonize(page)
    picture, mask = io.read_composite(DEMO / "composite.jpg", DEMO / "mask.png")
    luma = picture.pixels @ np.array([0.2126, 0.7152, 0.0722]) / 255
    text = page.locator("#histogram").get_attribute("aria-label")
    background, before, after = map(int, re.findall(r"(\d+) %", text))
    assert background == pytest.approx(100 * np.average(luma, weights=1 - mask), abs=1)
    assert before == pytest.approx(100 * np.average(luma, weights=mask), abs=1)
    assert after > before  # the demo's foreground is darkened, and made brighter again
    move(page, "brightness", -1)
    page.wait_for_function(f"parseInt(document.getElementById('histogram').ariaLabel.split('before, ')[1]) < {before}")


def visible_part(page):
    """The canvas as it is on the screen, RGB, all of it after the filters."""
    page.locator("#divider").fill("0")
    from io import BytesIO

    return np.asarray(Image.open(BytesIO(page.locator("#canvas").screenshot())).convert("RGB")).astype(int)


def test_zoom_and_pan_show_a_part_of_the_picture(page):
    harmonize(page)
    whole = shown(page)
    canvas = page.locator("#canvas")
    for _ in range(10):
        page.get_by_role("button", name="Zoom in").click()
    zoom = 1.25**10
    assert page.locator("#zoom").text_content() == f"{round(100 * zoom)} %"
    for _ in range(60):
        canvas.press("ArrowLeft")
        canvas.press("ArrowUp")
    part = visible_part(page)
    side = len(whole) / zoom  # the corner is shown, each pixel as a square
    height, width = part.shape[:2]
    pixels = np.arange(int(side))
    rows, columns = ((pixels + 0.5) * height / side).astype(int), ((pixels + 0.5) * width / side).astype(int)
    apart = np.abs(part[rows][:, columns] - whole[: len(pixels), : len(pixels)].astype(int)).max(axis=2)
    assert (apart <= 2).mean() > 0.99
    page.get_by_role("button", name="Fit").click()
    assert page.locator("#zoom").text_content() == "100 %"


def test_the_wheel_zooms_about_the_pointer_and_dragging_pans(page):
    harmonize(page)
    box = page.locator("#canvas").bounding_box()
    before = visible_part(page)
    x, y = 0.25 * box["width"], 0.25 * box["height"]
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.wheel(0, -600)
    page.wait_for_function("document.getElementById('zoom').textContent !== '100 %'")
    after = visible_part(page)
    around = np.s_[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
    np.testing.assert_allclose(after[around].mean((0, 1)), before[around].mean((0, 1)), atol=25)
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230)
    page.mouse.up()
    moved = visible_part(page)
    np.testing.assert_allclose(moved[230:500, 260:500], after[200:470, 200:440], atol=3)


def test_a_large_picture_is_sharp_when_it_is_zoomed_into(page, tmp_path):
    lines = np.zeros((800, 3000, 3), np.uint8)
    lines[:, ::2] = 255
    Image.fromarray(lines).save(tmp_path / "lines.png")
    Image.new("L", (3000, 800), 255).save(tmp_path / "all.png")
    page.set_input_files("#composite", tmp_path / "lines.png")
    page.set_input_files("#mask", tmp_path / "all.png")
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_text("Harmonized.").wait_for()
    assert page.evaluate("window.harmonizer.view.size.width") == 1920
    page.locator("#canvas").focus()
    for _ in range(6):
        page.locator("#canvas").press("+")
    page.wait_for_function("window.harmonizer.view.size.width === 3000")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("mode", ["empty", "mask", "place", "result"])
def test_axe_finds_nothing(page, scheme, mode):
    page.emulate_media(color_scheme=scheme)
    if mode == "mask":
        page.get_by_role("button", name="A portrait").click()
        page.locator("#easel").wait_for()
    if mode == "place":
        page.get_by_role("button", name="A cut-out and a background").click()
        page.locator("#easel").wait_for()
    if mode == "result":
        harmonize(page)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_keys_undo_and_redo(page):
    harmonize(page)
    before = theta_of(page)
    move(page, "shadow", 0.5)
    page.locator("#canvas").press("Control+z")
    wait_for(page, "shadow", before["shadow"])
    page.locator("#canvas").press("Control+Shift+z")
    wait_for(page, "shadow", 0.5)
    assert json.loads(page.locator("#canvas").get_attribute("data-shown"))["shadow"] == 0.5
