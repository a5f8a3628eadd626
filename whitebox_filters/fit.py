"""The arguments that best turn one picture into another: the oracle of a set of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whitebox_filters import images
from whitebox_filters.cascade import Cascade
from whitebox_filters.errors import BackendError, FilterError, ImageError

if TYPE_CHECKING:
    from torch import Tensor

# The filters need neighbours for nothing, so a random draw of pixels stands for the picture: so many of the whole
# frame, on which statistics are measured, and of the foreground, on which the error is.
PIXELS = 4096
STEPS = 150  # of L-BFGS at most, from each start


def fit(
    cascade: Cascade,
    source: npt.NDArray[Any],
    target: npt.NDArray[Any],
    mask: npt.NDArray[Any] | None = None,
    *,
    starts: int = 6,
) -> npt.NDArray[np.float64]:
    """Find theta (k,) in [-1, 1] such that `cascade(source, theta, mask)` has the least squared error to `target`.

    `source` and `target` are NumPy images of one size and `mask` is HW, each as a cascade takes them. L-BFGS
    descends from theta = 0 and from `starts - 1` draws of the filters' priors, since six filters have false minima,
    on a draw of 4096 pixels at most. The best end is returned if it beats theta = 0 on the whole picture, else
    zeros: the result is never worse than no change. The same input gives the same theta, an empty mask zeros.
    Raises ImageError, FilterError if `starts` is less than 1, and BackendError where torch is not installed.
    """
    for image in (source, target):
        images.check_image(image)
    if source.shape != target.shape:
        raise ImageError(f"source {source.shape} and target {target.shape} differ in size; resize one first")
    if starts < 1:
        raise FilterError(f"starts is at least 1; got {starts}")
    alpha = images.to_alpha(
        np.ones(source.shape[:2]) if mask is None else np.asarray(mask), source.shape[:2], np.dtype(np.float32)
    )
    identity = np.zeros(len(cascade))
    if not alpha.any():
        return identity
    before, goal = images.to_planes(source), images.to_planes(target)
    theta = _descend(cascade, before, goal, alpha, starts)
    after = np.moveaxis(cascade(np.moveaxis(before, 0, -1), theta, alpha), -1, 0)
    return theta if np.mean((after - goal) ** 2) < np.mean((before - goal) ** 2) else identity


def _descend(
    cascade: Cascade, source: images.FloatArray, target: images.FloatArray, alpha: images.FloatArray, starts: int
) -> npt.NDArray[np.float64]:
    """The best of all descents on a draw of the pixels of planes (3, H, W) and opacity (H, W)."""
    try:
        import array_api_compat.torch  # noqa: F401
        import torch
    except ImportError as missing:
        raise BackendError(f"fit needs {missing.name}; pip install 'whitebox-filters[torch]'") from missing

    random = np.random.default_rng(0)
    everywhere, inside = (_draw(random, np.flatnonzero(where)) for where in (np.ones(alpha.size), alpha))

    def pixels(planes: images.FloatArray, chosen: npt.NDArray[np.intp]) -> Tensor:
        return torch.from_numpy(planes.reshape(1, -1, 1, alpha.size)[..., chosen]).double()

    frame, coverage = pixels(source, everywhere), pixels(alpha, everywhere)
    foreground, goal, opacity = pixels(source, inside), pixels(target, inside), pixels(alpha, inside)
    measures = any(filter.statistic is not None for filter in cascade.filters)

    def error(unbounded: Tensor) -> Tensor:
        theta = torch.tanh(unbounded)[None]
        statistics = cascade.statistics(frame, theta, coverage) if measures else None
        result: Tensor = cascade(foreground, theta, opacity, statistics=statistics)
        return ((255 * (result - goal)) ** 2).mean()

    priors = [filter.prior for filter in cascade.filters]
    starts_from_priors = random.normal([p.mean for p in priors], [p.std for p in priors], (starts - 1, len(priors)))
    ends = []
    for start in (np.zeros(len(priors)), *np.clip(starts_from_priors, -0.9, 0.9)):
        unbounded = torch.from_numpy(np.arctanh(start)).requires_grad_()
        ends.append(_minimize(error, unbounded))
    best: npt.NDArray[np.float64] = np.tanh(min(ends, key=lambda end: end[0])[1])
    return best


def _minimize(error: Any, unbounded: Tensor) -> tuple[float, npt.NDArray[np.float64]]:
    """The least error that L-BFGS finds from `unbounded`, and where."""
    import torch

    optimizer = torch.optim.LBFGS(
        [unbounded],
        max_iter=STEPS,
        tolerance_grad=1e-9,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value: Tensor = error(unbounded)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return float(error(unbounded)), unbounded.detach().numpy()


def _draw(random: np.random.Generator, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    if len(indices) <= PIXELS:
        return indices
    # One of each run of neighbours: the means of such a draw are closer to the picture's than a free draw's.
    return indices[((np.arange(PIXELS) + random.random(PIXELS)) * (len(indices) / PIXELS)).astype(np.intp)]
