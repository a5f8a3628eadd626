import numpy as np
import pytest

from harmonizer.evaluation import transfer


@pytest.fixture
def regions():
    """Correlated colours of two regions, far from black and white."""
    random = np.random.default_rng(0)
    mix = np.array([[1, 0.5, 0.2], [0.1, 1, 0.3], [0, 0.2, 1]])
    foreground = 0.4 + 0.04 * random.standard_normal((4000, 3)) @ mix
    background = [0.6, 0.5, 0.45] + 0.03 * random.standard_normal((3000, 3))
    return foreground, background


def test_the_decorrelated_space_has_an_inverse(regions):
    np.testing.assert_allclose(transfer.from_decorrelated(transfer.to_decorrelated(regions[0])), regions[0], atol=1e-12)


def test_reinhard_gives_the_foreground_mean_and_deviation_of_the_background(regions):
    foreground, background = regions
    moved, goal = (
        transfer.to_decorrelated(p) for p in (transfer.reinhard(foreground, background)(foreground), background)
    )
    np.testing.assert_allclose(moved.mean(axis=0), goal.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(moved.std(axis=0), goal.std(axis=0), rtol=0.02)


def test_monge_kantorovich_gives_it_mean_and_covariance_by_a_symmetric_map(regions):
    foreground, background = regions
    colour_map = transfer.monge_kantorovich(foreground, background)
    moved = colour_map(foreground)
    np.testing.assert_allclose(moved.mean(axis=0), background.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(background.T), atol=2e-5)
    matrix = colour_map(np.eye(3)) - colour_map(np.zeros((3, 3)))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)  # what tells it from other maps with that covariance
    assert (np.linalg.eigvalsh(matrix) > 0).all()


def test_a_polynomial_is_found_again_through_soft_opacity():
    random = np.random.default_rng(0)
    before, opacity = random.random((500, 3)), random.random(500)
    r, g, b = before.T
    after = np.stack([0.1 + 0.8 * r + 0.1 * r * g, g * g, b - 0.2 * b * r + 0.1 * r * g * b], axis=1)
    blended = before + opacity[:, None] * (after - before)
    np.testing.assert_allclose(transfer.polynomial(before, blended, opacity)(before), after, atol=0.01)


def test_a_single_colour_is_mapped_and_others_stay_near():
    before = np.full((50, 3), 0.5)
    colour_map = transfer.polynomial(before, before + 0.1, np.ones(50))
    np.testing.assert_allclose(colour_map(before[:1]), 0.6, atol=1e-3)
    assert np.abs(colour_map(np.array([[0.2, 0.4, 0.6]])) - [0.2, 0.4, 0.6]).max() < 0.2


def test_recolouring_blends_by_the_mask_and_leaves_the_rest(image):
    mask = np.zeros((24, 32), np.float32)
    mask[:, :8], mask[:, 8:16] = 1, 0.5
    recoloured = transfer.recolour(image, mask, lambda pixels: pixels * 0 + 2)  # beyond white, so clipped
    assert (recoloured[:, :8] == 255).all()
    np.testing.assert_allclose(recoloured[:, 8:16], (image[:, 8:16].astype(float) + 255) / 2, atol=0.51)
    assert np.array_equal(recoloured[:, 16:], image[:, 16:])
