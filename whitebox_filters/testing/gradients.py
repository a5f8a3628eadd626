"""The properties that torch checks: gradients and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from whitebox_filters.cascade import Cascade
from whitebox_filters.images import FloatArray
from whitebox_filters.spec import Filter
from whitebox_filters.testing import samples
from whitebox_filters.testing.properties import DEAD, PARTS
from whitebox_filters.testing.report import require
from whitebox_filters.testing.samples import THETAS

NAMES = ("batch", "finite gradient", "living gradient", "gradient at 0", "gradcheck")

# The means of a batch and of one image may add up in another order.
BATCH = {torch.float64: 1e-12, torch.float32: 1e-5}
# Steps and tolerance of one-sided differences at 0; the second derivative of a filter there is of order 1.
STEP, SLOPE = 1e-5, 1e-3


def check(filter: Filter) -> None:
    check_batch(filter)
    check_finite(filter)
    check_living(filter)
    check_zero(filter)
    check_against_differences(filter)


def to_batch(*images: FloatArray, dtype: torch.dtype) -> torch.Tensor:
    """NumPy images (H, W, 3) of one size as a tensor (N, 3, H, W)."""
    return torch.from_numpy(np.stack(images)).movedim(-1, 1).to(dtype).contiguous()


def check_batch(filter: Filter) -> None:
    images = list(samples.everywhere().values())
    for dtype, tolerance in BATCH.items():
        batch = to_batch(*images, dtype=dtype)
        theta = torch.linspace(-1, 1, len(images), dtype=dtype)
        together = _apply(filter, batch, theta)
        alone = torch.cat([_apply(filter, batch[i : i + 1], theta[i : i + 1]) for i in range(len(images))])
        error = float((together - alone).abs().max())
        require(error <= tolerance, filter.name, "batch", f"a batch of {dtype} is {error:.3g} from one by one")


def check_finite(filter: Filter) -> None:
    """The gradients of image and theta are finite for every sample and theta, 0 and both ends included."""
    named = samples.everywhere()
    for dtype in (torch.float32, torch.float64):
        for value in THETAS:
            batch = to_batch(*named.values(), dtype=dtype).requires_grad_()
            theta = torch.full((len(named),), value, dtype=dtype, requires_grad=True)
            by_image, by_theta = torch.autograd.grad(_apply(filter, batch, theta).sum(), (batch, theta))
            finite = torch.isfinite(by_theta) & torch.isfinite(by_image).all(dim=(1, 2, 3))
            bad = [name for name, fine in zip(named, finite, strict=True) if not fine]
            finding = f"theta {value:g} in {dtype} on the {', '.join(bad)} image"
            require(not bad, filter.name, "finite gradient", finding)


def check_living(filter: Filter) -> None:
    """The derivative by theta is not 0 at 0, nor in any of 200 parts of [-1, 1], on a textured image.

    A random weight on each value keeps those that rise from cancelling those that fall.
    """
    edges = np.linspace(-1, 1, PARTS + 1)
    values = torch.tensor([*((edges[:-1] + edges[1:]) / 2), 0.0], dtype=torch.float64, requires_grad=True)
    image = to_batch(samples.textured(), dtype=torch.float64)
    weights = torch.from_numpy(np.random.default_rng(4).standard_normal(image.shape))
    filtered = _apply(filter, image.expand(len(values), -1, -1, -1), values)
    (slopes,) = torch.autograd.grad((filtered * weights).sum(), values)
    dead = values.detach()[~(slopes.abs() > DEAD)]
    finding = (
        f"it is 0 at {len(dead)} of {len(values)} values of theta, the first {float(dead[0]) if len(dead) else 0:g}"
    )
    require(not len(dead), filter.name, "living gradient", finding)


def check_zero(filter: Filter) -> None:
    """At theta = 0 the gradient lies between the one-sided slopes: not lost, and not counted twice."""
    image = to_batch(samples.midtones(), dtype=torch.float64)

    def at(theta: torch.Tensor) -> torch.Tensor:
        return _apply(filter, image, theta).flatten()

    zero = torch.zeros(1, dtype=torch.float64)
    middle = at(zero)
    left, right = (middle - at(zero - STEP)) / STEP, (at(zero + STEP) - middle) / STEP
    slope = torch.autograd.functional.jacobian(at, zero)[:, 0]  # type: ignore[no-untyped-call]
    tolerance = SLOPE * (1 + slope.abs())
    fine = (slope >= torch.minimum(left, right) - tolerance) & (slope <= torch.maximum(left, right) + tolerance)
    first = int(torch.argmin(fine.to(torch.uint8)))
    finding = f"it is {float(slope[first]):.4g}; the slopes are {float(left[first]):.4g} and {float(right[first]):.4g}"
    require(bool(fine.all()), filter.name, "gradient at 0", finding)


def check_against_differences(filter: Filter) -> None:
    """torch.autograd.gradcheck by image and theta, on values that the filter does not bring near 0 or 1."""
    image = to_batch(samples.midtones(), dtype=torch.float64).requires_grad_()
    compared = 0
    for value in (-0.35, -0.1, 0.1, 0.35):
        theta = torch.tensor([value], dtype=torch.float64, requires_grad=True)
        result = _apply(filter, image, theta).detach()
        unclipped = (result > 0.01) & (result < 0.99)

        def unclipped_values(image: Any, theta: Any, unclipped: Any = unclipped) -> Any:
            return _apply(filter, image, theta)[unclipped]

        if bool(unclipped.any()):
            same = torch.autograd.gradcheck(unclipped_values, (image, theta), raise_exception=False)
            require(same, filter.name, "gradcheck", f"gradients differ from differences at theta {value:g}")
            compared += 1
    require(compared, filter.name, "gradcheck", "even |theta| = 0.1 clips every midtone")


def _apply(filter: Filter, batch: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = Cascade([filter])(batch, theta[:, None])
    return result
