"""Which photographs lend each other their colours."""

import numpy as np
import pytest
import torch

from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.sources import similarity
from harmonizer.learning.composites.sources.photos import Photos
from harmonizer.learning.composites.sources.similarity import (
    FURTHEST,
    NEIGHBOURS,
    STEEPEST,
    SimilarPhotos,
    find_similar,
    mean_colour,
)

HUES = torch.tensor([[0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.25, 0.3, 0.8], [0.7, 0.7, 0.1]])
EACH = 50


@pytest.fixture(scope="module")
def photos():
    """Foregrounds of four hues, each of its own brightness and tint, on a grey ground; hue after hue."""
    generator = torch.Generator().manual_seed(0)
    colours = HUES.repeat_interleave(EACH, dim=0) * (0.7 + 0.3 * torch.rand(4 * EACH, 1, generator=generator))
    colours = colours + 0.06 * torch.randn(4 * EACH, 3, generator=generator)
    images = torch.full((4 * EACH, 3, 32, 32), 0.5)
    images[..., 8:24, 8:24] = colours[:, :, None, None]
    images = (images + 0.1 * (torch.rand(4 * EACH, 1, 32, 32, generator=generator) - 0.5)).clamp(0, 1)
    masks = torch.zeros(4 * EACH, 1, 32, 32, dtype=torch.uint8)
    masks[..., 8:24, 8:24] = 255
    return Photos((255 * images).byte(), masks, np.zeros(4 * EACH, np.int64))


def repeated(photos, times):
    images, masks = (each.repeat(times, 1, 1, 1) for each in (photos.images, photos.masks))
    return Photos(images, masks, np.tile(photos.sources, times))


def few(photos, count):
    return Photos(photos.images[:count], photos.masks[:count], photos.sources[:count])


def test_like_lends_to_like(photos):
    similar = find_similar(photos, mean_colour)
    assert similar.neighbours.shape == (4 * EACH, NEIGHBOURS)
    assert (similar.neighbours // EACH == np.arange(4 * EACH)[:, None] // EACH).mean() > 0.97
    index = np.tile(np.arange(4 * EACH), 3)
    chosen = similar.choose(index, draw(0, 0, range(len(index))))
    assert (chosen // EACH == index // EACH).mean() > 0.97
    assert len(set(chosen[index == 3].tolist())) > 1  # not always the same


@pytest.mark.parametrize("count", [2, 5, 4 * EACH])
def test_nobody_lends_to_itself_or_to_its_copy(photos, count):
    for times in (1, 2):
        similar = find_similar(repeated(few(photos, count), times), mean_colour)
        index = np.tile(np.arange(times * count), 40 if count < 10 else 2)
        chosen = similar.choose(index, draw(0, 0, range(len(index))))
        assert (chosen % count != index % count).all()


def test_a_photograph_alone_can_but_lend_to_itself(photos):
    index = np.zeros(3, np.int64)
    assert find_similar(few(photos, 1), mean_colour).choose(index, draw(0, 0, range(3))).tolist() == [0, 0, 0]


def test_how_many_are_described_at_once_decides_nothing(photos):
    whole = find_similar(photos, mean_colour)
    parted = find_similar(photos, mean_colour, batch=7)
    assert np.array_equal(whole.neighbours, parted.neighbours)
    np.testing.assert_allclose(whole.mean, parted.mean, atol=1e-6)


def test_the_colours_are_those_of_the_foreground(photos):
    similar = find_similar(photos, mean_colour)
    inside = photos.images[:, :, 8:24:4, 8:24:4].double().numpy() / 255
    to_lms = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
    lightness = np.log(np.einsum("ij,njhw->nihw", to_lms, inside) + 0.02).sum(axis=1) / np.sqrt(3)
    # Each mean is over one pixel more than there are, lest it divide by none.
    np.testing.assert_allclose(similar.mean[:, 0], lightness.sum(axis=(1, 2)) / 17, atol=1e-3)
    assert (similar.deviation > 0).all()


def lend(mean, deviation, neighbours=(1, 2, 3), count=300):
    """What the first of four photographs is lent whose lightness has these means and deviations."""
    mean, deviation = (np.float32([[first, 0, 0] for first in each]) for each in (mean, deviation))
    similar = SimilarPhotos(np.array([neighbours] * 4), mean, deviation)
    return similar.choose(np.zeros(count, np.int64), draw(0, 0, range(count)))


def test_unrealistic_pairs_are_passed_over_where_there_is_a_realistic_one():
    far, steep = 1.1 * FURTHEST, 1.1 * STEEPEST
    assert set(lend([0, far, 0.5 * FURTHEST, 0], [1, 1, 1, steep])) == {2}
    assert set(lend([0, 0.5 * FURTHEST, 0.5 * FURTHEST, 0], [1, 1, 1, 1 / steep])) == {1, 2}


def test_where_no_pair_is_realistic_the_nearest_is_taken():
    assert set(lend([0, 3 * FURTHEST, 2 * FURTHEST, 4 * FURTHEST], [1, 1, 1, 1])) == {2}


def test_realistic_pairs_come_alike_often():
    counts = np.bincount(lend([0, 0.1, 0.2, 0.3], [1, 1, 1, 1], count=900), minlength=4)
    assert counts[0] == 0
    assert (abs(counts[1:] - 300) < 60).all()


def test_things_are_described_by_what_the_foreground_shows(photos, monkeypatch):
    create = similarity.pretrained.create
    small = create("test_efficientnet", pretrained=False)
    monkeypatch.setattr(similarity.pretrained, "create", lambda name, pretrained: small)
    describe = similarity.object_features(torch.device("cpu"))
    pictures = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(3, 1, 64, 64)
    masks[..., :32] = 1
    features = describe(pictures, masks)
    assert features.ndim == 2
    assert len(features) == 3
    assert not features.requires_grad
    assert (features[0] - features[1]).abs().max() > 0
    assert not torch.equal(features, describe(pictures, masks.flip(3)))
