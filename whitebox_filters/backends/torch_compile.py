"""The differentiable cascade through torch.compile, for training; on a CPU it needs a C++ compiler."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

import array_api_compat.torch as xp
import torch

from whitebox_filters import tensors
from whitebox_filters.backends import array
from whitebox_filters.errors import BackendError, ImageError

if TYPE_CHECKING:
    from whitebox_filters.chain import Chain

# What torch.compile looks for where the environment variable CXX names no other.
_COMPILERS = {"darwin": "clang++", "win32": "cl"}

_FLOAT = 4  # bytes of a float32


class Plan:
    """A compiled cascade on float tensors; gradients reach image, theta and mask as in `Cascade.__call__`.

    The first call compiles, which takes some seconds. So does the first one with another dtype or device, with or
    without mask, `out` or gradients; the second size compiles once more, for all sizes. Second derivatives need the
    cascade itself. On a CPU, torch.compile needs a C++ compiler (g++, on macOS clang++, or what CXX names).
    """

    def __init__(self, cascade: Chain) -> None:
        """Plan a cascade; nothing is compiled yet."""
        self._cascade = cascade
        filters, region = cascade.filters, cascade.region

        def run(image: torch.Tensor, theta: torch.Tensor, alpha: Any, out: Any, statistics: list[Any]) -> Any:
            planes = tensors.to_working_dtype(image).movedim(1, 0)
            weights = None if alpha is None or region == "frame" else alpha[0]
            *_, (filtered, _) = array.steps(xp, filters, planes, tensors.to_working_dtype(theta), statistics, weights)
            blended = array.blend(filtered, planes, alpha).movedim(0, 1).to(image.dtype)
            return blended if out is None else out.copy_(blended)

        self._run: Callable[..., Any] = torch.compile(_with_own_code(run), fullgraph=True)

    def __call__(
        self,
        image: torch.Tensor,
        theta: torch.Tensor,
        mask: torch.Tensor | None = None,
        out: torch.Tensor | None = None,
        statistics: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Apply all filters and blend with the mask (Eqs. 4 and 5).

        `image` is floating point (N, 3, H, W) in [0, 1], `theta` (N, k), `mask` (N, 1, H, W) in [0, 1]; `statistics`
        is from `Cascade.statistics`. `out`, like `image` in shape, dtype and device, takes the result where no
        gradient is asked for; it may be `image`. A pixel with mask 0 is the input's, bit for bit.
        Raises ImageError, ThetaError, FilterError, BackendError.
        """
        if not isinstance(image, torch.Tensor):
            raise BackendError(f"backend 'torch' takes a torch tensor; got {type(image).__name__}")
        tensors.check_batch(image, theta, len(self._cascade))
        image, theta = tensors.as_plain(image), tensors.as_plain(theta)
        _check_out(out, image, [image, theta, mask])
        if image.device.type == "cpu":
            _check_compiler()
        alpha = None if mask is None else tensors.to_alpha(mask, image)
        result: torch.Tensor = self._run(image, theta, alpha, out, self._frozen(statistics, theta))
        return result

    def __str__(self) -> str:
        """The passes that the formulas need; the compiler may split or join them."""
        filters = self._cascade.filters
        lines = [f"torch.compile of {len(filters)} filters on float tensors (N, 3, H, W)"]
        weights = _FLOAT if self._cascade.region == "mask" else 0
        moved = 0
        for index, filter in enumerate(filters):
            if filter.statistic is not None:
                before = " > ".join(earlier.name for earlier in filters[:index]) or "the image itself"
                lines.append(f"  statistics pass: {filter.statistic} for {filter.name}, of {before}")
                moved += 3 * _FLOAT + weights
        moved += 2 * 3 * _FLOAT + _FLOAT
        lines.append(f"  pixel pass: {' > '.join(filter.name for filter in filters)}, blended with the mask")
        lines.append(f"  at least {moved} bytes a pixel in float32, mask included")
        return "\n".join(lines)

    def _frozen(self, statistics: Sequence[Any] | None, theta: torch.Tensor) -> list[Any]:
        """The frozen values as tensors, since a plain number would be compiled in as a constant."""
        return [
            None
            if value is None
            else torch.as_tensor(value, dtype=tensors.to_working_dtype(theta).dtype, device=theta.device)
            for value in self._cascade.check_statistics(statistics)
        ]


def _with_own_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a code object of its own: torch.compile limits how often it compiles each code object."""
    code = function.__code__.replace()
    return FunctionType(code, function.__globals__, code.co_name, None, function.__closure__)


def _check_out(out: torch.Tensor | None, image: torch.Tensor, inputs: Sequence[torch.Tensor | None]) -> None:
    if out is None:
        return
    if out.shape != image.shape or out.dtype != image.dtype or out.device != image.device:
        raise ImageError(
            f"out is like the image, {tuple(image.shape)} {image.dtype} on {image.device}; "
            f"got {tuple(out.shape)} {out.dtype} on {out.device}"
        )
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in inputs):
        raise BackendError("out carries no gradient; omit it, or call the plan under torch.no_grad()")


def _check_compiler() -> None:
    compiler = os.environ.get("CXX") or _COMPILERS.get(sys.platform, "g++")
    if shutil.which(compiler) is None:
        raise BackendError(
            f"torch.compile needs a C++ compiler on a CPU, and there is no {compiler!r} here; install one (Debian: "
            "g++), let CXX name it, or call the cascade itself, which needs none"
        )
