import torch

from harmonizer.learning.losses import COMBINATIONS, MU, dynamic_loss, image_loss, total_loss


def test_image_loss_is_averaged_over_the_mask_alone():
    harmonized = torch.zeros(2, 3, 4, 4)
    target = torch.full((2, 3, 4, 4), 0.2)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :2] = 1
    mask[1, :, :1] = 1
    harmonized[:, :, 2:] = 0.9  # outside both masks: must not count
    expected = 0.2 + MU * 0.04
    torch.testing.assert_close(image_loss(harmonized, target, mask), torch.full((2,), expected), atol=1e-5, rtol=0)


def test_image_loss_of_an_empty_mask_is_zero():
    assert image_loss(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.zeros(1, 1, 2, 2)).item() == 0


def test_dynamic_loss_is_constant_but_steers_the_gradient_to_what_a_filter_adds():
    losses = [torch.tensor([value], requires_grad=True) for value in (0.1, 0.4, 0.3)]
    loss = dynamic_loss(losses)
    loss.backward()
    # Added: 0.1, 0.3, nothing; the last filter improved on the one before it and gets no push.
    torch.testing.assert_close(loss.detach(), torch.tensor(1.0))
    gradients = torch.cat([value.grad for value in losses])
    torch.testing.assert_close(gradients, torch.tensor([2.5, 2.5, 0.0]))


def test_total_loss_weighs_real_composites_by_mu():
    synthetic = [torch.tensor([0.5])]
    final = torch.tensor([0.2, 0.4])
    torch.testing.assert_close(total_loss(synthetic, final), torch.tensor(1 + MU * 0.3))


def test_without_the_dynamic_loss_steps_are_added_up_or_only_the_last_counts():
    losses = [torch.tensor([0.1, 0.3], requires_grad=True), torch.tensor([0.2, 0.6], requires_grad=True)]
    final = torch.tensor([0.5])
    expected = {"sum": (0.6, [0.5, 0.5], 0.5), "last": (MU * 0.4, [0, 0], MU * 0.5)}
    for name, (value, first_slopes, last_slope) in expected.items():
        loss = total_loss(losses, final, name)
        torch.testing.assert_close(loss.detach(), torch.tensor(value + MU * 0.5))
        first, last = torch.autograd.grad(loss, losses, materialize_grads=True)
        torch.testing.assert_close(first, torch.tensor(first_slopes, dtype=torch.float32))
        torch.testing.assert_close(last, torch.tensor([last_slope, last_slope]))
    assert set(COMBINATIONS) == {"dynamic", *expected}
