"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
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
REAL = {np.dtype(np.float32): ctypes.c_float, np.dtype(np.float64): ctypes.c_double}
SCANS = {"count_levels", "find_spans", "tabulate"}
# Rows of a picture: where they begin, and values from one to the next.
ROWS = (POINTER, INDEX)
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
def render(dtype: Dtype, real: Dtype, alpha: Dtype | None, *, ended: bool) -> Function:
    """(rows, rows of the mask, spans, tables, stages, ends, step, top, bottom, rows of the result, opacity)."""
    kinds = (*ROWS, *ROWS, POINTER, POINTER, *STAGES, POINTER, INDEX, INDEX, INDEX, *ROWS, REAL[real])
    return ctypes.CFUNCTYPE(None, *kinds)(_address("render", dtype, real, alpha, ended))


@functools.cache
def sum_rows(dtype: Dtype, real: Dtype, alpha: Dtype | None) -> Function:
    """(rows, rows of the mask, width, tables, stages, top, bottom, sums)."""
    kinds = (*ROWS, *ROWS, INDEX, POINTER, *STAGES, INDEX, INDEX, POINTER)
    return ctypes.CFUNCTYPE(None, *kinds)(_address("sum_rows", dtype, real, alpha))


@functools.cache
def count_levels() -> Function:
    """(rows, width, top, bottom, counts)."""
    return ctypes.CFUNCTYPE(None, *ROWS, INDEX, INDEX, INDEX, POINTER)(_address("count_levels"))


@functools.cache
def tabulate() -> Function:
    """(stages, stored, change)."""
    return ctypes.CFUNCTYPE(None, *STAGES, POINTER, POINTER)(_address("tabulate"))


@functools.cache
def find_spans(alpha: Dtype) -> Function:
    """(rows of the mask, width, top, bottom, spans)."""
    return ctypes.CFUNCTYPE(None, *ROWS, INDEX, INDEX, INDEX, POINTER)(_address("find_spans", alpha))


def _address(name: str, *arguments: Any) -> int:
    def compile_it() -> tuple[str, str]:
        from whitebox_filters.backends import kernels, scans

        text: tuple[str, str] = getattr(scans if name in SCANS else kernels, name)(*arguments)
        return text

    told = [native.fingerprint(each) if callable(each) and not isinstance(each, np.dtype) else str(each)
            for each in arguments]  # fmt: skip
    return native.address(repr((name, told, _sources())).encode(), compile_it)


@functools.cache
def _sources() -> bytes:
    """What the text of every compiled function is made of, besides the formulas of filters."""
    folder = Path(__file__).parent
    names = ("kernels", "scans", "exports", "intrinsics", "vectors", "blocks", "fuse")
    files = [folder / f"{name}.py" for name in names]
    return b"".join(file.read_bytes() for file in (*files, folder.parent / "scales.py"))
