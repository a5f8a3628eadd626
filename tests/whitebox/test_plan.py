"""The compiled cascade on the CPU: as exact as it says, on any layout, in few passes."""

import dataclasses
import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import whitebox_filters as wf
from whitebox_filters.backends import passes as planned
from whitebox_filters.backends.cpu import frames, kernels, prepass, tables
from whitebox_filters.native import cores, workers

THETA = (0.3, -0.2, 0.25, 0.3, -0.3, 0.25)

BANDS = {name for name in wf.names() if name.endswith(("_hue", "_saturation", "_luminance"))}
LIMITS = {np.dtype(np.uint8): 1, np.dtype(np.uint16): 2, np.dtype(np.float32): 1e-3}


@pytest.fixture(scope="module")
def photo():
    path = next((Path(__file__).parents[2] / "demo").glob("*.jpg"))
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((301, 203)))


def one_by_one(names, image, theta, mask=None):
    """The cascade by NumPy in float64, in levels of the image's dtype."""
    full = {"u": np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1, "f": 1}[image.dtype.kind]
    return wf.Cascade(names)(image / np.float64(full), theta, mask) * full


def off(result, expected):
    rounded = np.floor(expected + 0.5) if result.dtype.kind == "u" else expected
    return np.abs(result.astype(np.float64) - rounded).max()


@st.composite
def scenes(draw):
    """A picture in some layout of memory, a soft mask or none, filters in any order, and their arguments."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 300))
    dtype = draw(st.sampled_from(sorted(LIMITS, key=str)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = generator.random((height, width, 3)) ** generator.uniform(0.3, 3)
    image = (values * np.iinfo(dtype).max).astype(dtype) if dtype.kind == "u" else values.astype(dtype)
    image = draw(st.sampled_from([lambda a: a, lambda a: a[::-1], lambda a: a[:, ::-1], np.asfortranarray, _roomy]))(
        image
    )
    masks = [
        None,
        np.zeros((height, width)),
        generator.random((height, width)),
        generator.random((height, width)) > 0.7,
    ]
    mask = draw(st.sampled_from(masks))
    names = draw(st.lists(st.sampled_from(wf.names()), min_size=1, max_size=6))
    return image, mask, names, generator.uniform(-0.9, 0.9, len(names))


def _roomy(image):
    """A part of a larger picture: its rows are whole, but not next to each other."""
    larger = np.zeros((image.shape[0] + 2, image.shape[1] + 5, 3), image.dtype)
    larger[1:-1, 2:-3] = image
    return larger[1:-1, 2:-3]


@settings(max_examples=60)
@given(scenes())
def test_any_filters_in_any_order_are_as_one_by_one_in_float64(scene):
    image, mask, names, theta = scene
    # NumPy measures what it is given: rounded levels, as the plan does.
    result = wf.Cascade(names).compile("numba")(image, theta, mask)
    assert result.dtype == image.dtype
    assert off(result, one_by_one(names, image, theta, mask)) <= LIMITS[image.dtype]
    if mask is not None:
        np.testing.assert_array_equal(result[mask == 0], image[mask == 0])


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("names", [wf.DEFAULT_FILTERS, tuple(n for n in wf.names() if n not in BANDS)], ids=len)
def test_every_pixel_of_a_photograph(photo, names, dtype):
    scale = np.iinfo(dtype).max // 255 if dtype.kind == "u" else 1 / 255
    image = (photo.astype(np.float64) * scale).astype(dtype)
    for seed in range(3):
        theta = np.random.default_rng(seed).uniform(-0.5, 0.5, len(names))
        assert off(wf.Cascade(names).compile("numba")(image, theta), one_by_one(names, image, theta)) <= LIMITS[dtype]


@pytest.mark.parametrize("theta", [-1, 1])
def test_the_ends_of_the_range(photo, theta):
    """Where curves are steepest no table will do, and the filters themselves run."""
    for names in (["saturation", "shadow", "highlight"], ["hue", "brightness", "shadow"]):
        arguments = [0.3] + [theta] * (len(names) - 1)
        result = wf.Cascade(names).compile("numba")(photo, arguments)
        assert off(result, one_by_one(names, photo, arguments)) <= 1


def test_no_filter_changes_anything_at_zero(photo):
    every = wf.Cascade(wf.names()).compile("numba")
    for image in (photo, photo.astype(np.uint16) * 257, photo.astype(np.float32) / 255):
        np.testing.assert_array_equal(every(image, np.zeros(len(wf.names()))), image)


@pytest.mark.parametrize("region", ["frame", "mask"])
@pytest.mark.parametrize("dtype", LIMITS, ids=str)
def test_statistics_given_back_make_the_same_bits(photo, dtype, region):
    image = photo if dtype == np.uint8 else (photo / 255 * (65535 if dtype == np.uint16 else 1)).astype(dtype)
    mask = np.linspace(0, 1, photo[..., 0].size, dtype=np.float32).reshape(photo.shape[:2])
    cascade = wf.Cascade(["temperature", "saturation", "contrast", "shadow"], statistics=region)
    ready, theta = cascade.compile("numba"), [0.3, 0.2, -0.4, 0.1]
    found = ready.statistics(image, theta, mask)
    for value, expected in zip(found, cascade.statistics(image / np.float64(image.max()), theta, mask), strict=True):
        assert (value is None) == (expected is None)
        assert value is None or np.abs(value - expected).max() < 0.01
    np.testing.assert_array_equal(ready(image, theta, mask, statistics=found), ready(image, theta, mask))
    partly = ready.statistics(image, theta, mask, statistics=[[0.9, 0.1, 0.1], None, None, None])
    assert partly[0] == [0.9, 0.1, 0.1]
    assert abs(partly[2] - found[2]) > 1e-3


@pytest.mark.parametrize("mask", [None, "soft"])
def test_out_may_be_the_picture_itself_or_a_part_of_a_larger_one(photo, mask):
    mask = None if mask is None else np.linspace(0, 1, photo[..., 0].size).reshape(photo.shape[:2])
    compiled_cascade = wf.Cascade().compile("numba")
    expected = compiled_cascade(photo, THETA, mask)
    for out in (photo.copy(), _roomy(photo)):
        source = out if out.base is None else photo
        assert compiled_cascade(source, THETA, mask, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda image: image[:-1], "out is an array of the image's uint8"),
        (lambda image: image.astype(np.uint16), "out is an array of the image's uint8.*got uint16"),
        (lambda image: image.tolist(), "got list"),
        (np.asfortranarray, "rows hold their pixels one after the other"),
        (lambda image: image[::-1], "another layout"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(photo, spoil, message):
    with pytest.raises(wf.ImageError, match=message):
        wf.Cascade().compile("numba")(photo, THETA, out=spoil(photo))


def test_an_overlapping_out_is_refused(photo):
    large = np.concatenate([photo, photo])
    with pytest.raises(wf.ImageError, match="overlapping"):
        wf.Cascade().compile("numba")(large[: len(photo)], THETA, out=large[1 : len(photo) + 1])


def test_a_frame_needs_no_memory_of_its_size(photo):
    image = np.tile(photo, (9, 9, 1))
    out, mask = image.copy(), np.full(image.shape[:2], 200, np.uint8)
    compiled_cascade = wf.Cascade().compile("numba")
    compiled_cascade(image, THETA, mask, out=out)
    tracemalloc.start()
    compiled_cascade(image, THETA, mask, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < image.nbytes / 8


def test_threads_may_share_a_plan(photo):
    shared = wf.Cascade().compile("numba")
    thetas = np.random.default_rng(0).uniform(-0.5, 0.5, (16, 6))
    expected = [shared(photo, theta) for theta in thetas]
    with ThreadPoolExecutor(4) as pool:
        for result, goal in zip(pool.map(lambda theta: shared(photo, theta), thetas), expected, strict=True):
            np.testing.assert_array_equal(result, goal)


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("costs", [[0] * 9, [7], [100_000] * 9, [0, 0, 50_000, 90_000, 0, 1, 0], [0] * 5 + [10**6]])
def test_each_row_that_costs_anything_is_in_one_range(costs, most):
    cuts = cores.split_rows(np.array(costs, np.int64), most).tolist()
    assert len(cuts) <= most + 1
    rows = [row for top, bottom in pairwise(cuts) for row in range(top, bottom)]
    assert len(rows) == len(set(rows))
    assert {row for row, cost in enumerate(costs) if cost} <= set(rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.bool_])
def test_the_spans_of_a_mask_are_what_it_touches(dtype):
    mask = np.zeros((4, 700), dtype)
    mask[1, 3], mask[1, 690], mask[2, 300], mask[3, 0], mask[3, 699] = 1, 1, 1, 1, 1
    frame = frames.open_frame(np.zeros((4, 700, 3), np.uint8))
    with workers.Workers(1) as alone:
        spans = prepass.run_prepass(alone, frame, frames.open_mask(mask, frame), summed=False).mask.spans
    assert spans[0, 0] == spans[0, 1]
    assert spans[1:].tolist() == [[3, 691], [300, 301], [0, 700]]


def test_a_plan_says_what_it_will_do():
    text = str(wf.Cascade().compile("numba"))
    eight, sixteen, _ = re.split(r"\n  (?=\S)", text)[1:]
    assert eight.startswith("8 bits: 3 passes, 12 bytes a pixel")
    assert "add up levels for contrast (3 bytes" in eight
    assert sixteen.startswith("16 bits: 3 passes, 24 bytes a pixel")
    assert "measure means for contrast (6 bytes a pixel): temperature > brightness" in sixteen
    assert eight.endswith("temperature > brightness > contrast > saturation > highlight > shadow")


def test_a_statistic_behind_a_mixing_filter_takes_a_pass_of_its_own():
    purposes = [
        (each.purpose, each.filters) for each in planned.passes(wf.Cascade(["hue", "contrast"]), eight_bits=True)
    ]
    assert purposes == [("measure means", ("hue",)), ("filter pixels", ("hue", "contrast"))]


def test_a_histogram_of_the_frame_does_not_tell_the_means_inside_a_mask():
    passes = planned.passes(wf.Cascade(["contrast"], statistics="mask"), eight_bits=True)
    assert [each.purpose for each in passes] == ["measure means", "filter pixels"]


def stages(*given):
    real = np.dtype(np.float32)
    chosen = []
    for name, coefficients in given:
        filter = wf.get(name)
        kernel = kernels.filter_block(filter.pixel, real)
        values = np.array([*coefficients, 0], real)
        chosen.append(tables.Stage(kernel, values, filter))
    return chosen


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("highlight", [0.3]), ("shadow", [0.3])], [None]),
        ([("saturation", [1.2]), ("highlight", [0.3]), ("shadow", [0.3])], ["saturation", None]),
        ([("brightness", [1.2])], ["brightness"]),  # cheaper than a look-up
        ([("brightness", [900.0]), ("shadow", [0.3])], ["brightness", "shadow"]),  # too steep for a table
    ],
)
def test_tables_stand_for_runs_where_they_are_as_good(given, expected):
    found = tables.tabulate_runs(stages(*given), np.dtype(np.uint8))
    assert [stage.filter.name if stage.filter else None for stage in found] == expected
    assert len(tables.tabulate_runs(stages(*given), np.dtype(np.float32))) == len(given)


@pytest.mark.parametrize(
    ("given", "replaced"),
    [
        ([("highlight", [0.3]), ("shadow", [-0.3])], True),
        ([], False),
        ([("brightness", [1.2])], False),  # cheaper than a look-up
        ([("brightness", [900.0]), ("shadow", [-0.3])], False),  # too steep for a table
    ],
)
def test_stored_values_stand_for_the_last_run_where_they_are_as_good(given, replaced):
    chosen = stages(*given)
    assert (tables.make_output_table(chosen, np.dtype(np.uint8)) is None) == (not replaced)
    assert tables.make_output_table(chosen, np.dtype(np.uint16)) is None


@pytest.mark.parametrize("given", [[("highlight", [0.3]), ("shadow", [-0.3])], [("shadow", [-0.3]), ("fade", [0.2])]])
def test_one_table_of_stored_values_is_as_good_as_three(given):
    chosen = stages(*given)
    one = tables.make_output_table(chosen, np.dtype(np.uint8))
    each = [stage._replace(filter=dataclasses.replace(stage.filter, channels="each")) for stage in chosen]
    three = tables.make_output_table(each, np.dtype(np.uint8))
    assert (len(one), len(three)) == (1, 3)
    np.testing.assert_array_equal(three, np.repeat(one, 3, axis=0))


@pytest.mark.parametrize("mask", [None, "soft"])
def test_stored_values_are_less_than_a_level_off(mask, monkeypatch):
    levels = np.arange(256, dtype=np.uint8)
    image = np.stack(np.broadcast_arrays(levels[:, None], levels, levels[::-1, None]), axis=2)
    mask = None if mask is None else np.linspace(0, 1, image[..., 0].size, dtype=np.float32).reshape(256, 256)
    cascade, theta = wf.Cascade(["saturation", "shadow", "temperature", "red_gain"]), [0.1, 0.55, 0.3, -0.2]
    frozen = [None, None, np.array([0.5, 0.4, 0.3]), None]
    exact = 255 * cascade(image / 255, theta, mask, statistics=frozen)
    used, render = [], kernels.render
    monkeypatch.setattr(kernels, "render", lambda *kinds, **how: used.append(how["to_table"]) or render(*kinds, **how))
    assert np.abs(cascade.compile("numba")(image, theta, mask, statistics=frozen) - exact).max() < 1
    assert used == [True]


@pytest.mark.parametrize("name", [name for name in wf.names() if name not in BANDS] + ["blue_hue"])
def test_every_filter_compiles_to_vectors_without_calls(name):
    text, _ = kernels.filter_block(wf.get(name).pixel, np.dtype(np.float32)).compile()
    body = text[text.index("filter_block") :].split("\n}")[0]
    assert re.search(r"<\d+ x float>", body)
    assert not re.search(r"@(pow|atan2|llvm\.pow)", body)
