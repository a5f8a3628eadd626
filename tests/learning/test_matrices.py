import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harmonizer.learning.composites.matrices import eigen, power

entries = st.lists(st.floats(-1, 1, width=32), min_size=6, max_size=6)


def symmetric(rows):
    places = torch.tensor([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
    return torch.tensor(rows, dtype=torch.float32)[:, places]


@given(rows=st.lists(entries, min_size=1, max_size=4))
def test_eigenvalues_are_those_of_torch_and_the_vectors_belong_to_them(rows):
    matrix = symmetric(rows)
    values, vectors = eigen(matrix)
    torch.testing.assert_close(values.sort(dim=1).values, torch.linalg.eigvalsh(matrix), atol=2e-6, rtol=0)
    torch.testing.assert_close(matrix @ vectors, vectors * values[:, None], atol=4e-6, rtol=0)
    unit = torch.eye(3).expand_as(vectors)
    torch.testing.assert_close(vectors.transpose(1, 2) @ vectors, unit, atol=4e-6, rtol=0)


def test_diagonal_and_repeated_eigenvalues_are_no_exception():
    for diagonal in ([0.3, 0.2, 0.1], [0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]):
        matrix = torch.diag(torch.tensor(diagonal))[None]
        values, vectors = eigen(matrix)
        torch.testing.assert_close((vectors * values[:, None]) @ vectors.transpose(1, 2), matrix)


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1, 2])
def test_a_power_is_that_of_the_eigenvalues_in_float64(exponent):
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(50, 3, 3, generator=generator)
    matrix = root @ root.transpose(1, 2) + 0.05 * torch.eye(3)
    values, vectors = torch.linalg.eigh(matrix.double())
    plain = (vectors * values[:, None] ** exponent) @ vectors.transpose(1, 2)
    torch.testing.assert_close(power(matrix, exponent), plain.float(), atol=1e-4, rtol=1e-4)


def test_eigenvalues_are_brought_within_the_limits_first():
    matrix = torch.diag(torch.tensor([0.01, 1.0, 9.0]))[None]
    within = power(matrix, 0.5, limits=(0.25, 4.0))
    torch.testing.assert_close(within, torch.diag(torch.tensor([0.5, 1.0, 2.0]))[None])
