"""Kernels: compiled functions, each declared once by the names and kinds of its arguments.

From a declaration follow the exported signature (see `exports`) and what each call checks and passes. Calls name their
arguments; a wrong name, dtype or layout raises an error, where compiled code would read or write other memory. Numba
is imported only to compile what no cache holds, and llvmlite only when a kernel is first used.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from whitebox_filters.native.signature import INDEX, SAFE, Array, Index, Kind, Loop, Memory, Real, Rows, Source


class Kernel:
    """A compiled function and its declaration; `Function` and `RowKernel` say how it is called."""

    def __init__(self, source: Source, arguments: Mapping[str, Kind], fast: frozenset[str] = SAFE) -> None:
        """Declare it; nothing is compiled or loaded yet."""
        self.source = source
        self.arguments = dict(arguments)
        self._fast = fast
        self._names = set(arguments)

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.source.name}({', '.join(self.arguments)})"

    @functools.cached_property
    def address(self) -> int:
        """Of the machine code, from the cache or compiled now."""
        from whitebox_filters.native import cache

        declared = repr((type(self).__name__, self.arguments, sorted(self._fast)))
        return cache.find(self.source, declared, self.compile)

    def make_loop(self) -> Loop:
        """The loop in plain Python."""
        loop: Loop = getattr(importlib.import_module(self.source.module), self.source.name)(*self.source.variant)
        return loop

    def compile(self) -> tuple[str, str]:
        """LLVM's language, and the name of the exported function in it."""
        raise NotImplementedError

    def pack(self, values: Mapping[str, Any]) -> list[float]:
        """Check the arguments and return what is passed, in order. Raises TypeError and ValueError."""
        if values.keys() != self._names:
            raise TypeError(f"{self} is called with ({', '.join(values)})")
        words: list[float] = []
        for name, kind in self.arguments.items():  # in one function, since more calls would cost more than the checks
            value = values[name]
            if kind is INDEX and type(value) is int:
                words.append(value)
            elif not isinstance(value, np.ndarray) or isinstance(kind, (Index, Real)) or kind.dtype is None:
                words += self._pack_other(name, kind, value)
            else:
                if value.dtype != kind.dtype:
                    raise TypeError(f"{name!r} of {self} is an array of {kind.dtype}; got {value.dtype}")
                flags, stride = value.flags, 0
                if isinstance(kind, Array):
                    if not flags.c_contiguous or value.size < kind.size:
                        raise ValueError(
                            f"{name!r} of {self} has at least {kind.size} values in C order; {_layout(value)}"
                        )
                elif value.ndim < 2 or not value[:1].flags.c_contiguous or value.strides[0] % value.itemsize:
                    raise ValueError(f"{name!r} of {self} has rows in C order; {_layout(value)}")
                else:
                    stride = value.strides[0] // value.itemsize
                if flags.c_contiguous and flags.writeable and value.size:  # a third of the time, where it works
                    words.append(ctypes.addressof(ctypes.c_char.from_buffer(value.data)))
                else:
                    words.append(value.__array_interface__["data"][0])
                if isinstance(kind, Rows):
                    words.append(stride)
        return words

    def _pack_other(self, name: str, kind: Kind, value: Any) -> tuple[float, ...]:
        """What is passed for a number, or instead of an array. Raises TypeError."""
        if isinstance(kind, Index):
            wanted, fits = "an integer", isinstance(value, (int, np.integer))
        elif isinstance(kind, Real):
            wanted, fits = "a number", isinstance(value, (int, float, np.number))
        elif kind.dtype is None:
            wanted, fits = "not read and must be None", value is None
        else:
            wanted, fits = f"an array of {kind.dtype}", isinstance(kind, Rows) and isinstance(value, Memory)
        if not fits:
            raise TypeError(f"{name!r} of {self} is {wanted}; got {type(value).__name__}")
        if value is None:
            return (0, 0) if isinstance(kind, Rows) else (0,)
        if isinstance(value, Memory):
            return value
        return (int(value) if isinstance(kind, Index) else float(value),)


class Function(Kernel):
    """A kernel that Python calls with named arguments, without the interpreter's lock; it returns nothing."""

    def __call__(self, **values: Any) -> None:
        """Run it. Raises TypeError and ValueError before anything is computed."""
        self._call(*self.pack(values))

    @functools.cached_property
    def _call(self) -> Callable[..., None]:
        return ctypes.CFUNCTYPE(None, *(kind for each in self.arguments.values() for kind in _c_types(each)))(
            self.address
        )

    def compile(self) -> tuple[str, str]:
        """See `Kernel.compile`."""
        from whitebox_filters.native import exports

        return exports.export(self.make_loop(), self.arguments, self._fast)


class RowKernel(Kernel):
    """A kernel over rows of a picture, which `Workers` calls for ranges of rows on all cores.

    Its loop takes the declared arguments, then `top` and `bottom`, the first row and the one after the last, and
    `part`, the number of the range.
    """

    def words(self, values: Mapping[str, Any]) -> list[int]:
        """The checked arguments as integers of 64 bits, as `intrinsics.unpack` reads them. Raises as `pack`."""
        return [_bits(word) if isinstance(word, float) else word for word in self.pack(values)]

    def compile(self) -> tuple[str, str]:
        """See `Kernel.compile`."""
        from whitebox_filters.native import exports

        return exports.export_rows(self.make_loop(), self.arguments, self._fast)


def _c_types(kind: Kind) -> tuple[Any, ...]:
    if isinstance(kind, Index):
        return (ctypes.c_int64,)
    if isinstance(kind, Real):
        return (ctypes.c_float if kind.dtype == np.float32 else ctypes.c_double,)
    return (ctypes.c_void_p, ctypes.c_int64) if isinstance(kind, Rows) else (ctypes.c_void_p,)


def _bits(real: float) -> int:
    bits: int = struct.unpack("q", struct.pack("d", real))[0]
    return bits


def _layout(value: npt.NDArray[Any]) -> str:
    return f"got shape {value.shape} with strides {value.strides} in bytes"
