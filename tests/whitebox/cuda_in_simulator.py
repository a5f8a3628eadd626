"""The CUDA plan against NumPy in float64. `test_cuda.py` runs this in a process that has Numba's simulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numba import cuda

import whitebox_filters as wf
from whitebox_filters.backends.cuda import kernels
from whitebox_filters.backends.cuda import plan as backend

TOLERANCE = {"uint8": 1, "uint16": 2, "float32": 1e-4, "float64": 1e-6}
MASKS = ("none", "all", "empty", "bool", "zeros and ones", "uint8", "uint16", "float32", "float64", "float16")


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks of a few threads: a small picture then takes several, and the simulator starts no thread for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "BLOCK", (2, 3))
        for name, value in {"THREADS": 4, "SUM_BLOCKS": 3, "HISTOGRAM_THREADS": 4, "HISTOGRAM_BLOCKS": 2}.items():
            patch.setattr(kernels, name, value)
        patch.setattr(kernels, "BOUND_COLUMNS", 2)
        patch.setattr(kernels, "BOUND_BLOCKS", 2)
        yield


def picture(size, dtype, seed=0):
    levels = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    return (np.random.default_rng(seed).random((*size, 3)) * levels + (0.5 if levels > 1 else 0)).astype(dtype)


def mask_of(kind, size, seed=0):
    random = np.random.default_rng(seed)
    soft = random.random(size) * (random.random(size) > 0.6)
    return {
        "none": None,
        "all": np.ones(size, np.bool_),
        "empty": np.zeros(size, np.float32),
        "bool": soft > 0,
        "zeros and ones": (soft > 0).astype(np.uint8),
        "uint8": (soft * 255).astype(np.uint8),
        "uint16": (soft * 65535).astype(np.uint16),
    }.get(kind, soft.astype(kind if kind.startswith("float") else np.float64))


def check(plan, cascade, theta, image, mask, way="new", mask_on_device=False, statistics=None):
    """The result in `way` is within a level of the oracle, and the input's bits where the mask is 0."""
    frame = cuda.to_device(image)
    out = {"new": None, "in place": frame, "other": cuda.to_device(np.zeros_like(image))}[way]
    given_mask = cuda.to_device(mask) if mask is not None and mask_on_device else mask
    returned = plan(frame, theta, given_mask, out, statistics)
    assert out is None or returned is out
    result = returned.copy_to_host()
    assert result.dtype == image.dtype
    assert result.shape == image.shape
    scale = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
    expected = cascade(image / np.float64(scale), theta, mask, statistics=statistics)
    assert np.abs(result - expected * scale).max() <= TOLERANCE[image.dtype.name]
    if mask is not None:
        alpha = mask if mask.dtype != np.float64 or image.dtype == np.float64 else mask.astype(np.float32)
        np.testing.assert_array_equal(result[alpha == 0], image[alpha == 0])
    if way != "in place":
        np.testing.assert_array_equal(frame.copy_to_host(), image)


def filters_and_theta():
    one = st.tuples(st.sampled_from(wf.names()), st.integers(-7, 7).map(lambda tenths: tenths / 10))
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda pair: pair[0])


SIX = list(zip(wf.DEFAULT_FILTERS, (0.3, -0.2, 0.4, 0.2, -0.3, 0.25), strict=True))
TABLE_ALONE = [("exposure", 0.2), ("contrast", -0.3), ("whites", 0.4), ("temperature", 0.5)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    chosen=filters_and_theta(),
    size=st.tuples(st.integers(1, 4), st.integers(1, 7)),
    dtype=st.sampled_from(list(TOLERANCE)),
    mask=st.sampled_from(MASKS),
    way=st.sampled_from(["new", "in place", "other"]),
    region=st.sampled_from(["frame", "mask"]),
    mask_on_device=st.booleans(),
    seed=st.integers(0, 9),
)
@example(SIX, (3, 5), "uint8", "uint8", "in place", "frame", True, 0)
@example(SIX, (3, 4), "uint8", "bool", "other", "mask", False, 0)
@example(SIX, (4, 3), "uint16", "float32", "in place", "frame", False, 0)
@example(SIX, (2, 3), "float32", "uint16", "new", "mask", True, 0)
@example(TABLE_ALONE, (4, 3), "uint8", "none", "in place", "frame", False, 0)
@example(SIX, (3, 3), "uint8", "empty", "other", "mask", False, 0)
def test_any_filters_in_any_order_agree_with_numpy(chosen, size, dtype, mask, way, region, mask_on_device, seed):
    names, theta = zip(*chosen, strict=True)
    cascade = wf.Cascade(names, statistics=region)
    plan = backend.Plan(cascade)
    check(plan, cascade, theta, picture(size, dtype, seed), mask_of(mask, size, seed), way, mask_on_device)


@pytest.mark.parametrize("name", wf.names())
def test_every_filter_agrees_with_numpy(name):
    cascade = wf.Cascade([name])
    check(backend.Plan(cascade), cascade, [0.4], picture((2, 3), "float32"), None)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_group_that_lies_in_two_rows_is_filtered_once(width, dtype):
    """In place, a second time would show; the box begins and ends within groups."""
    cascade = wf.Cascade(["fade"])
    mask = np.ones((4, width), np.uint8)
    mask[0] = 0
    mask[:, width // 2 + 1 :] = 0
    check(backend.Plan(cascade), cascade, [0.7], picture((4, width), dtype), mask, "in place")


@pytest.mark.parametrize(("width", "left"), [(12, 3), (13, 4)])
def test_a_box_that_begins_and_ends_within_groups(width, left):
    """Seven pixels that lie in three groups of four, not in two: in every row, or from the third on."""
    mask = np.zeros((4, width), np.uint8)
    mask[:, left : left + 7] = 1
    cascade = wf.Cascade(["fade"])
    check(backend.Plan(cascade), cascade, [0.7], picture((4, width), "uint8"), mask, "in place")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_frame_that_is_not_aligned_to_words(dtype, monkeypatch):
    image = picture((2, 3), dtype)
    memory = cuda.to_device(np.concatenate([image.ravel()[:1], image.ravel()]))
    view = type(memory).view

    def aligned(array, word):
        assert array.ctypes.data % np.dtype(word).itemsize == 0, "a GPU stops at such a load; the simulator does not"
        return view(array, word)

    monkeypatch.setattr(type(memory), "view", aligned)
    frame = memory[1:].reshape(2, 3, 3)
    cascade = wf.Cascade(["contrast"])
    result = backend.Plan(cascade)(frame, [0.3], None, frame)
    expected = cascade(image, [0.3]).astype(np.float64)
    assert np.abs(result.copy_to_host() - expected).max() <= TOLERANCE[dtype]
    assert memory.copy_to_host()[0] == image.ravel()[0]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_frozen_statistics_are_used(dtype):
    cascade = wf.Cascade(["shadow", "contrast"])
    image = picture((2, 3), dtype)
    check(backend.Plan(cascade), cascade, [0.2, 0.5], image, None, statistics=[None, np.array(0.1)])


def test_further_frames_allocate_nothing(monkeypatch):
    allocations = []
    for name in ("device_array", "to_device"):
        original = getattr(cuda, name)
        monkeypatch.setattr(cuda, name, lambda *args, made=original: allocations.append(1) or made(*args))
    plan = backend.Plan(wf.Cascade())
    random = np.random.default_rng(0)
    frames = [cuda.to_device(picture((2, 3), np.uint8, seed)) for seed in range(2)]
    allocations.clear()
    plan(frames[0], dict(SIX), random.random((2, 3)), frames[0])
    assert allocations
    allocations.clear()
    plan(frames[1], dict(SIX), random.random((2, 3)), frames[1])
    assert not allocations


FRAME = np.zeros((2, 3, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (np.zeros((2, 2), np.uint8), None, r"\(2, 2\)"),
        (np.zeros((2, 2, 4), np.uint8), None, r"\(2, 2, 4\)"),
        (np.zeros((2, 2, 3), np.int32), None, "int32"),
        (FRAME, np.zeros((3, 2)), r"\(3, 2\)"),
        (FRAME, np.zeros((2, 3), np.int64), "int64"),
        (FRAME, np.full((2, 3), 1.5), "1.5"),
        (FRAME, np.full((2, 3), -0.5, np.float32), "-0.5"),
        (FRAME, np.full((2, 3), np.nan, np.float32), "nan"),
    ],
)
def test_what_it_cannot_take(image, mask, message):
    plan = backend.Plan(wf.Cascade(["shadow"]))
    for given_mask in [mask] if mask is None else [mask, cuda.to_device(mask)]:
        with pytest.raises(wf.ImageError, match=message):
            plan(cuda.to_device(image), [0.1], given_mask)


def test_what_it_cannot_write_to():
    plan = backend.Plan(wf.Cascade(["shadow"]))
    memory = cuda.to_device(np.zeros(36, np.uint8))
    frame = memory[:18].reshape(2, 3, 3)
    with pytest.raises(wf.ImageError, match="ndarray"):
        plan(frame, [0.1], out=FRAME)
    with pytest.raises(wf.ImageError, match=r"\(2, 3, 3\).*\(3, 2, 3\)"):
        plan(frame, [0.1], out=cuda.to_device(np.zeros((3, 2, 3), np.uint8)))
    with pytest.raises(wf.ImageError, match="uint16"):
        plan(frame, [0.1], out=cuda.to_device(np.zeros((2, 3, 3), np.uint16)))
    with pytest.raises(wf.ImageError, match="overlaps"):
        plan(frame, [0.1], out=memory[9:27].reshape(2, 3, 3))
    with pytest.raises(wf.FilterError, match="2 entries"):
        plan(frame, [0.1], statistics=[None, None])
    with pytest.raises(wf.ThetaError):
        plan(frame, [1.1])


def test_a_plan_leaves_a_numpy_image_alone():
    image = picture((2, 3), np.uint8)
    before = image.copy()
    result = backend.Plan(wf.Cascade(["shadow"]))(image, [0.3])
    np.testing.assert_array_equal(image, before)
    assert np.abs(result.copy_to_host().astype(int) - wf.get("shadow")(image, 0.3)).max() <= 1
