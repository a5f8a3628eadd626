"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from pathlib import Path

ROWS, COLUMNS = 4, 16  # taps come in so many: rows that are added at once, columns that fill a register
OTHERS = ("cli", "evaluation", "learning", "video")
"""Folders of the package on which the compiled functions do not depend."""
POINTER, INDEX = ctypes.c_void_p, ctypes.c_int64


@functools.cache
def shrink_rows(dtype: str) -> int:
    """The address of what makes rows of a thumbnail, for `Workers`."""
    return _address("shrink_rows", dtype)


@functools.cache
def to_rgb() -> Callable[..., None]:
    """(rows of luma, blue and red, width, height, terms, narrow, wide, out)."""
    return _load("to_rgb", *[POINTER, INDEX] * 3, INDEX, INDEX, POINTER, POINTER, POINTER, POINTER)


@functools.cache
def to_grey() -> Callable[..., None]:
    """(rows of luma, width, height, terms, out)."""
    return _load("to_grey", POINTER, INDEX, INDEX, INDEX, POINTER, POINTER)


@functools.cache
def to_yuv() -> Callable[..., None]:
    """(rows, width, height, terms, rows of luma, blue and red)."""
    return _load("to_yuv", POINTER, INDEX, INDEX, INDEX, POINTER, *[POINTER, INDEX] * 3)


def _load(name: str, *kinds: type) -> Callable[..., None]:
    return ctypes.CFUNCTYPE(None, *kinds)(_address(name))


def _address(name: str, *arguments: str) -> int:
    from whitebox_filters.native import cache  # imports llvmlite, which many commands do without

    own = cache.digest_sources(Path(__file__).parent, OTHERS)
    return cache.find("harmonizer.kernels", name, *arguments, besides=own)
