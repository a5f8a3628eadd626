import numpy as np
import torch

from harmonizer.learning.composites.draws import Draws, draw
from harmonizer.learning.composites.sources.sampling import BalancedSampler


def test_a_kind_comes_as_often_as_the_root_of_its_size_and_its_members_alike_often():
    kinds = np.repeat(["large", "small", "single"], [100, 25, 1])
    np.random.default_rng(0).shuffle(kinds)
    chosen = BalancedSampler.among(kinds).choose(draw(0, 0, range(16_000)))
    names, counts = np.unique(kinds[chosen], return_counts=True)
    shares = dict(zip(names.tolist(), counts / len(chosen), strict=True))
    for name, share in (("large", 10 / 16), ("small", 5 / 16), ("single", 1 / 16)):
        assert abs(shares[name] - share) < 0.015
    each = np.bincount(chosen, minlength=len(kinds))
    assert each.min() > 0
    assert each[kinds == "large"].max() < 2 * each[kinds == "large"].mean()


def test_one_kind_is_chosen_from_evenly():
    chosen = BalancedSampler.among(np.zeros(8)).choose(draw(0, 0, range(4000)))
    assert (abs(np.bincount(chosen, minlength=8) / 4000 - 1 / 8) < 0.02).all()


def test_the_largest_numbers_choose_the_last_member():
    edge = np.full((1, 2), 1 - 2**-24, np.float32)
    kinds = np.array([1, 0, 0, 1, 0, 1, 1])
    assert BalancedSampler.among(kinds).choose(Draws(edge, torch.from_numpy(edge), end=2)).tolist() == [6]
