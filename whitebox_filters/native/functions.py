"""The compiled functions of `queue` as ctypes calls them, without the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

from whitebox_filters.native import cache

INDEX = ctypes.c_int64
QUEUE = "whitebox_filters.native.queue"


@functools.cache
def post() -> Callable[..., None]:
    """(board, place, word)."""
    return ctypes.CFUNCTYPE(None, INDEX, INDEX, INDEX)(cache.find(QUEUE, "post"))


@functools.cache
def finish() -> Callable[..., None]:
    """(job)."""
    return ctypes.CFUNCTYPE(None, INDEX)(cache.find(QUEUE, "finish"))


@functools.cache
def serve() -> Callable[..., None]:
    """(board, patience)."""
    return ctypes.CFUNCTYPE(None, INDEX, INDEX)(cache.find(QUEUE, "serve"))
