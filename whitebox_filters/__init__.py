"""White-box photographic filters: differentiable, editable, the same on NumPy, torch, Numba and CUDA.

>>> import numpy as np
>>> import whitebox_filters as wf
>>> image = np.full((2, 2, 3), 204, np.uint8)
>>> wf.get("shadow")(image, -0.7)[0, 0, 0]
np.uint8(174)
"""

from whitebox_filters.cascade import DEFAULT_FILTERS, EIGHT_FILTERS, Cascade
from whitebox_filters.errors import (
    BackendError,
    DuplicateFilterError,
    FilterError,
    ImageError,
    LutError,
    PluginError,
    ThetaError,
    UnknownFilterError,
)
from whitebox_filters.fit import fit
from whitebox_filters.lut import apply_lut, bake_lut, format_cube, read_cube, write_cube
from whitebox_filters.registry import VERSION as REGISTRY_VERSION
from whitebox_filters.registry import get, load_builtin, names, register
from whitebox_filters.spec import Example, Filter, Prior

__all__ = [
    "DEFAULT_FILTERS",
    "EIGHT_FILTERS",
    "REGISTRY_VERSION",
    "BackendError",
    "Cascade",
    "DuplicateFilterError",
    "Example",
    "Filter",
    "FilterError",
    "ImageError",
    "LutError",
    "PluginError",
    "Prior",
    "ThetaError",
    "UnknownFilterError",
    "apply_lut",
    "bake_lut",
    "fit",
    "format_cube",
    "get",
    "names",
    "read_cube",
    "register",
    "write_cube",
]

load_builtin()
