"""Figures that a page repeats are those of the page that a benchmark wrote."""

from __future__ import annotations

import json
import re

import pytest
from doc_blocks import ROOT
from reliability import rows

PAGES = {
    name: " ".join((ROOT / name).read_text(encoding="utf-8").split())
    for name in ("README.md", "docs/faq.md", "docs/limits.md", "harmonizer/weights/README.md")
}
RESULTS = ROOT / "benchmarks/results"
# | **group** | composites (units) | before | after | share left | interval | geometric mean | improved |
ROW = re.compile(
    r"^\| \*{0,2}(\w+)\*{0,2} \| (\d+) \(\d+\) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|.*\| (\d+)% \|$", re.M
)
DEVELOPMENT = (RESULTS / "development.md").read_text(encoding="utf-8")
GROUPS = {
    int(count): {"before": before, "after": after, "left": float(left), "improved": improved}
    for _, count, before, after, left, improved in ROW.findall(DEVELOPMENT)
}
ERRORS = re.compile(r"\| (\d+)[^|]*\| ([\d.]+) \| ([\d.]+) \|(?: [\d.]+ \|)? (\d+) % \|")
SHARES = re.compile(r"\| (\d+) of [^|]*\| (\d+) % \| (\d+) % \|")


@pytest.mark.parametrize(("page", "rows"), [("README.md", 5), ("harmonizer/weights/README.md", 6)])
def test_errors_before_and_after(page, rows):
    found = ERRORS.findall(PAGES[page])
    assert len(found) == rows
    for count, before, after, improved in found:
        group = GROUPS[int(count)]
        assert (before, after, improved) == (group["before"], group["after"], group["improved"])


def test_shares_that_are_left():
    found = SHARES.findall(PAGES["docs/limits.md"])
    assert len(found) == 3
    for count, left, improved in found:
        group = GROUPS[int(count)]
        assert (int(left), improved) == (round(100 * group["left"]), group["improved"])


@pytest.mark.parametrize("page", ["docs/faq.md", "docs/limits.md"])
def test_what_becomes_of_pictures_that_need_nothing(page):
    [measured] = re.findall(r"real photographs by a mean fMSE of ([\d.]+),", DEVELOPMENT)
    assert f"mean squared error of {measured} over the foreground" in PAGES[page]


def test_the_score_of_the_model_card():
    [score] = re.findall(r"\| shipped \| \*\*([\d.]+)\*\*", DEVELOPMENT)
    assert f"share that is left, is {score};" in PAGES["harmonizer/weights/README.md"]


@pytest.mark.parametrize(
    ("said", "page", "measured"),
    [
        (
            r"\(benchmarks/results/cold_start.md\) \| ([\d.]+) s",
            "cold_start.md",
            r"photograph takes ([\d.]+) s to JPEG",
        ),
        (
            r"\(benchmarks/results/video.md\) \| ([\d.]+) frames",
            "video.md",
            r"shipped: frames a second of the whole pipeline \| at least 24 \|  \| ([\d.]+) \|",
        ),
        (
            r"\(benchmarks/results/fps_vs_filters.md\) \| (\d+) frames",
            "fps_vs_filters.md",
            r"fastest here: (\d+) frames",
        ),
        (r"frames a second, (\d+) times", "fps_vs_filters.md", r"times the frames of `released` .*?\| ([\d.]+) \| yes"),
    ],
)
def test_speeds_of_the_readme(said, page, measured):
    shown = re.search(said, PAGES["README.md"])[1]
    value = re.search(measured, (RESULTS / page).read_text(encoding="utf-8"))[1]
    places = len(shown.partition(".")[2])
    assert f"{float(value):.{places}f}" == shown


def test_the_largest_picture():
    from harmonizer.pictures.picture import MAX_PIXELS

    for page in ("docs/faq.md", "docs/limits.md"):
        assert f"{MAX_PIXELS:,} pixels" in PAGES[page]


def test_the_thumbnail():
    from harmonizer.predictor import WEIGHTS, read_config

    side = read_config(WEIGHTS / "config.json").input_size
    assert f"thumbnail of {side} x {side}" in PAGES["docs/faq.md"]


RELIABILITY = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")


def test_the_rows_of_faults_and_long_runs_are_those_that_were_measured():
    measured = rows.table(rows.read()).strip().splitlines()
    section = RELIABILITY.partition("## Faults and long runs\n\n")[2]
    assert section.splitlines()[: len(measured)] == measured


def test_the_number_of_hostile_inputs():
    targets = json.loads((RESULTS / "fuzz.json").read_text(encoding="utf-8"))["targets"].values()
    total = sum(each["corpus"] + each["mutations"] for each in targets)
    assert f"| {total:,} | {sum(len(each['faults']) for each in targets)} |" in RELIABILITY
