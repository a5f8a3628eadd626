"""How Numba compiles loops to functions with C's calling convention."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

import numba
import numpy as np
from numba import types

from whitebox_filters.native.intrinsics import unpack
from whitebox_filters.native.signature import SAFE, Array, Index, Kind, Loop, Real, Rows

INDEX = types.int64
ROWS = ("top", "bottom", "part")
Text = tuple[str, str]  # LLVM's language, and the name of the exported function in it


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """A helper of loops, inlined into them."""
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", fastmath=SAFE, inline="always")(function)
    return compiled


def export(loop: Loop, arguments: Mapping[str, Kind], fast: Set[str] = SAFE) -> Text:
    """A loop whose parameters are the declared arguments. Raises TypeError if they are not."""
    names, kinds = zip(*_parameters(arguments), strict=True)
    _check(loop, names)
    return _compile(loop, kinds, fast)


def export_rows(loop: Loop, arguments: Mapping[str, Kind], fast: Set[str] = SAFE) -> Text:
    """A loop of the declared arguments and of ROWS, as a function of their words (see `RowKernel.words`) and of ROWS.

    Raises TypeError if these are not the loop's parameters.
    """
    names, kinds = zip(*_parameters(arguments), strict=True)
    _check(loop, (*names, *ROWS))
    declared, rows = ", ".join(names), ", ".join(ROWS)
    namespace: dict[str, Any] = {"loop": jit(loop), "unpack": unpack(*kinds)}
    exec(f"def run(words, {rows}):\n    ({declared},) = unpack(words)\n    loop({declared}, {rows})", namespace)
    return _compile(namespace["run"], [types.CPointer(INDEX), INDEX, INDEX, INDEX], fast)


def _parameters(arguments: Mapping[str, Kind]) -> Iterator[tuple[str, types.Type]]:
    """The parameters of a loop, by name and Numba's type."""
    for name, kind in arguments.items():
        if isinstance(kind, Index):
            yield name, INDEX
        elif isinstance(kind, Real):
            yield name, numba.from_dtype(kind.dtype)
        else:
            assert isinstance(kind, (Array, Rows))
            yield name, types.CPointer(numba.from_dtype(kind.dtype or np.dtype(np.uint8)))
            if isinstance(kind, Rows):
                yield f"{name}_stride", INDEX


def _check(loop: Loop, names: Sequence[str]) -> None:
    parameters = tuple(inspect.signature(loop).parameters)
    if parameters != tuple(names):
        raise TypeError(
            f"loop {loop.__name__} takes ({', '.join(parameters)}); its kernel declares ({', '.join(names)})"
        )


def _compile(function: Loop, kinds: Sequence[types.Type], fast: Set[str]) -> Text:
    exported = numba.cfunc(types.void(*kinds), error_model="numpy", fastmath=set(fast))(function)
    return exported.inspect_llvm(), exported.native_name
