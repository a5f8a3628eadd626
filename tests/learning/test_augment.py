import numpy as np
import pytest
import torch

from harmonizer.learning.composites.augment import Augmentation, apply_randomly
from harmonizer.learning.composites.draws import draw


def add_noise(some, draws):
    return some + 1 + draws.uniform(*some.shape[1:])


def test_a_change_applies_to_its_share_of_a_batch_and_leaves_the_rest():
    batch = torch.zeros(1000, 1, 2, 2)
    changed = apply_randomly(0.3, lambda some, draws: some + 1, batch, draw(0, 0, range(1000)))
    assert set(changed.unique().tolist()) == {0, 1}
    assert 0.25 < float(changed.mean()) < 0.35
    assert (batch == 0).all()
    assert apply_randomly(0.0, lambda some, draws: some + 1, batch, draw(0, 0, range(1000))) is batch


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_drawn_afterwards_does_not_depend_on_whom_it_befell(share):
    draws = draw(0, 0, range(8))
    apply_randomly(share, add_noise, torch.zeros(8, 1, 2, 2), draws, 5)
    assert draws.position == 6


def test_the_change_of_a_picture_is_its_own():
    together = apply_randomly(0.5, add_noise, torch.zeros(20, 1, 2, 2), draw(0, 0, range(20)), 4)
    alone = [apply_randomly(0.5, add_noise, torch.zeros(1, 1, 2, 2), draw(0, 0, [place]), 4) for place in range(20)]
    assert torch.equal(together, torch.cat(alone))


def test_a_change_that_takes_more_numbers_than_it_may_is_stopped():
    with pytest.raises(IndexError, match="reserve more"):
        apply_randomly(1.0, add_noise, torch.zeros(8, 1, 2, 2), draw(0, 0, range(8)), 3)


def test_by_default_nothing_changes():
    assert not np.array(list(vars(Augmentation()).values())).any()
