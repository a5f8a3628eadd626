"""The compiled cascade on tensors against the plain one."""

from __future__ import annotations

import functools

import pytest
import torch

import whitebox_filters as wf

NAMES = ("temperature", "contrast", "shadow")
GENERATOR = torch.Generator().manual_seed(0)
IMAGE = torch.rand(2, 3, 6, 5, generator=GENERATOR, dtype=torch.float64)
THETA = torch.rand(2, 3, generator=GENERATOR, dtype=torch.float64) - 0.5
MASK = torch.rand(2, 1, 6, 5, generator=GENERATOR, dtype=torch.float64)
MASK[..., :2] = 0


@pytest.fixture
def traced(monkeypatch):
    """torch.compile as far as its graph: what the graph holds is run by torch, without seconds of C++."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))


# torch looks at .grad of the mask's other view when it compiles, and hides its own warning of it from all but pytest.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_results_and_gradients_are_those_of_the_plain_cascade():
    cascade, weights = wf.Cascade(NAMES), torch.rand(2, 3, 6, 5, generator=GENERATOR, dtype=torch.float64)
    results, slopes = [], []
    for call in (cascade, cascade.compile("torch")):
        inputs = [tensor.clone().requires_grad_() for tensor in (IMAGE, THETA, MASK)]
        result = call(*inputs)
        results.append(result.detach())
        slopes.append(torch.autograd.grad((result * weights).sum(), inputs))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-12)
    for compiled, plain in zip(slopes[1], slopes[0], strict=True):
        assert plain.abs().max() > 1e-3
        torch.testing.assert_close(compiled, plain, rtol=1e-9, atol=1e-10)


def test_a_callers_buffer_takes_the_result_and_may_be_the_image():
    cascade, image, theta, mask = wf.Cascade(NAMES), IMAGE.float(), THETA.float(), MASK.float()
    plan, buffer = cascade.compile("torch"), image.clone()
    expected = cascade(image, theta, mask)
    assert plan(buffer, theta, mask, out=buffer) is buffer
    torch.testing.assert_close(buffer, expected, rtol=0, atol=1e-6)
    assert torch.equal(buffer[..., :2], image[..., :2])
    assert not torch.equal(buffer[..., 2:], image[..., 2:])


def test_every_formula_becomes_one_graph(traced):
    cascade = wf.Cascade(list({wf.get(name).array: name for name in wf.names()}.values()))
    theta = torch.rand(2, len(cascade), generator=GENERATOR, dtype=torch.float64) - 0.5
    torch.testing.assert_close(cascade.compile("torch")(IMAGE, theta, MASK), cascade(IMAGE, theta, MASK))


def test_any_number_of_plans_compile(traced):
    theta = THETA[:, :1]
    for name in wf.names()[:12]:  # torch compiles 8 variants of a function and then gives up
        torch.testing.assert_close(wf.Cascade([name]).compile("torch")(IMAGE, theta), wf.Cascade([name])(IMAGE, theta))


def test_statistics_are_of_the_mask_where_the_cascade_says_so(traced):
    cascade = wf.Cascade(NAMES, statistics="mask")
    compiled = cascade.compile("torch")(IMAGE, THETA, MASK)
    torch.testing.assert_close(compiled, cascade(IMAGE, THETA, MASK))
    assert (compiled - wf.Cascade(NAMES)(IMAGE, THETA, MASK)).abs().max() > 1e-3


def test_frozen_statistics_are_taken(traced):
    cascade = wf.Cascade(NAMES)
    plan = cascade.compile("torch")
    for source in (IMAGE, IMAGE / 2):
        frozen = cascade.statistics(source, THETA)
        expected = cascade(IMAGE, THETA, MASK, statistics=frozen)
        torch.testing.assert_close(plan(IMAGE, THETA, MASK, statistics=frozen), expected)
    numbers = [None, 0.25, None]  # a plain number serves a whole batch
    expected = cascade(IMAGE, THETA, statistics=[None, torch.tensor([0.25, 0.25]), None])
    torch.testing.assert_close(plan(IMAGE, THETA, statistics=numbers), expected)


def test_neither_many_plans_nor_many_sizes_use_up_torchs_limit_of_variants(traced):
    cascade, theta = wf.Cascade(["shadow"]), torch.full((1, 1), 0.1)
    plans = [cascade.compile("torch") for _ in range(10)]
    for height, plan in enumerate(plans, start=2):
        image = torch.rand(1, 3, height, 3, generator=GENERATOR)
        expected = cascade(image, theta)
        torch.testing.assert_close(plan(image, theta), expected)
        torch.testing.assert_close(plans[0](image, theta), expected)


def test_a_plan_shows_its_passes():
    text = str(wf.Cascade(["brightness", "contrast", "shadow"]).compile("torch"))
    assert "statistics pass: mean for contrast, of brightness" in text
    assert "pixel pass: brightness > contrast > shadow" in text
    assert "at least 40 bytes" in text  # 12 read for the mean; 12 and a mask of 4 read, 12 written
    of_mask = wf.Cascade(["contrast"], statistics="mask").compile("torch")
    assert "at least 44 bytes" in str(of_mask)  # the mask once more


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((IMAGE.numpy(), THETA), wf.BackendError, "ndarray"),
        (((IMAGE * 255).byte(), THETA), wf.ImageError, "uint8"),
        ((IMAGE, THETA[:, :2]), wf.ThetaError, r"\(2, 3\).*\(2, 2\)"),
        ((IMAGE, THETA * 3), wf.ThetaError, "outside"),
        ((IMAGE, THETA, MASK[:, 0]), wf.ImageError, r"\(2, 1, 6, 5\)"),
        ((IMAGE, THETA, None, IMAGE[:1]), wf.ImageError, r"\(1, 3, 6, 5\)"),
        ((IMAGE, THETA, None, IMAGE.float()), wf.ImageError, "float32"),
        ((IMAGE, THETA.clone().requires_grad_(), None, IMAGE.clone()), wf.BackendError, "no_grad"),
        ((IMAGE, THETA, None, None, [None]), wf.FilterError, "1 entries"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        wf.Cascade(NAMES).compile("torch")(*arguments)


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(wf.BackendError, match=r"C\+\+ compiler.*'no-such-compiler'.*install"):
        wf.Cascade(NAMES).compile("torch")(IMAGE, THETA)


def test_backends_that_do_not_exist_are_refused():
    with pytest.raises(wf.BackendError, match=r"'numba', 'cuda', 'torch'.*'opencl'"):
        wf.Cascade(NAMES).compile("opencl")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(traced, dtype):
    cascade = wf.Cascade(["brightness", "contrast"])
    image = torch.rand(2, 3, 8, 9, generator=torch.Generator().manual_seed(0)).to(dtype)
    theta = torch.tensor([[0.999, 0.2], [-0.3, -0.4]], dtype=dtype)
    result = cascade.compile("torch")(image, theta)
    assert result.dtype == dtype
    torch.testing.assert_close(result, cascade(image, theta))
