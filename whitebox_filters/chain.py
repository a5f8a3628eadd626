"""Filters in order, applied to an image: what `Filter` and `Cascade` have in common."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from whitebox_filters import images
from whitebox_filters.aliases import Array, Region
from whitebox_filters.backends import array
from whitebox_filters.errors import BackendError, FilterError, ImageError, ThetaError

if TYPE_CHECKING:
    from whitebox_filters.spec import Filter

_MODULES = {"numba": "cpu.plan", "cuda": "cuda.plan", "torch": "torch_compile"}


class Chain:
    """Filters in order, and where their statistics are measured; see `Cascade`, which also looks filters up by name."""

    def __init__(self, filters: Sequence[Filter], region: Region = "frame") -> None:
        """Take the filters as entries."""
        self.filters = tuple(filters)
        self.region = region

    def __repr__(self) -> str:
        region = "" if self.region == "frame" else f", statistics={self.region!r}"
        return f"{type(self).__name__}({list(self.names)!r}{region})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the filters in order."""
        return tuple(filter.name for filter in self.filters)

    def __len__(self) -> int:
        return len(self.filters)

    def __call__(
        self,
        image: Array,
        theta: Any,
        mask: Array | None = None,
        *,
        statistics: Sequence[Any] | None = None,
        backend: str | None = None,
    ) -> Array:
        """Apply all filters and blend with the mask (Eqs. 4 and 5); the input is left untouched.

        NumPy: `image` HWC, `theta` k numbers or {name: number}, `mask` HW (bool, uint8, uint16, float).
        torch: `image` (N, 3, H, W) in [0, 1], `theta` (N, k), `mask` (N, 1, H, W) in [0, 1]; gradients reach
        image and theta. Returns the type, shape and dtype of `image`. Statistics are measured, on
        the frame or inside the mask as the cascade was made, unless `statistics` (from `Cascade.statistics`)
        freezes them.
        Raises ImageError, ThetaError, BackendError.
        """
        if backend == "numba" or (backend is None and _kind(image) == "cuda"):
            return self.compile(backend or "cuda")(image, theta, mask, statistics=statistics)
        if backend is not None:
            raise BackendError(f"backend is None (the image's type decides) or 'numba'; got {backend!r}")
        return next(self._run(image, theta, mask, statistics, every=False))

    def compile(self, backend: str = "numba") -> Any:
        """The cascade made ready for many pictures: `plan(image, theta, mask=None, out=None, statistics=None)`.

        Arguments and result are as for a call; `out`, of the image's type, shape and dtype, takes the result, and may
        be `image` itself. "numba": NumPy images; "cuda": device arrays (H, W, 3); "torch": tensors (N, 3, H, W), by
        torch.compile and differentiable. `print(plan)` shows its passes. Raises BackendError.
        """
        if backend not in _MODULES:
            raise BackendError(f"a cascade compiles for {', '.join(map(repr, _MODULES))}; got {backend!r}")
        return _import(backend).Plan(self)

    def trace(
        self, image: Array, theta: Any, mask: Array | None = None, *, statistics: Sequence[Any] | None = None
    ) -> list[Array]:
        """Every I'_i, i = 1 .. k, each blended with the mask; arguments as for a call."""
        return list(self._run(image, theta, mask, statistics, every=True))

    def statistics(self, image: Array, theta: Any, mask: Array | None = None) -> list[Any]:
        """What each filter measures on the way, None for those that measure nothing; to freeze in a later call.

        The mask counts only in a cascade with `statistics="mask"`.
        """
        xp, planes, arguments = self._prepare(image, theta)
        weights = self._weights(_alpha(image, mask, planes))
        return [
            value for _, value in array.steps(xp, self.filters, planes, arguments, self.check_statistics(None), weights)
        ]

    def _run(
        self, image: Array, theta: Any, mask: Array | None, statistics: Sequence[Any] | None, *, every: bool
    ) -> Iterator[Array]:
        xp, original, arguments = self._prepare(image, theta)
        alpha = _alpha(image, mask, original)
        weights = self._weights(alpha)
        steps = array.steps(xp, self.filters, original, arguments, self.check_statistics(statistics), weights)
        for index, (planes, _) in enumerate(steps, start=1):
            if every or index == len(self):
                yield _restore(array.blend(planes, original, alpha), image)

    def _weights(self, alpha: Array | None) -> Array | None:
        """The opacity (..., H, W) by which pixels count in statistics; None counts all alike."""
        if alpha is None or self.region == "frame":
            return None
        return alpha[0] if alpha.ndim > 2 else alpha

    def _prepare(self, image: Array, theta: Any) -> tuple[Any, Array, Array]:
        if _kind(image) == "numpy":
            array_image = np.asarray(image)  # of a subclass such as numpy.memmap only the values count
            images.check_image(array_image)
            return np, images.to_planes(array_image), self.check_theta(theta)
        if _kind(image) == "cuda":
            raise BackendError("trace and statistics take NumPy arrays and torch tensors; copy the CUDA array first")
        if _kind(image) != "torch":
            raise ImageError(f"an image is a NumPy array, a torch tensor or a CUDA array; got {type(image).__name__}")
        import array_api_compat.torch as torch

        from whitebox_filters import tensors

        tensors.check_batch(image, theta, len(self))
        planes, arguments = tensors.as_plain(image).movedim(1, 0), tensors.as_plain(theta)
        return torch, tensors.to_working_dtype(planes), tensors.to_working_dtype(arguments)

    def check_theta(self, theta: Any) -> images.FloatArray:
        """Check k numbers, or a mapping that names every filter, as float64 (k,). Raises ThetaError."""
        if isinstance(theta, Mapping):
            if set(theta) != set(self.names):
                raise ThetaError(f"theta names {sorted(theta)}; this cascade takes exactly {list(self.names)}")
            theta = [theta[name] for name in self.names]
        try:
            values = np.asarray(theta, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ThetaError(f"theta is {len(self)} numbers in [-1, 1]; {error}") from error
        if values.shape != (len(self),):
            raise ThetaError(f"theta has shape {values.shape}; {self!r} takes {len(self)} numbers")
        outside = [f"{n} = {v:.9g}" for n, v in zip(self.names, values, strict=True) if not -1 <= v <= 1]
        if outside:
            raise ThetaError(f"theta lies in [-1, 1]; got {', '.join(outside)}")
        return values

    def check_statistics(self, statistics: Sequence[Any] | None) -> Sequence[Any]:
        """One entry a filter, None where to measure. Raises FilterError."""
        if statistics is None:
            return [None] * len(self)
        if len(statistics) != len(self):
            raise FilterError(f"statistics has {len(statistics)} entries; {self!r} takes {len(self)}")
        return statistics


def _import(backend: str) -> Any:
    try:
        return importlib.import_module(f"whitebox_filters.backends.{_MODULES[backend]}")
    except ImportError as error:
        raise BackendError(
            f"backend {backend!r} cannot be imported here ({error}); pip install 'whitebox-filters[{backend}]'"
        ) from error


def _kind(image: Array) -> str:
    if isinstance(image, np.ndarray):
        return "numpy"
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    if torch is not None and isinstance(image, torch.Tensor):
        return "torch"
    return "cuda" if hasattr(image, "__cuda_array_interface__") else "unknown"


def _alpha(image: Array, mask: Array | None, planes: Array) -> Array | None:
    if mask is None:
        return None
    if _kind(image) == "numpy":
        return images.to_alpha(np.asarray(mask), image.shape[:2], planes.dtype)
    from whitebox_filters import tensors

    return tensors.to_alpha(mask, image)


def _restore(planes: Array, image: Array) -> Array:
    if _kind(image) == "numpy":
        return images.from_planes(planes, image.dtype)
    result = planes.movedim(0, 1)
    return result.to(image.dtype) if image.dtype.itemsize < 4 else result  # half precision is computed in float32
