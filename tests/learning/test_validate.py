"""How good a network is on what it was kept from."""

from dataclasses import replace

import pytest
import torch

from harmonizer.learning.composites.kinds import EQ8, KINDS, SCENES, UNTOUCHED
from harmonizer.learning.composites.sources.sources import Sources
from harmonizer.learning.network.config import NetworkConfig
from harmonizer.learning.network.network import Network
from harmonizer.learning.validate import Validation, validate

NAMES = (EQ8, *KINDS)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network(NetworkConfig(encoder="mobilenetv3_small_050", input_size=32)).eval()


@pytest.fixture(scope="module")
def validation(network, sources):
    return validate(network, sources, count=8)


def test_each_kind_has_its_scores(validation):
    assert set(validation.scores) == {f"{name}_{when}" for name in NAMES for when in ("before", "after")}
    for name in NAMES:
        assert (validation.scores[f"{name}_before"] > 10) == (name != UNTOUCHED)
    assert validation.theta.shape == (8, 6)
    assert validation.examples.shape == (3, 32 * len(NAMES), 3 * 32)


def test_a_network_that_has_learned_nothing_does_nothing(validation):
    assert validation.theta.abs().max() == 0
    for name in NAMES:
        assert validation.scores[f"{name}_after"] == pytest.approx(
            validation.scores[f"{name}_before"], rel=1e-5, abs=1e-6
        )
    assert validation.score == pytest.approx(1)
    composite, harmonized, _ = validation.examples.split(32, dim=2)
    torch.testing.assert_close(composite, harmonized)


def test_the_same_composites_are_made_at_each_call(network, sources, validation):
    torch.manual_seed(99)
    again = validate(network, sources, count=8)
    assert again.scores == validation.scores
    assert torch.equal(again.examples, validation.examples)


def test_without_scenes_and_with_few_photographs_there_is_less(network, sources):
    few = replace(
        sources.photos,
        images=sources.photos.images[:2],
        masks=sources.photos.masks[:2],
        sources=sources.photos.sources[:2],
    )
    validation = validate(network, Sources.of(few))
    assert f"{SCENES}_after" not in validation.scores
    assert len(validation.theta) == 8


def test_each_kind_is_scored_by_pictures_of_its_own_alone(network, sources, validation):
    """More of one kind is no other picture of the next."""
    more = validate(network, sources, count=12)
    assert torch.equal(more.theta[:8], validation.theta)
    whole, part = (each.examples[:, :, :32] for each in (more, validation))
    eq8, scenes = slice(0, 32), slice(-32, None)
    for row in (eq8, scenes):
        torch.testing.assert_close(whole[:, row], part[:, row], atol=1e-5, rtol=0)


def test_photographs_are_whole(sources, network, validation):
    """The first real picture is one of the photographs, mirrored or not, resized and not cropped."""
    real = validation.examples[:, :32, 64:]
    plain = (
        torch.nn.functional.interpolate(sources.photos.images.float(), (32, 32), mode="bilinear", antialias=True) / 255
    )
    both = torch.cat([plain, plain.flip(3)])
    assert float((both - real).abs().amax(dim=(1, 2, 3)).min()) < 1.5 / 255


def test_the_score_is_the_mean_share_of_the_error_that_is_left():
    scores = {"eq8_before": 200.0, "eq8_after": 50.0, "relight_before": 10.0, "relight_after": 15.0}
    untouched = {f"{UNTOUCHED}_before": 0.0, f"{UNTOUCHED}_after": 3.0}
    for each in (scores, scores | untouched):
        assert Validation(each, torch.zeros(1, 6), torch.zeros(3, 1, 1)).score == pytest.approx((0.25 + 1.5) / 2)


def test_a_network_that_undoes_a_distortion_scores_better(sources, network):
    """One that knows no more than that pictures of Eq. 8 were changed is worse than one that knows how."""

    class Knowing(torch.nn.Module):
        def __init__(self, sign):
            super().__init__()
            self.config, self.cascade = network.config, network.cascade
            self.weight, self.sign = torch.nn.Parameter(torch.zeros(())), sign

        def forward(self, composite, mask):
            inside = (composite * mask).sum(dim=(1, 2, 3)) / (3 * mask.sum(dim=(1, 2, 3)))
            outside = composite.mean(dim=(1, 2, 3))
            theta = torch.zeros(len(composite), 6)
            theta[:, 1] = self.sign * (outside - inside).clamp(-0.5, 0.5)  # brightness
            return theta

    right, wrong = (validate(Knowing(sign), sources, count=24).scores for sign in (0.5, -0.5))
    assert right["eq8_after"] < right["eq8_before"] < wrong["eq8_after"]
