import pytest
import torch

from stages.refinement.smplify.band import solve_band


def equations(frames, d=3, seed=0):
    torch.manual_seed(seed)
    root = torch.randn(frames, d, d, dtype=torch.float64)
    blocks = root @ root.mT + 8 * torch.eye(d, dtype=torch.float64)
    one = torch.randn(max(frames - 1, 0), d, dtype=torch.float64)
    two = torch.randn(max(frames - 2, 0), d, dtype=torch.float64)
    dense = torch.block_diag(*blocks)
    for apart, diagonal in ((1, one), (2, two)):
        values = diagonal.flatten()
        if len(values):
            dense += torch.diag(values, apart * d) + torch.diag(values, -apart * d)
    return blocks, one, two, torch.randn(frames, d, dtype=torch.float64), dense


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7, 10])
def test_it_solves_the_same_equations_as_a_dense_solver(frames):
    blocks, one, two, right, dense = equations(frames)
    expected = torch.linalg.solve(dense, right.flatten()).view(frames, -1)
    torch.testing.assert_close(solve_band(blocks, one, two, right), expected, atol=1e-10, rtol=0)


def test_equations_that_are_not_positive_definite_are_told_of():
    blocks, one, two, right, _ = equations(5)
    assert solve_band(blocks - 50 * torch.eye(3).double(), one, two, right) is None
