"""The comparison of speeds: that it runs, and that its page says what was measured. No figure is asserted."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from baselines import CONTENDERS, COPY, NUMBA, RELEASED
from fps import cases, clock, roofline
from fps.cases import FULL, QUARTER, Case, Limits, Memory, Results, Work
from fps.page import page
from fps.ratios import ratios
from report import digits

from whitebox_filters.native import cores

ROOT = Path(__file__).parents[2]


def measured():
    """Figures chosen so that every ratio is known: at 100 ms and 2 ms, ours makes 50 times the frames."""
    results = Results({"1080p": (1920, 1080), "720p": (1280, 720)}, (2, 6, 8, 16), command="python that")
    for name, mask, count, seconds in [
        (RELEASED.name, FULL, 6, 0.1),
        (RELEASED.name, QUARTER, 6, 0.1),
        ("ours, torch.compile", FULL, 6, 0.02),
        ("ours, torch.compile with conversion", FULL, 6, 0.014),
        (NUMBA.name, FULL, 2, 0.0018),
        (NUMBA.name, FULL, 6, 0.002),
        (NUMBA.name, FULL, 8, 0.00198),
        (NUMBA.name, FULL, 16, 0.0036),
        (NUMBA.name, QUARTER, 6, 0.001),
    ]:
        results.seconds[Case("1080p", mask, count, name)] = [0.5 * seconds, seconds, 5 * seconds]
    results.memory[NUMBA.name] = Memory(extra=110, frame=100, mask=33, seconds=0.05)
    results.first_frame = [0.9, 0.7, 0.6]
    pixels = 1920 * 1080
    results.limits = Limits(operations=1e9, look_ups=1e9, sums=5e8)
    results.work = {2: Work(7, 3, 0, 7, 2e-8 * pixels), 8: Work(10, 6, 3, 30, 5e-8 * pixels)}
    return results


def test_ratios_are_quotients_of_medians():
    found = [ratio.reached for ratio in ratios(measured())]
    assert found == pytest.approx([50, 100, 7, 1.1, 2, 1.1, 2.43, 0.7])
    assert [ratio.met for ratio in ratios(measured())] == [True, True, True, True, False, True, True, True]


def test_the_page_says_what_is_not_met_and_what_was_not_measured():
    text = page(measured())
    assert "Not met: time of k = 16 over k = 2." in text
    assert "| times the frames of `released` | at least 30 | 60 | 50 | yes |" in text
    assert "`ours, numba` is the fastest here: 500 frames a second" in text
    nothing = Results({"1080p": (1920, 1080)}, (6,))
    assert page(nothing).count("| not measured |") == 8
    assert not any(ratio.met for ratio in ratios(nothing))


def test_the_roofline_says_what_the_core_leaves_room_for():
    text = page(measured())
    assert "| k = 2 | 7 | 3 | 0 | 7 | 10 | 20 | 50% |" in text
    assert "At these limits k = 8 would still take 2.1 times what k = 2 takes, more than the 1.15 required." in text
    added = measured()
    added.seconds[Case("1080p", FULL, 6, COPY.name)] = [0.0005]
    added.work[6] = Work(10, 4, 5, 4, 1.0)  # 10 ns of sums, 8 ns of all else
    seconds = (0.75 * 0.0005 + 1920 * 1080 * (10e-9 + 8e-9 / 4)) / cores.count()
    assert f"would take {digits(1e3 * seconds)} ms, and make {digits(0.1 / seconds)} times the frames" in page(added)
    roomy = measured()
    roomy.work[8] = Work(10, 6, 0, 10, 1.0)
    assert "k = 8 would still take 0.8 times what k = 2 takes, less than the 1.15 required." in page(roomy)


def test_what_filters_ask_for():
    work = roofline.work(("brightness", "saturation", "contrast"), (96, 64))
    assert work.look_ups == 3  # contrast in the last pass; brightness, in both, is a line
    assert work.operations >= 6 * roofline.LINE + 2 * roofline.operations("saturation")
    assert roofline.work(("gamma", "contrast"), (96, 64)).sums == 0
    assert roofline.operations("brightness") >= 9  # a product and two clamps a channel
    assert roofline.operations("gamma") > roofline.operations("saturation")


def test_reasons_are_given_for_empty_cells():
    results = measured()
    for count in (8, 16):
        results.skipped[Case("1080p", FULL, count, RELEASED.name)] = "it has no tint"
    assert "- released, k = 8 at 1080p, k = 16 at 1080p: it has no tint." in page(results)
    for count in (8, 16):
        results.skipped[Case("720p", FULL, count, RELEASED.name)] = "it has no tint"
    assert "- released, k = 8, k = 16: it has no tint." in page(results)


def test_contenders_take_turns_in_rounds():
    calls = []
    seconds, skipped = clock.measure(
        {name: lambda name=name: calls.append(name) for name in "abc"}, 3, lambda name: 100.0 if name == "c" else 0.0
    )
    assert [name for name, _ in itertools.groupby(calls)] == ["a", "b"] * 4  # warm-up, then three rounds
    assert {name: len(found) for name, found in seconds.items()} == {"a": 3 * clock.MOST, "b": 3 * clock.MOST}
    assert list(skipped) == ["c"]
    assert "100 s" in skipped["c"]


def test_what_turns_out_too_slow_is_left_out(monkeypatch):
    monkeypatch.setattr(clock, "LIMIT", -1.0)
    monkeypatch.setattr(clock, "clock", lambda run: 7.0)
    assert clock.measure({"a": lambda: None}, 3, lambda key: -2.0)[1]["a"].startswith("a frame takes 7 s")


def test_what_does_not_compile_in_time_is_left_out(monkeypatch):
    monkeypatch.setattr(clock, "PATIENCE", 1)
    seconds, skipped = clock.measure({"a": lambda: time.sleep(3), "b": lambda: None}, 1, lambda key: 0.0)
    assert list(seconds) == ["b"]
    assert skipped == {"a": "not compiled after 1 s"}


def test_the_sets_grow_and_their_theta_stays():
    sets = cases.sets()
    assert tuple(sets) == (1, 2, 4, 6, 8, 16, 32, 40)
    for smaller, larger in itertools.pairwise(sets.values()):
        assert set(smaller) < set(larger)
        kept = dict(zip(larger, cases.arguments(larger), strict=True))
        assert cases.arguments(smaller) == tuple(kept[name] for name in smaller)
    assert np.abs(cases.arguments(sets[40])).max() <= 0.5


@pytest.mark.parametrize("size", [(96, 64), (640, 361)])
def test_the_ellipse_is_a_quarter_of_the_frame(size):
    mask = cases.mask(QUARTER, size)
    assert mask.shape == size[::-1]
    assert mask.mean() / 255 == pytest.approx(0.25, rel=0.03)
    assert {0, 255} < set(mask.ravel().tolist())  # and the soft edge
    assert cases.mask(FULL, size).min() == 255


def test_a_quick_run_makes_the_whole_page(tmp_path):
    """torch.compile leaves functions as they are here: what it does is tested where it is used."""
    out = tmp_path / "page.md"
    finished = subprocess.run(
        [sys.executable, "benchmarks/fps_vs_filters.py", "--quick", "--out", str(out)],
        env=os.environ | {"TORCHDYNAMO_DISABLE": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    text = out.read_text(encoding="utf-8")
    required = text.split("## What was required")[1].split("##")[0]
    assert "not measured" not in required
    for ratio in ratios(measured()):
        assert f"| {ratio.what} |" in required
    for contender in CONTENDERS:
        assert f"\n| {contender.name} |" in text or f"- {contender.name}, " in text
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md", "page.png"]
