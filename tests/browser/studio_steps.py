"""What a user does on the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

DEMO = Path(__file__).parents[2] / "demo"
SHOWN = """() => { const { width, height, rows } = window.harmonizer.view.readPixels();
  return { width, height, pixels: rows.map((row) => Array.from(row)).flat() }; }"""


def harmonize(page):
    page.set_input_files("#composite", DEMO / "composite.jpg")
    page.set_input_files("#mask", DEMO / "mask.png")
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_text("Harmonized.").wait_for()


def theta_of(page):
    return json.loads(page.locator("#canvas").get_attribute("data-shown"))


def wait_for(page, name, value):
    """Wait until a filter is shown with that theta."""
    condition = "([name, value]) => JSON.parse(document.getElementById('canvas').dataset.shown)[name] === value"
    page.wait_for_function(condition, arg=[name, value])


def move(page, name, value):
    """Type theta of a filter, and wait until it is shown."""
    field = page.get_by_role("spinbutton", name=f"theta of {name}")
    field.fill(str(value))
    field.press("Enter")
    wait_for(page, name, value)


def shown(page):
    """The picture on the canvas, all of it after the filters, (H, W, 3) uint8."""
    page.locator("#divider").fill("0")
    found = page.evaluate(SHOWN)
    return np.array(found["pixels"], np.uint8).reshape(found["height"], found["width"], 4)[..., :3]


def save(page, name, path):
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    download.value.save_as(path)
    return download.value.suggested_filename
