"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from pathlib import Path

POINTER, INDEX, FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float


@functools.cache
def shrink_rows(dtype: str) -> Callable[..., None]:
    """(rows of `dtype`, width, channels, taps down, taps across, side, scale, sums, top, bottom, out)."""
    rows, taps = (POINTER, INDEX), (POINTER, POINTER, INDEX)
    kinds = *rows, INDEX, INDEX, *taps, *taps, INDEX, FLOAT, POINTER, INDEX, INDEX, POINTER
    return _load("shrink_rows", *kinds, given=(dtype,))


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


def _load(name: str, *kinds: type, given: tuple[str, ...] = ()) -> Callable[..., None]:
    from whitebox_filters.backends import native  # imports llvmlite, which many commands do without

    def compile_it() -> tuple[str, str]:
        from harmonizer import kernels

        text: tuple[str, str] = getattr(kernels, name)(*given)
        return text

    source = Path(__file__).with_name("kernels.py").read_bytes()
    return ctypes.CFUNCTYPE(None, *kinds)(native.address(repr((name, given)).encode() + source, compile_it))
