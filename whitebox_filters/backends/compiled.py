"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from whitebox_filters.native import cache
from whitebox_filters.spec import Pixel

if importlib.util.find_spec("numba") is None:
    raise ImportError("No module named 'numba'")  # imported only to compile what no process has compiled before

Dtype = np.dtype[Any]
Function = Callable[..., None]

POINTER, INDEX = ctypes.c_void_p, ctypes.c_int64
MODULES = {
    "copy_outside": "scans",
    "count_levels": "scans",
    "sum_above": "scans",
    "survey": "scans",
    "split": "curves",
    "tabulate": "ends",
}
"""Of what is compiled, if not `kernels`."""
# Stages: their addresses, all coefficients, where those of each begin, how many stages there are.
STAGES = (POINTER, POINTER, POINTER, INDEX)


@functools.cache
def filter_block(formula: Pixel, real: Dtype) -> int:
    """The address of a filter's stage, for other compiled code; `apply` is the same for Python."""
    return _address("filter_block", formula, real)


@functools.cache
def apply(formula: Pixel, real: Dtype) -> Function:
    """(block, coefficients)."""
    return ctypes.CFUNCTYPE(None, POINTER, POINTER)(filter_block(formula, real))


@functools.cache
def look_up(size: int) -> int:
    """The address of the stage that interpolates in tables of so many intervals."""
    return _address("look_up", size)


@functools.cache
def render(dtype: Dtype, real: Dtype, alpha: Dtype | None, *, straight: bool, ended: bool) -> int:
    """(rows, rows of the mask, spans, tables or lines, stages, ends, step, rows of the result, opacity)."""
    return _address("render", dtype, real, alpha, straight, ended)


@functools.cache
def sum_rows(dtype: Dtype, real: Dtype, alpha: Dtype | None) -> int:
    """(rows, rows of the mask, width, tables, stages, sums), by `Workers`."""
    return _address("sum_rows", dtype, real, alpha)


@functools.cache
def survey(alpha: Dtype | None) -> int:
    """(rows, width, rows of the mask, spans, highest, is summed, sums), by `Workers`."""
    return _address("survey", alpha)


@functools.cache
def copy_outside() -> int:
    """(rows, bytes of a pixel, width, spans, rows of the result), by `Workers`."""
    return _address("copy_outside")


@functools.cache
def sum_above() -> int:
    """(rows, width, floors, sums), by `Workers`."""
    return _address("sum_above")


@functools.cache
def count_levels() -> int:
    """(rows, width, counts), by `Workers`."""
    return _address("count_levels")


@functools.cache
def split() -> Function:
    """(curves, tolerance, lines)."""
    return ctypes.CFUNCTYPE(None, POINTER, ctypes.c_double, POINTER)(_address("split"))


@functools.cache
def tabulate() -> Function:
    """(stages, channels, stored, change)."""
    return ctypes.CFUNCTYPE(None, *STAGES, INDEX, POINTER, POINTER)(_address("tabulate"))


def _address(name: str, *arguments: Any) -> int:
    return cache.find(f"whitebox_filters.backends.{MODULES.get(name, 'kernels')}", name, *arguments)
