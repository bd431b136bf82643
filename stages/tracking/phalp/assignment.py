"""The best one-to-one assignment under a gate."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import linear_sum_assignment

BEYOND_GATE = 1e-5


@dataclass(frozen=True)
class Assignment:
    """Which track goes on in which detection."""

    pairs: list[tuple[int, int]]
    """(row, column) of the cost."""
    free_rows: list[int]
    free_columns: list[int]


def gated(cost: Float64[np.ndarray, "m d"], gate: float) -> Float64[np.ndarray, "m d"]:
    """Costs above the gate are all put just above it."""
    return np.where(cost > gate, gate + BEYOND_GATE, cost)


def assign(cost: Float64[np.ndarray, "m d"], gate: float) -> Assignment:
    """Least total cost; pairs above the gate do not count as assigned."""
    held = gated(cost, gate)
    pairs = [
        (int(row), int(column))
        for row, column in zip(*linear_sum_assignment(held), strict=True)
        if held[row, column] <= gate
    ]
    rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
    return Assignment(
        pairs,
        [row for row in range(cost.shape[0]) if row not in rows],
        [column for column in range(cost.shape[1]) if column not in columns],
    )
