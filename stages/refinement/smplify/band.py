"""Solve the banded normal equations of a sequence, whose frames know the next two.

Two frames make a block, so the matrix is block tridiagonal: Cholesky down the diagonal, then back.
LAPACK's banded solver is as fast alone, but its threads cannot be limited from here, and where
other work keeps the cores busy they made it ten times slower.
"""

import torch
from torch import Tensor


def solve_band(blocks: Tensor, next_one: Tensor, next_two: Tensor, right: Tensor) -> Tensor | None:
    """Solve A x = right, A symmetric and positive definite.

    Args:
        blocks: (t, d, d) each frame with itself.
        next_one: (t - 1, d) diagonal of the block between a frame and the next.
        next_two: (t - 2, d) and the one after.
        right: (t, d).

    Returns:
        (t, d), or None where A is not positive definite to rounding.
    """
    frames, d = right.shape
    diagonal, below, right = _paired(blocks, next_one, next_two, right)
    lower, link, y = [], [], []
    schur, b = diagonal[0], right[0]
    for k in range(len(diagonal)):
        factor, failed = torch.linalg.cholesky_ex(schur)
        if failed:
            return None
        sides = torch.cat([below[k].mT, b[:, None]], 1)
        solved = torch.linalg.solve_triangular(factor, sides, upper=False)
        lower.append(factor)
        link.append(solved[:, :-1])
        y.append(solved[:, -1])
        if k + 1 < len(diagonal):
            update = solved[:, :-1].mT @ solved
            schur, b = diagonal[k + 1] - update[:, :-1], right[k + 1] - update[:, -1]
    x = [torch.zeros_like(y[0])]
    for k in reversed(range(len(diagonal))):
        rest = (y[k] - link[k] @ x[-1])[:, None]
        x.append(torch.linalg.solve_triangular(lower[k].mT, rest, upper=True)[:, 0])
    return torch.stack(x[:0:-1]).view(-1, d)[:frames]


def _paired(
    blocks: Tensor, next_one: Tensor, next_two: Tensor, right: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Blocks of two frames (n, 2d, 2d), those below them (n, 2d, 2d), right sides (n, 2d).

    An odd last frame gets a partner that stays at zero.
    """
    frames, d = right.shape
    pairs = (frames + 1) // 2
    every = torch.eye(d, dtype=right.dtype).repeat(2 * pairs, 1, 1)
    every[:frames] = blocks
    one, two = right.new_zeros((2 * pairs + 1, d)), right.new_zeros((2 * pairs + 1, d))
    one[: len(next_one)], two[: len(next_two)] = next_one, next_two
    diagonal = right.new_zeros((pairs, 2, d, 2, d))
    diagonal[:, 0, :, 0], diagonal[:, 1, :, 1] = every[0::2], every[1::2]
    diagonal[:, 0, :, 1] = diagonal[:, 1, :, 0] = torch.diag_embed(one[0 : 2 * pairs : 2])
    below = right.new_zeros((pairs, 2, d, 2, d))
    below[:, 0, :, 0] = torch.diag_embed(two[0 : 2 * pairs : 2])
    below[:, 1, :, 1] = torch.diag_embed(two[1 : 2 * pairs : 2])
    below[:, 0, :, 1] = torch.diag_embed(one[1 : 2 * pairs : 2])
    padded = right.new_zeros((2 * pairs, d))
    padded[:frames] = right
    return (
        diagonal.view(pairs, 2 * d, 2 * d),
        below.view(pairs, 2 * d, 2 * d),
        padded.view(pairs, -1),
    )
