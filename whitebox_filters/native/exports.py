"""How Numba compiles functions for `native` to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import types

# No promise is made to NaN, to infinity or to the sign of 0, of which checked pictures hold none: minimum, maximum and
# choices are then one instruction each. Sums keep their order.
FAST = {"contract", "nsz", "nnan", "ninf"}
INDEX = types.int64
Text = tuple[str, str]  # LLVM's language, and the name of the exported function in it


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """A helper of exported functions, inlined into them."""
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", fastmath=FAST, inline="always")(function)
    return compiled


def export(function: Callable[..., Any], *arguments: Any, fast: set[str] = FAST) -> Text:
    """A function with C's calling convention, of such arguments and no result."""
    exported = numba.cfunc(types.void(*arguments), error_model="numpy", fastmath=fast)(function)
    return exported.inspect_llvm(), exported.native_name


def export_rows(function: Callable[..., Any], fast: set[str] = FAST) -> Text:
    """A pass over rows, for `threads`: of its own arguments as int64, see `intrinsics.unpack`, (top, bottom, part)."""
    return export(function, types.CPointer(INDEX), INDEX, INDEX, INDEX, fast=fast)
