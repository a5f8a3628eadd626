"""The results page: that its figures say what they are said to."""

from __future__ import annotations

import pytest
from paper_tables import page


def scored(name: str, before: float, after: float) -> dict[str, object]:
    return {"name": name, "scores": {"composite": {"fmse": before}, "cascade": {"fmse": after}}}


def test_pictures_that_agree_leave_no_doubt():
    low, high = page.interval([scored(f"a{index}_1_1", 100, 40) for index in range(6)], "cascade")
    assert low == pytest.approx(0.4)
    assert high == pytest.approx(0.4)


def test_composites_of_one_photograph_are_drawn_together():
    # Were they drawn apart, ten composites would make the interval narrower than two photographs can.
    pictures = [scored(f"{name}_1_{index}", 100, after) for name, after in (("a", 20), ("b", 80)) for index in range(5)]
    assert page.interval(pictures, "cascade") == pytest.approx((0.2, 0.8))


def test_names_without_a_number_are_pictures_of_their_own():
    low, high = page.interval([scored("1", 100, 20), scored("2", 300, 240)], "cascade")
    assert low == pytest.approx(0.2)
    assert high == pytest.approx(0.8)
