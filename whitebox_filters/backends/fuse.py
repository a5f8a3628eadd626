"""The plan of a fused cascade, shared by Numba on the CPU and on CUDA.

A chain of filters becomes one function of a pixel, so that no intermediate image is ever stored. A filter that
needs a statistic gets it from a pass of its own, which recomputes the filters before it; one last pass runs the
whole chain and blends with the mask. Both passes belong to the backend; what they compute is decided here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from whitebox_filters.errors import FilterError
from whitebox_filters.scales import angle, power, single
from whitebox_filters.spec import Filter, Pixel


class _Numbers:
    """NumPy, but that to choose between two numbers takes a tenth of the time."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def where(condition: Any, chosen: Any, other: Any) -> Any:
        if isinstance(condition, np.bool_):
            return chosen if condition else other
        return np.where(condition, chosen, other)


NUMBERS = _Numbers()
ZERO, HALF, ONE = single(0), single(0.5), single(1)

Jit = Callable[[Callable[..., Any]], Callable[..., Any]]


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What an image of `dtype` is computed in: float64 for float64, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def filter_coefficients(filter: Filter, theta: Any, statistic: Any) -> tuple[float, ...]:
    """The coefficients of one filter. Raises FilterError if there are not as many as its pixel formula takes."""
    known = None if statistic is None else np.asarray(statistic, np.float64)
    computed = filter.coefficients(NUMBERS, theta, known)
    if len(computed) != _coefficient_count(filter.pixel):
        raise FilterError(
            f"filter {filter.name!r} computes {len(computed)} coefficients; its pixel formula takes "
            f"{_coefficient_count(filter.pixel)} after r, g, b"
        )
    return tuple(float(value) for value in computed)


def pixels(filters: tuple[Filter, ...]) -> tuple[Pixel, ...]:
    """The formulas of a chain: all that its compiled code depends on, so that filters may share it."""
    return tuple(filter.pixel for filter in filters)


def chain(formulas: tuple[Pixel, ...], jit: Jit) -> Callable[..., Any]:
    """The function (r, g, b, coefficients) -> (r, g, b) of all formulas, each clamped to [0, 1], through `jit`.

    It is written as text because a compiler unrolls neither a loop over functions nor a call with a slice of
    the coefficients.
    """
    namespace: dict[str, Any] = {"clamp": jit(_clamp)}
    lines = ["def fused(r, g, b, coefficients):"]
    start = 0
    for index, formula in enumerate(formulas):
        namespace[f"pixel_{index}"] = jit(bind(formula, jit))
        stop = start + _coefficient_count(formula)
        arguments = ", ".join(["r, g, b", *(f"coefficients[{i}]" for i in range(start, stop))])
        lines += [f"    r, g, b = pixel_{index}({arguments})", "    r, g, b = clamp(r), clamp(g), clamp(b)"]
        start = stop
    lines.append("    return r, g, b")
    exec("\n".join(lines), namespace)
    return jit(namespace["fused"])


def bind(formula: Pixel, jit: Jit) -> Callable[..., Any]:
    """The formula with the functions that it shares with others, `power` and `angle`, compiled by `jit`."""
    globals_ = formula.__globals__
    shared = {name: jit(value) for name, value in globals_.items() if value is power or value is angle}
    return FunctionType(formula.__code__, {**globals_, **shared}, formula.__name__, None, formula.__closure__)


def row(values: tuple[float, ...], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The coefficients as scalars of the working dtype; never empty, since a CUDA kernel takes no empty tuple."""
    return tuple(dtype.type(value) for value in values or (0.0,))


@functools.lru_cache(maxsize=1024)
def _coefficient_count(formula: Pixel) -> int:
    return len(inspect.signature(formula).parameters) - 3


def _clamp(value: Any) -> Any:
    return min(max(value, ZERO), ONE)
