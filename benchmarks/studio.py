"""From slider to screen: how long the page takes to show a change, and how near its preview is to the picture.

From the repository root: python benchmarks/studio.py [--data DIR]. Starts `harmonizer serve` as a process and Chromium
without a GPU. DIR is the folder of iharmony4_sample and iharmony4_more, whose composites the preview is compared on;
without it, the demo's. Writes benchmarks/results/studio.md. Needs the extras `server` and `test`, and Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from report import describe_machine, grid

from harmonizer import io

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "studio.md"
DEMO = ROOT / "demo"
OPTIONS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
SCREEN: ViewportSize = {"width": 1920, "height": 1080}
# So large that a picture of 1920 x 1080 is shown pixel for pixel.
LARGE: ViewportSize = {"width": 2372, "height": 1600}
CHANGES = 200
SIDE = 1920  # of the preview: larger pictures are scaled down, and so cannot be compared
# Moves the slider of contrast, and tells the milliseconds to the end of the drawing, and to the frame after it.
MOVE = """async (changes) => {
  const slider = document.getElementById("theta-contrast");
  const { gl } = window.harmonizer.view;
  const canvas = document.getElementById("canvas");
  const times = [];
  for (let change = 0; change < changes; change++) {
    slider.value = ((change * 7) % 40) / 40 - 0.5;
    const wanted = Number(slider.value);
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => {
      const seen = new MutationObserver(() => {
        if (JSON.parse(canvas.dataset.shown).contrast !== wanted) return;
        seen.disconnect();
        resolve();
      });
      seen.observe(canvas, { attributes: true, attributeFilter: ["data-shown"] });
    });
    gl.finish();
    const drawn = performance.now() - start;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    times.push([drawn, performance.now() - start]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return times;
}"""
SHOWN = """() => { const { width, height, rows } = window.harmonizer.view.readPixels();
  let text = ""; for (const row of rows) text += String.fromCharCode(...row);
  return { width, height, pixels: btoa(text) }; }"""


@dataclass(frozen=True)
class Series:
    """Milliseconds of many changes, (N, 2): to the end of the drawing, and to the frame after it."""

    window: ViewportSize
    canvas: list[int]
    times: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """How near the preview is to the picture, over its foreground."""

    name: str
    within: float
    worst: int


def main() -> None:
    """Measure and write the page."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with served() as url, sync_playwright() as manager, tempfile.TemporaryDirectory() as folder:
        browser = manager.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        page = browser.new_page(viewport=SCREEN)
        page.goto(url)
        composite, mask = full_hd(Path(folder))
        series = [move_slider(page, window, composite, mask) for window in (SCREEN, LARGE)]
        page.set_viewport_size(SCREEN)
        agreements = [compare(page, *pair, Path(folder)) for pair in pairs(options.data, Path(folder))]
        version = browser.version
    text = write(series, agreements, version)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The URL of a service in a process of its own."""
    command = [sys.executable, "-m", "harmonizer", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        yield next(match[1] for line in server.stderr if (match := re.search(r"running on (http://\S+)", line)))
        server.terminate()


def full_hd(folder: Path) -> tuple[Path, Path]:
    """The demo's composite and mask at 1920 x 1080."""
    for name in ("composite.jpg", "mask.png"):
        Image.open(DEMO / name).resize((1920, 1080), Image.Resampling.LANCZOS).save(folder / name, quality=95)
    return folder / "composite.jpg", folder / "mask.png"


def move_slider(page: Any, window: ViewportSize, composite: Path, mask: Path) -> Series:
    """Change one slider many times, in a window of that size."""
    page.set_viewport_size(window)
    page.reload()
    harmonize(page, composite, mask)
    canvas = page.evaluate("[document.getElementById('canvas').width, document.getElementById('canvas').height]")
    page.evaluate(MOVE, 20)
    return Series(window, canvas, np.array(page.evaluate(MOVE, CHANGES)))


def harmonize(page: Any, composite: Path, mask: Path) -> None:
    """Choose the files and press the button."""
    page.set_input_files("#composite", composite)
    page.set_input_files("#mask", mask)
    page.locator("#easel").wait_for()
    page.get_by_role("button", name="Harmonize").click()
    page.get_by_text("Harmonized.").wait_for()


def pairs(data: Path | None, folder: Path) -> list[tuple[str, Path, Path]]:
    """Composites that fit into the preview as PNG, each with its mask."""
    if data is None:
        return [("demo", DEMO / "composite.jpg", DEMO / "mask.png")]
    found = []
    for composite in sorted(data.glob("iharmony4_*/*/composite_images/*.*")):
        mask = composite.parents[1] / "masks" / ("_".join(composite.stem.split("_")[:-1]) + ".png")
        target = folder / f"{composite.stem}.png", folder / f"{composite.stem}_mask.png"
        for source, small in zip((composite, mask), target, strict=True):
            picture = Image.open(source).convert("RGB" if source == composite else "L")
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            picture.save(small)
        found.append((composite.stem, *target))
    return found


def compare(page: Any, name: str, composite: Path, mask: Path, folder: Path) -> Agreement:
    """The preview of the predicted filters beside the picture that is downloaded."""
    from base64 import b64decode

    page.reload()
    harmonize(page, composite, mask)
    page.locator("#divider").fill("0")
    shown = page.evaluate(SHOWN)
    preview = np.frombuffer(b64decode(shown["pixels"]), np.uint8).reshape(shown["height"], shown["width"], 4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture", exact=True).click()
    download.value.save_as(folder / "out.png")
    picture = io.read_image(folder / "out.png").pixels
    opacity = io.read_mask(mask, picture.shape[:2])
    apart = np.abs(preview[..., :3].astype(int) - picture).max(axis=2)[opacity > 0]
    return Agreement(name, float((apart <= 2).mean()), int(apart.max()))


def write(series: list[Series], agreements: list[Agreement], browser: str) -> str:
    """The results page."""
    worst = min(each.within for each in agreements)
    first = float(np.median(series[0].times[:, 1]))
    verdict = "is" if first < 50 else "is not"
    rows = [
        ["{width} x {height}".format(**each.window), "{} x {}".format(*each.canvas), what]
        + [f"{np.percentile(each.times[:, column], share):.0f}" for share in (50, 95, 99)]
        for each in series
        for column, what in enumerate(("end of the drawing", "frame after it"))
    ]
    return "\n".join([
        "# From slider to screen",
        "",
        f"**Decision.** The preview {verdict} instant without a GPU: on a screen of 1920 x 1080 a change is shown "
        f"after {first:.0f} ms (median; the bound is 50 ms), and {worst:.2%} or more of the foreground's pixels are "
        "within 2/255 of the picture (the bound is 99.9 %).",
        "",
        f"A picture of 1920 x 1080; Chromium {browser} draws on the processor (SwiftShader), the service runs beside "
        f"it. {CHANGES} changes of one slider, 50 ms apart; milliseconds from its event. The second window is so "
        "large that the picture is shown pixel for pixel. A frame is counted when the browser begins the next one, so "
        "up to 17 ms of waiting for the screen are in it.",
        "",
        grid(["window", "canvas", "to the", "p50", "p95", "p99"], rows, 3),
        "",
        "The preview beside the picture that is downloaded, with the predicted filters, foreground only:",
        "",
        grid(
            ["composite", "within 2/255", "worst, of 255"],
            [[each.name, f"{each.within:.3%}", str(each.worst)] for each in agreements],
        ),
        "",
        f"{describe_machine()} `python benchmarks/studio.py --data DIR`.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
