"""What the compiled backends compute: working dtypes, coefficients, and formulas that call each other.

On CUDA the filters of a cascade become one function of a pixel, so that no intermediate image is ever stored.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from whitebox_filters.aliases import Pixel
from whitebox_filters.errors import FilterError
from whitebox_filters.scales import angle, power, single
from whitebox_filters.spec import Filter


class _Numbers:
    """NumPy, with a `where` that takes a tenth of the time for a single number."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def where(condition: Any, value: Any, other: Any) -> Any:
        if isinstance(condition, np.bool_):
            return value if condition else other
        return np.where(condition, value, other)


NUMBERS = _Numbers()
ZERO, HALF, ONE = single(0), single(0.5), single(1)

Jit = Callable[[Callable[..., Any]], Callable[..., Any]]


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which an image of `dtype` is computed: float64 for float64, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def filter_coefficients(filter: Filter, theta: Any, statistic: Any) -> tuple[float, ...]:
    """The coefficients of one filter. Raises FilterError if there are not as many as its pixel formula takes."""
    measured = None if statistic is None else np.asarray(statistic, np.float64)
    values = filter.coefficients(NUMBERS, theta, measured)
    if len(values) != _coefficient_count(filter.pixel):
        raise FilterError(
            f"filter {filter.name!r} computes {len(values)} coefficients; its pixel formula takes "
            f"{_coefficient_count(filter.pixel)} after r, g, b"
        )
    return tuple(float(value) for value in values)


def pixel_formulas(filters: tuple[Filter, ...]) -> tuple[Pixel, ...]:
    """The formulas of a chain. Its compiled code depends on nothing else, so filters may share it."""
    return tuple(filter.pixel for filter in filters)


def chain(formulas: tuple[Pixel, ...], jit: Jit) -> Callable[..., Any]:
    """The function (r, g, b, coefficients) -> (r, g, b) of all formulas, each clamped to [0, 1], through `jit`.

    It is generated as text because Numba unrolls neither a loop over functions nor a call with a slice of the
    coefficients.
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
    """The formula with the functions of `scales` that it calls, `power` and `angle`, compiled by `jit`."""
    globals_ = formula.__globals__
    shared = {name: jit(value) for name, value in globals_.items() if value is power or value is angle}
    return FunctionType(formula.__code__, {**globals_, **shared}, formula.__name__, None, formula.__closure__)


def scalars(values: tuple[float, ...], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The coefficients as scalars of the working dtype; never empty, since a CUDA kernel takes no empty tuple."""
    return tuple(dtype.type(value) for value in values or (0.0,))


@functools.lru_cache(maxsize=1024)
def _coefficient_count(formula: Pixel) -> int:
    return len(inspect.signature(formula).parameters) - 3


def _clamp(value: Any) -> Any:
    return min(max(value, ZERO), ONE)
