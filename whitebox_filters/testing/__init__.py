"""The conformance suite of filters, for this package and for the authors of plug-in filters.

>>> import whitebox_filters as wf
>>> from whitebox_filters.testing import check_filter
>>> check_filter(wf.get("shadow"), backends=["numpy"]).backends
('numpy',)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np

from whitebox_filters.errors import BackendError
from whitebox_filters.spec import Filter
from whitebox_filters.testing import agreement, properties
from whitebox_filters.testing.report import FilterConformanceError, Report

__all__ = ["BACKENDS", "FilterConformanceError", "Report", "check_filter"]

BACKENDS = {
    "numpy": (),
    "python": (),
    "torch": ("torch", "array_api_compat"),
    "numba": ("numba",),
    "cuda-simulator": ("numba", "numba_cuda"),
}
"""Every way to run a filter that is checked, with the modules it needs."""


def check_filter(filter: Filter, *, backends: Sequence[str] | None = None) -> Report:
    """Check every promise that a filter makes; return what was checked and where.

    With NumPy: theta 0 is exactly the identity; the output is finite, in [0, 1], of the input's dtype and
    shape; the input is untouched; a crop of the output is the output of the crop; the declared inverse undoes
    the filter, and where none is declared none exists; `monotone` is true of it or has a counterexample; no
    part of [-1, 1] is without effect; the examples hold. With torch as well: gradients are right, finite and
    alive, and a batch is its images one by one. All of `backends` agree; None is all that are installed here
    (NumPy alone is enough), and the report names those that are not.

    Raises FilterConformanceError (an AssertionError) with the property and a counterexample, and
    BackendError for a backend that is unknown or was asked for and is not installed.
    """
    missing = {name: _missing(name) for name in BACKENDS}
    chosen = tuple(name for name in BACKENDS if not missing[name]) if backends is None else tuple(backends)
    for name in chosen:
        if name not in BACKENDS:
            raise BackendError(f"no backend is named {name!r}; there are {', '.join(BACKENDS)}")
        if missing[name]:
            raise BackendError(f"backend {name!r} needs {', '.join(missing[name])}, not installed here")
    # A formula that divides by zero is judged by what comes out of it.
    with np.errstate(all="ignore"):
        notes = properties.check(filter)
        checked = [*properties.NAMES]
        if "torch" in chosen:
            from whitebox_filters.testing import gradients

            gradients.check(filter)
            checked += gradients.NAMES
        agreement.check(filter, chosen)
    not_run = {
        name: f"needs {', '.join(missing[name])}" if missing[name] else "not asked for"
        for name in BACKENDS
        if name not in chosen
    }
    return Report(filter.name, chosen, (*checked, "agreement"), notes, not_run)


def _missing(backend: str) -> list[str]:
    return [module for module in BACKENDS[backend] if importlib.util.find_spec(module) is None]
