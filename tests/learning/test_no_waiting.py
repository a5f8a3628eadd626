"""A GPU is never waited for, and nothing goes picture by picture.

Batches are made on torch's device without data: whatever would read a value there is an error, as a GPU would have to
be waited for to tell it.
"""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from harmonizer.learning.composites.augment import Augmentation
from harmonizer.learning.composites.batches import Mixture, make_batch
from harmonizer.learning.composites.distortion import Distortion
from harmonizer.learning.composites.draws import draw
from harmonizer.learning.composites.kinds import KINDS
from harmonizer.learning.composites.sources.sources import Sources
from whitebox_filters import Cascade

NOWHERE = torch.device("meta")
ALL = Augmentation(*[0.5] * len(fields(Augmentation)))
# Those of which a GPU's part ends in a look at the result; what returns numbers or shapes that depend on data fails on
# the device without data anyway.
CHECKED = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique2", "unique_dim", "_assert")
LIBRARY = [
    f"linalg_{name}" for name in ("eigh", "eig", "svd", "qr", "inv_ex", "solve_ex", "cholesky_ex", "lu_factor_ex")
]


class Literals(TorchFunctionMode):
    """Notes numbers that are written down in code and sent to a device, which copies them and waits."""

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (torch.tensor, torch.as_tensor) and (kwargs or {}).get("device") is not None:
            self.waits.append(f"{function.__name__} with a device")
        return function(*args, **(kwargs or {}))


class Watch(TorchDispatchMode):
    """Counts operations, and notes those that a GPU would be waited for."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.waits = []
        self.literals = Literals(self.waits)

    def __enter__(self):
        self.literals.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.literals.__exit__(*error)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        name = function.name().removeprefix("aten::").partition(".")[0]
        before = {each.device.type for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        result = function(*args, **(kwargs or {}))
        after = {each.device.type for each in tree_leaves(result) if isinstance(each, torch.Tensor)}
        if name.strip("_") in {each.strip("_") for each in (*CHECKED, *LIBRARY)}:
            self.waits.append(name)
        elif "copy" in name and len(before | after) > 1 and not (kwargs or {}).get("non_blocking"):
            self.waits.append(f"{name} from {before} to {after}")
        elif name.startswith("index") and any(each.dtype == torch.bool for each in indices(args)):
            self.waits.append(f"{name} by a mask")
        return result


def indices(args):
    """The index tensors of an indexing operation."""
    return [each for each in tree_leaves(args[1:2]) if isinstance(each, torch.Tensor)]


@pytest.fixture(autouse=True)
def pinned(monkeypatch):
    """There is no pinned memory without a GPU."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)


@pytest.fixture(scope="module")
def unreadable(sources):
    return Sources(sources.photos.to(NOWHERE), sources.similar, sources.scenes.to(NOWHERE))


def make(sources, count, mixture, device, eq8_count=0, all_targets=True):
    distortion = Distortion.of(Cascade(), all_targets=all_targets)
    return make_batch(sources, distortion, 32, mixture, draw(0, 0, range(count), device), eq8_count)


def waits(sources, mixture, eq8_count=0, all_targets=True):
    make(sources, 8, mixture, NOWHERE, eq8_count, all_targets)  # tables that stay on the device are copied once
    with Watch() as watch:
        made = make(sources, 40, mixture, NOWHERE, eq8_count, all_targets)
    assert made.composite.device == made.input_mask.device == NOWHERE
    assert made.composite.shape == (40, 3, 32, 32)
    assert watch.count > 100
    return Counter(watch.waits)


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_of_composites_waits_for_the_device(unreadable, name):
    assert not waits(unreadable, Mixture({name: 1.0}))


def test_no_augmentation_waits_for_the_device(unreadable):
    assert not waits(unreadable, Mixture({"relight": 1.0, "scenes": 1.0}, ALL))


@pytest.mark.parametrize("all_targets", [True, False])
def test_composites_by_eq_8_do_not_wait_for_the_device(unreadable, all_targets):
    assert not waits(unreadable, Mixture({"relight": 1.0}), 20, all_targets)


def test_drawing_does_not_wait_for_the_device():
    with Watch() as watch:
        draws = draw(0, 0, range(5), NOWHERE)
        draws.rows(np.array([1, 3]), 4).uniform(2)
        draws.normal(3)
    assert draws.device == NOWHERE
    assert not watch.waits


@pytest.mark.parametrize("wait", ["item", "mask", "copy", "literal", "eigenvalues", "branch"])
def test_the_watch_notices(wait):
    tensor = torch.eye(3)
    ways = {
        "item": lambda: tensor[0, 0].item(),
        "mask": lambda: tensor[tensor > 0],
        "copy": lambda: tensor.to(NOWHERE),
        "literal": lambda: torch.tensor([0.5], device=tensor.device),
        "eigenvalues": lambda: torch.linalg.eigh(tensor),
        "branch": lambda: bool((tensor > 0).all()),
    }
    with Watch() as watch:
        ways[wait]()
    assert watch.waits


@pytest.mark.parametrize("name", [*KINDS, "eq8"])
def test_four_times_the_pictures_take_hardly_more_operations(sources, name):
    """Of one kind, and without those changes that go by groups of like cuts."""
    mixture = Mixture({name: 1.0} if name != "eq8" else None, replace(ALL, bad_cutout=0.0, bad_input_mask=0.0))
    counts = []
    for count in (16, 64):
        with Watch() as watch:
            make(sources, count, mixture, None, count if name == "eq8" else 0)
        counts.append(watch.count)
    assert counts[1] < 1.1 * counts[0]


def test_a_mixture_takes_no_more_operations_than_all_its_kinds_and_cuts(sources):
    counts = []
    for count in (100, 400):
        with Watch() as watch:
            make(sources, count, Mixture(augmentation=ALL), None, count // 5)
        counts.append(watch.count)
    # Single pictures would take four times as many.
    assert counts[1] < 1.6 * counts[0]
