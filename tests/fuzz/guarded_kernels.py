"""Runs the compiled functions on pictures in guarded memory: a page that nobody may touch begins where each array ends.

PYTHONPATH=. python tests/fuzz/guarded_kernels.py --cases 2000

Numba's own checks of bounds (NUMBA_BOUNDSCHECK) see indices of arrays, and the kernels index pointers. Here the
processor checks: to read or write a byte before or behind an array ends the process with a fault of memory. Linux.
"""

from __future__ import annotations

import argparse
import ctypes
import mmap
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

import whitebox_filters as wf
from harmonizer.thumbnail import thumbnails
from harmonizer.video.coding import planar
from harmonizer.video.frames import Colour

PAGE = mmap.PAGESIZE
NOTHING = 0  # PROT_NONE
MADE_BY = ("empty", "zeros", "full", "array", "ascontiguousarray", "tile", "empty_like", "zeros_like")
DTYPES = (np.uint8, np.uint16, np.float32, np.float64)
SIDES = (1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 65, 127, 129, 200, 301)

libc = ctypes.CDLL(None, use_errno=True)


def guarded(array: np.ndarray[Any, Any], *, at_end: bool) -> np.ndarray[Any, Any]:
    """A copy between two guarded pages, against the one behind it or the one before it."""
    if not array.nbytes:
        return array
    pages = -(-array.nbytes // PAGE)
    area = mmap.mmap(-1, (pages + 2) * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    for place in (address, address + (pages + 1) * PAGE):
        if libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(PAGE), NOTHING):
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE + (pages * PAGE - array.nbytes if at_end else 0)
    copy = np.frombuffer(area, array.dtype, array.size, start).reshape(array.shape)
    copy[...] = array
    return copy


@contextmanager
def all_guarded(*, at_end: bool) -> Iterator[None]:
    """Whatever NumPy makes in between lies in guarded memory too: tables, sums, coefficients, the words of jobs."""
    before = {name: getattr(np, name) for name in MADE_BY}

    def guard(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            array = make(*arguments, **options)
            is_plain = type(array) is np.ndarray and array.flags.c_contiguous and array.dtype.kind in "uif"
            return guarded(array, at_end=at_end) if is_plain else array

        return made

    try:
        for name, make in before.items():
            setattr(np, name, guard(make))
        yield
    finally:
        for name, make in before.items():
            setattr(np, name, make)


def run_case(number: int) -> None:
    """A cascade, a size, a dtype and a mask by number, in plain and in guarded memory: the same result."""
    random = np.random.default_rng(number)
    names = random.permutation(wf.names())[: random.integers(1, 9)].tolist()
    height, width = (int(random.choice(SIDES)) for _ in range(2))
    dtype = np.dtype(random.choice(DTYPES))
    levels = {1: 255, 2: 65535}.get(dtype.itemsize)
    image = random.random((height, width, 3))
    image[random.random((height, width)) < 0.1] = random.integers(0, 2)
    image = (image * levels).astype(dtype) if levels else image.astype(dtype)
    mask = _mask(random, height, width)
    theta = random.uniform(-1, 1, len(names))
    region = "mask" if mask is not None and random.random() < 0.5 and mask.any() else "frame"
    plan = wf.Cascade(names, statistics=region).compile("numba")
    expected, at_end = plan(image, theta, mask), bool(number % 2)
    shown = np.ones((height, width), np.float32) if mask is None else mask.astype(np.float32) / max(1, mask.max())
    small = thumbnails((image, shown), 16)
    picture, out = guarded(image, at_end=at_end), guarded(np.zeros_like(image), at_end=at_end)
    opacity = None if mask is None else guarded(mask, at_end=at_end)
    with all_guarded(at_end=at_end):
        found = plan(picture, theta, opacity, out)
        again = thumbnails((picture, guarded(shown, at_end=at_end)), 16)
    case = f"case {number}: {names}, {height} x {width}, {dtype}, {region}"
    if not np.array_equal(found, expected):
        raise AssertionError(f"{case}: another result in guarded memory")
    if not all(np.array_equal(one, other) for one, other in zip(small, again, strict=True)):
        raise AssertionError(f"{case}: another thumbnail in guarded memory")


@dataclass(frozen=True)
class Plane:
    """What the kernels take of a plane of a video's frame, whose rows follow each other without padding."""

    values: np.ndarray[Any, Any]

    @property
    def buffer_ptr(self) -> int:
        return int(self.values.ctypes.data)

    @property
    def line_size(self) -> int:
        return self.width

    @property
    def height(self) -> int:
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        return int(self.values.shape[1])


def run_video_case(number: int) -> None:
    """The colours of a frame in 4:2:0 by number, to RGB, to grey and back, in plain and in guarded memory."""
    random = np.random.default_rng(number)
    height, width = (int(random.choice(SIDES)) for _ in range(2))
    sizes = [(height, width), *[((height + 1) // 2, (width + 1) // 2)] * 2]
    planes = [random.integers(0, 256, size, np.uint8) for size in sizes]
    terms = planar.make_terms(Colour(int(random.choice([*planar.LUMA])), bool(random.integers(2)), 1, 1))
    levels, at_end = np.array([255 / 219, 16], np.float32), bool(number % 2)

    def convert(keep: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        kept = [keep(plane) for plane in planes]
        written = [keep(np.zeros_like(plane)) for plane in planes]
        frame = SimpleNamespace(width=width, height=height, planes=[Plane(plane) for plane in kept])
        rgb = planar.to_rgb(frame, keep(terms))
        grey = planar.to_grey(Plane(kept[0]), keep(levels))
        made = SimpleNamespace(planes=[Plane(plane) for plane in written])
        with patch.object(planar, "VideoFrame", lambda *_: made):
            planar.to_yuv(keep(rgb), keep(terms))
        return [rgb, grey, *written]

    expected = convert(np.copy)
    with all_guarded(at_end=at_end):
        found = convert(lambda array: guarded(array, at_end=at_end))
    if not all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True)):
        raise AssertionError(f"case {number}: {height} x {width}: another frame in guarded memory")


def _mask(random: np.random.Generator, height: int, width: int) -> np.ndarray[Any, Any] | None:
    kind = random.integers(5)
    if kind == 0:
        return None
    values = np.zeros((height, width))
    top, left = random.integers(height), random.integers(width)
    values[top : top + random.integers(1, height + 1), left : left + random.integers(1, width + 1)] = random.random()
    if kind == 1:
        return values > 0
    if kind == 2:
        return (values * 255).astype(np.uint8)
    return values.astype(np.float32) if kind == 3 else (values * 65535).astype(np.uint16)


def main() -> None:
    """Run cases by number, or read one byte too far, which must end the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--beyond", choices=["before", "behind"], help="only touch such a byte of an array")
    options = parser.parse_args()
    if options.beyond:
        array = guarded(np.zeros(100, np.uint8), at_end=options.beyond == "behind")
        ctypes.string_at(array.ctypes.data + (100 if options.beyond == "behind" else -1), 1)
        sys.stdout.write("nothing happened\n")
        return
    for number in range(options.first, options.first + options.cases):
        run_case(number)
        run_video_case(number)
    sys.stdout.write(f"{options.cases} cases\n")


if __name__ == "__main__":
    main()
