"""The documentation in a real browser: it loads nothing from elsewhere, fits a phone, and axe finds nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[2]
PAGES = ("docs/start.html", "docs/how_it_works.html", "docs/faq.html", "docs/api/whitebox_filters.html")
OF_THE_THEME = {"landmark-unique"}  # each block of code has a <nav> for its button, and no two have names


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    command = [sys.executable, "-m", "website"]
    done = subprocess.run(command, cwd=ROOT / "docs", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=ROOT / "build/site")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_pages(browser, url):
    found: list[str] = []

    def note(request):
        if not request.url.startswith((url, "blob:", "data:")):
            found.append(request.url)

    def note_error(error):
        found.append(str(error))

    for width, scheme in ((1280, "light"), (390, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        page.on("pageerror", note_error)
        page.on("request", note)
        for name in PAGES:
            page.goto(url + name)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{name} is wider than {width}")
            violations = Axe().run(page).response["violations"]
            found += [
                f"{name}, {width}, {scheme}: {rule['id']}, {rule['nodes'][0]['html'][:200]}"
                for rule in violations
                if rule["id"] not in OF_THE_THEME
            ]
        context.close()
    assert found == []
