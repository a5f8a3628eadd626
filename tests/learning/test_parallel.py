import threading

import pytest
import torch

from harmonizer.learning.composites.sources.parallel import map_in_threads


def test_results_come_in_order_from_other_threads_of_one_core_each():
    def work(number):
        return number, threading.get_ident(), torch.get_num_threads()

    torch.set_num_threads(2)
    results = map_in_threads(work, range(50))
    assert [number for number, _, _ in results] == list(range(50))
    assert threading.get_ident() not in {thread for _, thread, _ in results}
    assert {cores for _, _, cores in results} == {1}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_an_error_in_a_thread_is_raised():
    def fail(number):
        raise ValueError(number)

    with pytest.raises(ValueError, match="7"):
        map_in_threads(fail, [7])
