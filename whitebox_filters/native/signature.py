"""What a kernel declares: the kinds of its arguments, and where its loop is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Dtype: TypeAlias = np.dtype[Any]
Loop = Callable[..., None]
"""A function in plain Python that Numba can compile."""

SAFE = frozenset({"contract", "nsz", "nnan", "ninf"})
"""LLVM's fast-math flags for kernels: checked pictures hold neither NaN nor infinity. Sums keep their order."""

REORDERED = SAFE | {"reassoc"}
"""The same, and sums in any order, so that they vectorise."""


@dataclass(frozen=True)
class Array:
    """An array in C order, passed as its address. Without a dtype the kernel never reads it, and None is passed."""

    dtype: Dtype | None
    size: int = 0  # the fewest values it may have


@dataclass(frozen=True)
class Rows:
    """An array of rows that each lie in C order, passed as its address and the values from one row to the next.

    In the loop these are two parameters, `name` and `name_stride`. Without a dtype as for Array.
    """

    dtype: Dtype | None


@dataclass(frozen=True)
class Index:
    """An integer of 64 bits."""


@dataclass(frozen=True)
class Real:
    """A floating-point number of that dtype."""

    dtype: Dtype


Kind = Array | Rows | Index | Real
INDEX = Index()


class Memory(NamedTuple):
    """Rows that belong to no NumPy array, for an argument of kind Rows. Nothing about them can be checked."""

    address: int
    stride: int  # values from one row to the next


@dataclass(frozen=True)
class Source:
    """Where a loop is written: `getattr(module, name)(*variant)` returns it."""

    module: str
    name: str
    variant: tuple[Any, ...] = ()  # plain functions, or values whose `str` tells them apart
    folders: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    """Folders of modules that the loop may depend on besides this package, and their subfolders to leave out."""
