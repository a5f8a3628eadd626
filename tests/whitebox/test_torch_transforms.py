"""Tensors as training code hands them over: in half precision, of subclasses, inside torch's own transforms."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import whitebox_filters as wf

HALVES = (torch.float16, torch.bfloat16)
ENDS = (-1.0, -0.999, -0.5, 0.0, 0.5, 0.999, 1.0)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 8, 9, generator=generator)
    image[..., 0, 0], image[..., 0, 1] = 0, 1
    return image, 0.3 * torch.rand(2, 6, generator=generator), torch.rand(2, 1, 8, 9, generator=generator)


class Subclass(torch.Tensor):
    pass


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", wf.names())
def test_half_precision_gives_what_float32_gives_to_its_own_rounding(batch, dtype, name):
    image = batch[0].to(dtype)
    for value in ENDS:
        theta = torch.full((2,), value, dtype=dtype)
        result, expected = wf.get(name)(image, theta), wf.get(name)(image.float(), theta.float())
        assert result.dtype == dtype
        assert torch.equal(result, expected.to(dtype))


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", wf.names())
def test_gradients_in_half_precision_are_finite(batch, dtype, name):
    for value in ENDS:
        image = batch[0].to(dtype).requires_grad_()
        theta = torch.full((2,), value, dtype=dtype, requires_grad=True)
        result = wf.get(name)(image, theta)
        result.sum().backward()
        assert torch.isfinite(image.grad).all(), value
        assert torch.isfinite(theta.grad).all(), value


def test_a_mask_keeps_its_digits_beside_an_image_of_half_precision(batch):
    image, theta, mask = batch
    half = image.bfloat16()
    assert torch.equal(wf.Cascade()(half, theta, mask), wf.Cascade()(half.float(), theta, mask).bfloat16())


def test_vmap_gives_the_batch_and_its_gradients(batch):
    image, theta, mask = batch
    cascade = wf.Cascade()

    def loss(theta, image, mask):
        return cascade(image[None], theta[None], mask[None]).square().mean()

    one_by_one = torch.func.vmap(lambda *each: cascade(*(part[None] for part in each))[0])(image, theta, mask)
    torch.testing.assert_close(one_by_one, cascade(image, theta, mask))
    gradients = torch.func.vmap(torch.func.grad(loss))(theta, image, mask)
    for index in range(2):
        alone = theta[index].clone().requires_grad_()
        loss(alone, image[index], mask[index]).backward()
        torch.testing.assert_close(gradients[index], alone.grad)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is:FutureWarning")  # torch's own, as it loads forward mode
def test_forward_mode_agrees_with_reverse_mode(batch):
    image, theta, _ = (part.double() for part in batch)
    brightness = wf.get("brightness")
    forward = torch.func.jacfwd(lambda values: brightness(image, values).mean())(theta[:, 0])
    backward = torch.func.jacrev(lambda values: brightness(image, values).mean())(theta[:, 0])
    torch.testing.assert_close(forward, backward)


@pytest.mark.parametrize("masked", [False, True])
def test_a_cascade_is_one_graph(batch, masked):
    image, theta, mask = batch
    arguments = (image, theta, mask) if masked else (image, theta)
    compiled = torch.compile(lambda *each: wf.Cascade()(*each), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(*arguments), wf.Cascade()(*arguments))


@pytest.mark.parametrize("strict", [False, True])
def test_a_cascade_is_exported(batch, strict):
    class Module(torch.nn.Module):
        def forward(self, image, theta, mask):
            return wf.Cascade()(image, theta, mask)

    program = torch.export.export(Module(), batch, strict=strict)
    torch.testing.assert_close(program.module()(*batch), wf.Cascade()(*batch))


def test_shapes_are_inferred_without_values(batch):
    image, theta, mask = (part.to("meta") for part in batch)
    result = wf.Cascade()(image, theta, mask)
    assert (result.device.type, result.shape, result.dtype) == ("meta", image.shape, image.dtype)
    with FakeTensorMode() as mode:
        image, theta, mask = (mode.from_tensor(part) for part in batch)
        assert wf.Cascade()(image, theta, mask).shape == image.shape


def test_subclasses_are_taken_and_ordinary_tensors_come_back(batch):
    image, theta, mask = batch
    expected = wf.Cascade()(image, theta, mask)
    wrapped = [part.as_subclass(Subclass) for part in (image, theta, mask)]
    result = wf.Cascade()(*wrapped)
    assert type(result) is torch.Tensor
    assert torch.equal(result, expected)
    assert all(type(value) in (torch.Tensor, type(None)) for value in wf.Cascade().statistics(*wrapped))
    parameter = torch.nn.Parameter(theta)
    wf.Cascade()(image, parameter).sum().backward()
    assert torch.count_nonzero(parameter.grad)


def test_images_of_torchvision(batch):
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    image, theta, mask = batch
    result = wf.Cascade()(tv_tensors.Image(image), theta, tv_tensors.Mask(mask > 0.5))
    assert type(result) is torch.Tensor
    assert torch.equal(result, wf.Cascade()(image, theta, mask > 0.5))


def test_subclasses_of_arrays_come_back_as_ordinary_arrays():
    image = np.random.default_rng(0).random((6, 7, 3))
    for wrapped in (np.ma.masked_array(image, image > 0.9), image.view(np.recarray)):
        result = wf.Cascade()(wrapped, [0.2] * 6)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, wf.Cascade()(image, [0.2] * 6))


@pytest.mark.parametrize(
    ("torch_type", "numpy_type", "full"),
    [(torch.bool, np.bool_, 1), (torch.uint8, np.uint8, 255), (torch.uint16, np.uint16, 65535)],
    ids=str,
)
@pytest.mark.parametrize("level", [0, 1, 2, "full"])
def test_a_mask_means_in_torch_what_it_means_in_numpy(batch, torch_type, numpy_type, full, level):
    image, theta, _ = (part.double() for part in batch)
    levels = np.zeros((8, 9), numpy_type)
    levels[2:6, 3:7] = full if level == "full" else level
    mask = torch.from_numpy(levels.astype(np.int32)).to(torch_type)
    result = wf.Cascade()(image[:1], theta[:1], mask[None, None])
    expected = wf.Cascade()(image[0].movedim(0, -1).numpy(), theta[0].numpy(), levels)
    np.testing.assert_allclose(result[0].movedim(0, -1).numpy(), expected, atol=1e-12)


def test_masks_of_other_types_and_ranges_are_refused(batch):
    image, theta, mask = batch
    for wrong, message in (
        (mask.to(torch.int64), "uint8, uint16 or floating"),
        (mask + 1, "lies in"),
        (mask * float("nan"), "lies in"),
        (mask.numpy(), "ndarray"),
    ):
        with pytest.raises(wf.ImageError, match=message):
            wf.Cascade()(image, theta, wrong)


def test_a_mask_that_interpolation_left_a_rounding_error_outside_is_clipped(batch):
    image, theta, _ = batch
    mask = torch.full((2, 1, 8, 9), 1 + 1e-7)
    result = wf.Cascade()(image, theta, mask)
    assert torch.equal(result, wf.Cascade()(image, theta, torch.ones_like(mask)))
    picture = image[0].movedim(0, -1).numpy()
    result = wf.Cascade()(picture, theta[0].tolist(), mask[0, 0].numpy())
    np.testing.assert_array_equal(result, wf.Cascade()(picture, theta[0].tolist(), np.ones((8, 9))))


def test_messages_show_enough_digits():
    picture = np.full((4, 4, 3), 1 + 1e-5)
    with pytest.raises(wf.ImageError, match=r"1\.00001"):
        wf.Cascade()(picture, [0.0] * 6)
    with pytest.raises(wf.ImageError, match=r"1\.00001"):
        wf.Cascade()(picture * 0, [0.0] * 6, picture[..., 0])
    with pytest.raises(wf.ThetaError, match=r"1\.00001"):
        wf.get("brightness")(picture * 0, 1 + 1e-5)
