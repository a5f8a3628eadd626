"""Powers of small symmetric matrices, without a library call that waits for the device."""

from __future__ import annotations

import torch
from torch import Tensor

SWEEPS = 5


def power(matrix: Tensor, exponent: float, limits: tuple[float, float] = (1e-6, 1e6)) -> Tensor:
    """Symmetric (N, 3, 3) to a power, with its eigenvalues clamped to `limits` first."""
    values, vectors = eigen(matrix)
    powers = values.clamp(*limits).pow(exponent)
    return (vectors * powers[:, None, :]) @ vectors.transpose(1, 2)


def eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (N, 3) and eigenvectors, in columns (N, 3, 3), of symmetric (N, 3, 3); in no particular order.

    Cyclic Jacobi rotations: three elements off the diagonal need few sweeps (Golub and Van Loan, Matrix Computations,
    8.5). torch.linalg.eigh checks its result on the host, and would stall a GPU.
    """
    vectors = torch.eye(3, dtype=matrix.dtype, device=matrix.device).expand_as(matrix)
    for _ in range(SWEEPS):
        for first, second in ((0, 1), (0, 2), (1, 2)):
            rotation = _rotation(matrix, first, second)
            matrix = rotation.transpose(1, 2) @ matrix @ rotation
            vectors = vectors @ rotation
    return matrix.diagonal(dim1=1, dim2=2), vectors


def _rotation(matrix: Tensor, first: int, second: int) -> Tensor:
    """The rotation in the plane of two axes that brings the element between them to 0."""
    off = matrix[:, first, second]
    angle = 0.5 * torch.atan2(2 * off, matrix[:, second, second] - matrix[:, first, first])
    cosine, sine = angle.cos(), angle.sin()
    rotation = torch.eye(3, dtype=matrix.dtype, device=matrix.device).repeat(len(matrix), 1, 1)
    rotation[:, first, first] = rotation[:, second, second] = cosine
    rotation[:, first, second], rotation[:, second, first] = sine, -sine
    return rotation
