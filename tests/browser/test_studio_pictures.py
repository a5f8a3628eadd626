"""How pictures come onto the page: painted masks, cut-outs that are placed, examples, dropped files, a key."""

from __future__ import annotations

import io as bytes_io

import numpy as np
import pytest
from PIL import Image
from socket_service import serving
from studio_steps import DEMO, harmonize, save, theta_of

from harmonizer import Harmonizer, io, jobs
from harmonizer.pictures.picture import Picture


def read_mask(page, tmp_path):
    save(page, "Mask", tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as mask:
        return np.asarray(mask.convert("L"))


def open_composite(page):
    page.set_input_files("#composite", DEMO / "composite.jpg")
    page.get_by_label("Brush").wait_for()


def drag(page, *places):
    """Press the pointer on the easel, move it through places in [0, 1], let go."""
    page.evaluate("window.scrollTo(0, 0)")
    box = page.locator("#easel").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def press_harmonize(page):
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_text("Harmonized.").wait_for()


def test_a_painted_mask_is_the_one_that_is_harmonized(page, tmp_path):
    open_composite(page)
    page.get_by_label("Soft edge").fill("0")
    page.get_by_label("Size").fill("20")  # percent of the side, across
    drag(page, (0.3, 0.5), (0.6, 0.5))
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    side = 512
    assert mask.shape == (side, side)
    assert (mask[int(0.45 * side) : int(0.55 * side), int(0.3 * side) : int(0.6 * side)] == 255).all()
    assert not mask[: int(0.38 * side)].any()
    assert not mask[:, : int(0.18 * side)].any()
    save(page, "Picture", tmp_path / "out.png")
    picture, opacity = io.read_composite(DEMO / "composite.jpg", tmp_path / "mask.png")
    result, _ = jobs.harmonize(Harmonizer.load(threads=1), picture.pixels, opacity)
    np.testing.assert_array_equal(io.read_image(tmp_path / "out.png").pixels, result.image)


def test_strokes_are_erased_undone_inverted_and_cleared(page, tmp_path):
    open_composite(page)
    page.get_by_label("Soft edge").fill("0")
    drag(page, (0.3, 0.5), (0.6, 0.5))
    page.get_by_label("Brush").select_option("erase")
    drag(page, (0.45, 0.4), (0.45, 0.6))
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    assert mask[256, 170] == 255
    assert mask[256, 230] == 0
    page.get_by_role("button", name="Change the mask").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Invert").click()
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    assert (mask[256, 170:300] == 0).all()
    assert mask[20, 20] == 255
    page.get_by_role("button", name="Change the mask").click()
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Brush").select_option("paint")
    drag(page, (0.8, 0.8), (0.85, 0.8))
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    assert mask[410, 420] == 255
    assert not mask[256].any()


def test_a_mask_that_was_chosen_is_painted_further(page, tmp_path):
    page.set_input_files("#mask", DEMO / "mask.png")
    open_composite(page)
    page.get_by_label("Soft edge").fill("0")
    drag(page, (0.1, 0.1), (0.12, 0.1))
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    original = np.asarray(Image.open(DEMO / "mask.png").convert("L"))
    far = np.s_[100:]
    np.testing.assert_array_equal(mask[far], original[far])
    assert mask[51, 55] == 255
    assert original[51, 55] == 0


def test_the_brush_works_by_keys(page, tmp_path):
    open_composite(page)
    page.get_by_label("Soft edge").fill("0")
    easel = page.locator("#easel")
    easel.focus()
    for key in ("ArrowLeft", "ArrowLeft", " "):
        easel.press(key)
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    rows, columns = np.nonzero(mask)
    assert rows.mean() == pytest.approx(256, abs=1)
    assert columns.mean() == pytest.approx(256 - 0.02 * 512, abs=1)


def test_without_a_mask_the_page_says_what_to_do(page):
    open_composite(page)
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_role("alert").filter(has_text="Paint it with the brush").wait_for()


@pytest.fixture
def cut_out(tmp_path):
    """A cut-out of 60 x 40 pixels, blue above red, on a grey background of 400 x 300."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20], pixels[20:] = (0, 0, 200), (200, 0, 0)
    pixels[:, :10] = 255
    io.write_image(tmp_path / "cut.png", Picture(pixels, np.pad(np.full((36, 56), 255, np.uint8), 2)))
    io.write_image(tmp_path / "under.png", Picture(np.full((300, 400, 3), 120, np.uint8)))
    return tmp_path / "cut.png", tmp_path / "under.png"


def open_cut_out(page, cut_out):
    page.set_input_files("#composite", cut_out[0])
    page.set_input_files("#background", cut_out[1])
    page.get_by_label("Centre, x").wait_for()


def extent(mask):
    rows, columns = np.nonzero(mask > 127)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_cut_out_is_dragged_scaled_and_flipped(page, tmp_path, cut_out):
    open_cut_out(page, cut_out)
    drag(page, (0.5, 0.5), (0.25, 0.75))
    assert float(page.get_by_label("Centre, x").input_value()) == pytest.approx(100, abs=1)
    assert float(page.get_by_label("y", exact=True).input_value()) == pytest.approx(225, abs=1)
    page.get_by_label("Centre, x").fill("100")
    page.get_by_label("y", exact=True).fill("220")
    page.get_by_label("Flip").check()
    press_harmonize(page)
    mask = read_mask(page, tmp_path)
    assert mask.shape == (300, 400)
    assert extent(mask) == (72, 202, 128, 238)
    save(page, "Composite", tmp_path / "composite.png")
    composite = io.read_image(tmp_path / "composite.png").pixels
    np.testing.assert_array_equal(composite[205, 125], [255, 255, 255])  # the white edge is on the right now
    np.testing.assert_array_equal(composite[205, 80], [0, 0, 200])
    np.testing.assert_array_equal(composite[10, 10], [120, 120, 120])
    save(page, "Picture", tmp_path / "out.png")
    picture, opacity = io.read_composite(tmp_path / "composite.png", tmp_path / "mask.png")
    result, _ = jobs.harmonize(Harmonizer.load(threads=1), picture.pixels, opacity)
    np.testing.assert_array_equal(io.read_image(tmp_path / "out.png").pixels, result.image)


def test_a_corner_scales_the_cut_out(page, tmp_path, cut_out):
    open_cut_out(page, cut_out)
    drag(page, (0.5 + 30 / 400, 0.5 + 20 / 300), (0.5 + 60 / 400, 0.5 + 40 / 300))
    assert float(page.get_by_label("Scale, %").input_value()) == pytest.approx(200, abs=3)
    page.get_by_label("Scale, %").fill("200")
    press_harmonize(page)
    assert extent(read_mask(page, tmp_path)) == (144, 114, 256, 186)
    page.get_by_role("button", name="Move the cut-out").click()
    page.locator("#easel").press("ArrowRight")
    assert float(page.get_by_label("Centre, x").input_value()) > 200 - 0.5


@pytest.mark.parametrize("name", ["A portrait", "A cut-out and a background"])
def test_the_examples_are_harmonized(page, name):
    page.get_by_role("button", name=name).click()
    page.locator("#easel").wait_for()
    press_harmonize(page)
    assert len(theta_of(page)) == 6


def test_the_examples_are_those_of_the_demo(client_of_page):
    for name in ("composite.jpg", "mask.png", "foreground.png", "background.jpg"):
        assert client_of_page(f"studio/examples/{name}") == (DEMO / name).read_bytes()


@pytest.fixture
def client_of_page(url):
    import httpx

    return lambda path: httpx.get(f"{url}/{path}").content


DROP = """(files) => {
  const list = new DataTransfer();
  for (const [name, bytes] of files) list.items.add(new File([new Uint8Array(bytes)], name));
  const drop = new DragEvent("drop", { dataTransfer: list, bubbles: true, cancelable: true });
  document.getElementById("frame").dispatchEvent(drop);
}"""


def test_dropped_files_find_their_roles(page):
    page.evaluate(DROP, [[name, list((DEMO / name).read_bytes())] for name in ("mask.png", "composite.jpg")])
    page.get_by_label("Brush").wait_for()
    names = page.evaluate("['composite', 'mask'].map((role) => document.getElementById(role).files[0].name)")
    assert names == ["composite.jpg", "mask.png"]
    press_harmonize(page)


def test_work_can_be_cancelled(page, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (3000, 3000, 3), dtype=np.uint8)
    file = bytes_io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", compress_level=0)
    (tmp_path / "large.png").write_bytes(file.getvalue())
    Image.new("L", (3000, 3000), 255).save(tmp_path / "mask.png")
    page.set_input_files("#composite", tmp_path / "large.png")
    page.set_input_files("#mask", tmp_path / "mask.png")
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    assert page.locator("#progress").is_hidden()
    harmonize(page)


def test_a_key_is_asked_for_and_sent(browser):
    with serving(Harmonizer.load(threads=1), api_key="secret") as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_label("API key").fill("wrong")
        page.get_by_role("button", name="Use it").click()
        page.get_by_label("API key").fill("secret")
        page.get_by_role("button", name="Use it").click()
        harmonize(page)
        page.reload()
        harmonize(page)  # remembered for as long as the tab is open
        page.close()
