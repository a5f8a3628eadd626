"""The compiled functions of `kernels` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from pathlib import Path

OTHERS = ("cli", "evaluation", "learning", "video")
"""Folders of the package on which the compiled functions do not depend."""
POINTER, INDEX = ctypes.c_void_p, ctypes.c_int64


@functools.cache
def shrink_rows(dtype: str) -> int:
    """The address of what makes rows of a thumbnail, for a `Team`."""
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


def _address(name: str, *given: str) -> int:
    from whitebox_filters.backends import native  # imports llvmlite, which many commands do without

    def compile_it() -> tuple[str, str]:
        from harmonizer import kernels

        text: tuple[str, str] = getattr(kernels, name)(*given)
        return text

    own = native.digest_sources(Path(__file__).parent, OTHERS)
    filters = native.digest_sources(Path(native.__file__).parents[1], ("filters", "testing"))
    return native.address(repr((name, given)).encode() + own + filters, compile_it)
