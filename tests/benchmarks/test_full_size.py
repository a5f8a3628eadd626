"""The page of the development sets at full size, and calibration: that its figures say what they are said to."""

from __future__ import annotations

from pathlib import Path

import calibration
import full_size
import numpy as np
import pytest
from calibration import Change
from development_cases import GROUPS, NO_OP, Picture
from full_size import Measured

from harmonizer.evaluation.samples import Sample


def sample(composite: int, real: int) -> Sample:
    mask = np.zeros((4, 4), np.float32)
    mask[:2] = 1
    pictures = (np.full((4, 4, 3), level, np.uint8) for level in (composite, real))
    return Sample("a_1_1", "subset", next(pictures), mask, next(pictures))


@pytest.mark.parametrize(("reached", "multiple"), [(100, 2.0), (120, 1.0), (160, 0.5)])
def test_the_best_multiple_tells_by_how_much_changes_are_too_small_or_too_large(reached, multiple):
    change = calibration.measure_change(sample(80, 120), np.full((4, 4, 3), reached, np.uint8), 0.1)
    assert change.left == pytest.approx((reached - 120) ** 2)
    assert calibration.best_multiple([change]) == pytest.approx(multiple)


def test_only_the_foreground_counts():
    harmonized = np.full((4, 4, 3), 120, np.uint8)
    harmonized[2:] = 7
    assert calibration.measure_change(sample(80, 120), harmonized, 0.0).left == 0


def test_the_verdict_tells_whether_doubt_goes_with_smaller_changes():
    bold = [Change(change=doubt, agreement=doubt, need=doubt, doubt=doubt) for doubt in range(1, 9)]
    careful = [Change(change=9 - doubt, agreement=1, need=10, doubt=doubt) for doubt in range(1, 9)]
    assert calibration.verdict(bold).startswith("It does not change less")
    assert calibration.verdict(careful).startswith("It changes less")


def test_quarters_are_in_the_order_of_their_key():
    changes = [Change(change=float(size), agreement=0.0, need=100.0, doubt=0.0) for size in (64, 4, 36, 16)]
    table = calibration.quarter_table(changes, lambda each: each.change, "change")
    assert [line.split("|")[2].strip() for line in table.splitlines()[2:]] == ["2.0", "4.0", "6.0", "8.0"]


def measured(group: str, name: str, before: float, after: float, coverage: float = 0.1) -> Measured:
    picture = Picture(group, f"of {group}", name, name, {"composite": before, full_size.NETWORK: after})
    return Measured(picture, coverage, Change(1.0, 1.0, 2.0, 0.1), (before * coverage, after * coverage))


def test_the_page_has_groups_sizes_published_figures_and_the_worst_first(tmp_path: Path):
    columns = [
        f"{name}_{metric}" for name in ("composite", "harmonizer", "DCCF", "PCTNet_ViT") for metric in ("MSE", "fMSE")
    ]
    for folder, name in (("iharmony4_sample", "a1_1_1"), ("iharmony4_more", "f9_1_1")):
        (tmp_path / folder).mkdir()
        line = ",".join([name, *(str(100 + number) for number in range(len(columns)))])
        (tmp_path / folder / "published.csv").write_text(f"name,{','.join(columns)}\n{line}\n")
    pictures = [
        measured("iharmony4", "a1_1_1", 1000, 400, coverage=0.04),
        measured("iharmony4", "f9_1_1", 1000, 800),
        *(measured(group, f"{group}{index}", 100, 50 + index) for group in GROUPS[1:] for index in range(6)),
        measured("eq8", "spoiled", 10, 900),
        measured(NO_OP, "untouched", 0, 44),
    ]
    page = full_size.page(pictures, tmp_path, "the command", 1)
    assert page.splitlines()[2].startswith(
        "**Decision.** At full size the network leaves 60% of the fMSE of 2 pictures"
    )
    assert "mean fMSE of 44" in page
    assert "| **iharmony4** | 2 (2) | 1000.0 | 600.0 | 0.600 |" in page
    assert "| foreground 0-5 % | 1 (1) | 1000.0 | 400.0 |" in page
    assert "| a1_1_1 | 40.0 | 1000.0 | 16.0 | 400.0 | 102.0 | 103.0 |" in page
    assert "| **mean** | **70.0** | **1000.0** | **48.0** | **600.0** |" in page
    worst = page[page.index("## The worst") : page.index("## The middle")]
    assert worst.splitlines()[7].startswith("| spoiled |")
    assert "untouched" not in worst  # it has no share left
