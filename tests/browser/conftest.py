"""Chromium on a page of a service that runs in this process."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "server"))

from socket_service import serving

from harmonizer import Harmonizer

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Without a GPU; and nothing that a browser asks of its makers.
OPTIONS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]


@pytest.fixture(scope="session")
def url():
    with serving(Harmonizer.load(threads=1)) as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-browser")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: make test-browser installs it")
    with playwright.sync_playwright() as manager:
        browser = manager.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, url):
    """The page, on which nothing may go wrong unseen, and which may load nothing from elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("request", lambda request: request.url.startswith((url, "blob:", "data:")) or mistakes.append(request.url))
    page.goto(url)
    yield page
    context.close()
    assert mistakes == []
