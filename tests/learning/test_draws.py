"""The random numbers of a picture are its own."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harmonizer.learning.composites.draws import WIDTH, Draws, draw, groups, on_device, seed_of

numbers = st.integers(0, 2**32 - 1)


@given(seed=numbers, step=numbers, slots=st.lists(st.integers(0, 999), min_size=1, max_size=5, unique=True))
def test_seed_step_and_slot_alone_decide_a_row(seed, step, slots):
    together = draw(seed, step, slots)
    for row, slot in enumerate(slots):
        assert np.array_equal(together.host[row], draw(seed, step, [slot]).host[0])


def test_another_seed_step_or_slot_draws_other_numbers():
    rows = [draw(*which).host[0] for which in ((0, 0, [0]), (1, 0, [0]), (0, 1, [0]), (0, 0, [1]))]
    for index, row in enumerate(rows):
        assert row.min() >= 0
        assert row.max() < 1
        assert all((row != other).mean() > 0.99 for other in rows[:index])


def test_host_and_device_give_the_same_numbers_in_turn():
    first, second = draw(0, 0, range(3)), draw(0, 0, range(3))
    assert len(first) == 3
    assert np.array_equal(first.numbers(6).reshape(3, 2, 3), second.uniform(2, 3).numpy())
    assert np.array_equal(first.numbers()[:, 0] < 0.5, second.chance(0.5))
    assert first.position == second.position == 7


def test_some_rows_have_the_numbers_that_they_have_among_all():
    whole, parted = draw(0, 0, range(5)), draw(0, 0, range(5))
    for each in (whole, parted):
        each.numbers(4)
    part = parted.rows(np.array([3, 1]), 2)
    assert np.array_equal(part.numbers(2), whole.numbers(2)[[3, 1]])


@pytest.mark.parametrize("rows", [[], [2], [0, 1, 2, 3]])
def test_what_is_drawn_after_a_part_does_not_depend_on_who_was_in_it(rows):
    draws = draw(0, 0, range(4))
    draws.rows(np.array(rows, np.int64), 7)
    assert np.array_equal(draws.numbers(), draw(0, 0, range(4)).host[:, 7:8])


def test_rows_without_a_width_go_on_to_the_end_and_take_nothing():
    draws = draw(0, 0, range(4))
    part = draws.rows(np.array([0]))
    part.numbers(WIDTH)
    assert draws.position == 0


def test_more_than_was_reserved_is_not_to_be_had():
    draws = draw(0, 0, range(2))
    part = draws.rows(np.array([1]), 3)
    part.numbers(3)
    for take in (lambda: part.numbers(), lambda: draws.uniform(WIDTH), lambda: draws.rows(np.array([0]), WIDTH)):
        with pytest.raises(IndexError, match="reserve more"):
            take()


@given(bounds=st.lists(st.integers(1, 10**6), min_size=4, max_size=4))
def test_integers_lie_below_the_bound_of_each_picture(bounds):
    edge = np.array([[0], [0.5], [1 - 2**-24], [0.999]], np.float32)
    drawn = Draws(edge, torch.from_numpy(edge), end=1).integers(np.array(bounds))
    assert (drawn >= 0).all()
    assert (drawn < bounds).all()
    assert drawn[0] == 0
    assert drawn[1] == bounds[1] // 2


def test_chance_is_true_for_its_share_and_for_none_or_all_at_the_ends():
    draws = draw(0, 0, range(2000))
    assert 0.27 < draws.chance(0.3).mean() < 0.33
    assert not draws.chance(0.0).any()
    assert draws.chance(1.0).all()


def test_normal_numbers_are_normal_and_none_is_far_out():
    drawn = draw(0, 0, range(200)).normal(100)
    assert abs(float(drawn.mean())) < 0.03
    assert abs(float(drawn.std()) - 1) < 0.03
    assert abs(float((drawn.abs() < 1).float().mean()) - 0.6827) < 0.01
    edge = torch.tensor([[0.0, 1 - 2**-24]])
    assert Draws(edge.numpy(), edge).normal(2).abs().max() < 5


@pytest.mark.parametrize("device", [None, torch.device("cpu")])
def test_an_array_is_the_same_on_a_device_however_it_lies(device):
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    assert np.array_equal(on_device(array, device).numpy(), array)
    assert on_device(np.array([True, False]), device).dtype == torch.bool


def test_groups_are_the_values_with_their_indices():
    parts = {value: rows.tolist() for value, rows in groups(np.array([2, -1, 2, 0]))}
    assert parts == {-1: [1], 0: [3], 2: [0, 2]}
    assert list(groups(np.array([], np.int64))) == []


def test_each_pair_of_numbers_has_a_seed_of_its_own():
    seeds = {seed_of(first, second) for first in range(30) for second in range(30)}
    assert len(seeds) == 900
    assert all(0 <= seed < 2**63 for seed in seeds)
    torch.manual_seed(max(seeds))
