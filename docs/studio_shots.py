"""Photograph the page for docs/studio.md: python docs/studio_shots.py. Needs the extra `test` and Chromium."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests/browser"), str(ROOT / "tests/server")]

from conftest import CHROMIUM, OPTIONS  # noqa: E402
from socket_service import serving  # noqa: E402
from studio_steps import harmonize  # noqa: E402

from harmonizer import Harmonizer  # noqa: E402

DOCS = ROOT / "docs"


def main() -> None:
    """Take all pictures."""
    with serving(Harmonizer.load()) as url, sync_playwright() as manager:
        browser = manager.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        for name, width, height, scheme in (("studio", 1280, 1000, "light"), ("studio_phone", 390, 844, "dark")):
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(url)
            harmonize(page)
            page.wait_for_function("document.getElementById('histogram').ariaLabel")
            take(page, name)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.get_by_role("button", name="A cut-out and a background").click()
        page.locator("#easel").wait_for()
        for label, value in (("Centre, x", 250), ("y", 260), ("Scale, %", 62)):
            page.get_by_label(label, exact=True).fill(str(value))
        page.get_by_label("Flip").check()
        take(page, "studio_place")


def take(page: Any, name: str) -> None:
    """Write a screenshot as JPEG, for it shows a photograph."""
    page.screenshot(path=DOCS / f"{name}.jpg", type="jpeg", quality=88)


if __name__ == "__main__":
    main()
