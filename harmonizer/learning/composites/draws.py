"""Random numbers that depend only on a seed, a step and a slot of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

WIDTH = 640
"""Numbers that each picture can use; the recipe that needs most uses about half of them."""

Numbers = npt.NDArray[np.float32]


@dataclass
class Draws:
    """Uniform numbers in [0, 1) for N pictures, a row for each, read from left to right.

    The numbers of a picture do not depend on the other pictures or on the device, so a batch may be made in any
    grouping, by any number of processes, on any device. `host` and `table` hold the same numbers: values that decide
    shapes or control flow are read from `host`, which never waits for the device.
    """

    host: Numbers  # (N, WIDTH)
    table: Tensor  # the same on the device
    position: int = 0
    end: int = WIDTH

    def __len__(self) -> int:
        return len(self.host)

    @property
    def device(self) -> torch.device:
        """The device of what `uniform` and `normal` return."""
        return self.table.device

    def numbers(self, count: int = 1) -> Numbers:
        """The next `count` numbers of each picture, (N, count), on the host."""
        begin = self._take(count)
        return self.host[:, begin : self.position]

    def integers(self, bound: int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """An integer in [0, bound) for each picture, (N,), on the host; `bound` is one number or (N,)."""
        integers: npt.NDArray[np.int64] = (self.numbers()[:, 0] * bound).astype(np.int64)
        return np.minimum(integers, np.asarray(bound, np.int64) - 1)

    def chance(self, probability: float) -> npt.NDArray[np.bool_]:
        """True with a probability, for each picture, (N,), on the host."""
        return np.asarray(self.numbers()[:, 0] < probability)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1), (N, *shape), on the device."""
        begin = self._take(prod(shape))
        return self.table[:, begin : self.position].reshape(len(self), *shape)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, (N, *shape), on the device; none is beyond 5 deviations."""
        return torch.erfinv((2 * self.uniform(*shape) - 1).clamp(-1 + 1e-6, 1 - 1e-6)) * sqrt(2)

    def rows(self, index: npt.NDArray[np.int64], width: int | None = None) -> Draws:
        """The draws of some pictures, which may use the next `width` numbers, by default all that are left.

        All pictures skip those `width` numbers, so that later numbers do not depend on which pictures `index` names.
        """
        begin = self.position
        end = self.end if width is None else begin + width
        if width is not None:
            self._take(width)
        return Draws(self.host[index], self.table[on_device(index, self.device)], begin, end)

    def _take(self, count: int) -> int:
        begin, self.position = self.position, self.position + count
        if self.position > self.end:
            raise IndexError(f"there are {self.end} random numbers and {self.position} were requested; reserve more")
        return begin


def draw(seed: int, step: int, slots: Sequence[int], device: torch.device | None = None) -> Draws:
    """The draws of the pictures in some slots of a step's batch; each row depends on seed, step and slot alone."""
    streams = (np.random.Generator(np.random.Philox([seed, step, slot])) for slot in slots)
    host = np.stack([stream.random(WIDTH, np.float32) for stream in streams])
    return Draws(host, on_device(host, device))


def on_device(values: npt.NDArray[np.generic], device: torch.device | None) -> Tensor:
    """A copy of an array on a device; to a GPU it is copied from pinned memory, and the host does not wait."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    if device is None or device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def groups(values: npt.NDArray[np.generic]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Each distinct value of (N,) with the indices where it occurs."""
    for value in np.unique(values):
        yield value.item(), np.flatnonzero(values == value)


def seed_of(*numbers: int) -> int:
    """One seed for torch's generators from several numbers, whose order counts."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
