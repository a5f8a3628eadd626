"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from whitebox_filters.backends import native
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
    "post": "threads",
    "lead": "threads",
    "follow": "threads",
}
"""Of what is compiled, if not `kernels`."""
PACKAGE, WITHOUT = Path(__file__).parents[1], ("filters", "testing")
"""Compiled code may depend on every module of the package but these: of a filter its formula's fingerprint tells."""
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
    """(rows, rows of the mask, spans, tables or lines, stages, ends, step, rows of the result, opacity): a `Team`'s."""
    return _address("render", dtype, real, alpha, straight, ended)


@functools.cache
def sum_rows(dtype: Dtype, real: Dtype, alpha: Dtype | None) -> int:
    """(rows, rows of the mask, width, tables, stages, sums): a `Team`'s."""
    return _address("sum_rows", dtype, real, alpha)


@functools.cache
def survey(alpha: Dtype | None) -> int:
    """(rows, width, rows of the mask, spans, highest, is summed, sums): a `Team`'s."""
    return _address("survey", alpha)


@functools.cache
def copy_outside() -> int:
    """(rows, bytes of a pixel, width, spans, rows of the result): a `Team`'s."""
    return _address("copy_outside")


@functools.cache
def sum_above() -> int:
    """(rows, width, floors, sums): a `Team`'s."""
    return _address("sum_above")


@functools.cache
def count_levels() -> int:
    """(rows, width, counts): a `Team`'s."""
    return _address("count_levels")


@functools.cache
def split() -> Function:
    """(curves, tolerance, lines)."""
    return ctypes.CFUNCTYPE(None, POINTER, ctypes.c_double, POINTER)(_address("split"))


@functools.cache
def tabulate() -> Function:
    """(stages, channels, stored, change)."""
    return ctypes.CFUNCTYPE(None, *STAGES, INDEX, POINTER, POINTER)(_address("tabulate"))


@functools.cache
def post() -> Function:
    """(board, place, word)."""
    return ctypes.CFUNCTYPE(None, INDEX, INDEX, INDEX)(_address("post"))


@functools.cache
def lead() -> Function:
    """(job)."""
    return ctypes.CFUNCTYPE(None, INDEX)(_address("lead"))


@functools.cache
def follow() -> Function:
    """(board, patience)."""
    return ctypes.CFUNCTYPE(None, INDEX, INDEX)(_address("follow"))


def _address(name: str, *arguments: Any) -> int:
    def compile_it() -> tuple[str, str]:
        module = importlib.import_module(f"whitebox_filters.backends.{MODULES.get(name, 'kernels')}")
        text: tuple[str, str] = getattr(module, name)(*arguments)
        return text

    told = [native.fingerprint(each) if callable(each) and not isinstance(each, np.dtype) else str(each)
            for each in arguments]  # fmt: skip
    return native.address(repr((name, told, native.digest_sources(PACKAGE, WITHOUT))).encode(), compile_it)
