"""How far off the detector is: ``python -m stages.regression.lifter.error_table PAIRS.npz``.

Lengths in sizes (about half a metre on the body): the mean error (bias), the median, the 95th
percentile, the median step of the error from frame to frame (jitter), the median where the
detector is sure and where it is not, and how often it marks the other side's point.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from torch import Tensor

from pipeline.body import load_body
from pipeline.errors import UserError
from pipeline.skeletons import BLAZEPOSE33
from stages.regression.lifter.detected import DetectedPeople, read_detected
from stages.regression.lifter.filmed import SiteBody

POINTS = ("shoulder", "elbow", "wrist", "index", "hip", "knee", "ankle", "heel", "foot_index")
HEADS = ("point", "bias", "median", "95 %", "step", "sure", "median if sure", "else", "swapped")
SURE = 0.5
APART = 0.4
"""Sides nearer than this cannot be told to be exchanged."""


def error_table(people: DetectedPeople) -> Table:
    """One row for each kind of point, both sides together."""
    table = Table(*HEADS)
    for point in POINTS:
        left, right = BLAZEPOSE33.indices(f"left_{point}", f"right_{point}").tolist()
        rows = [_row(people, own, other) for own, other in ((left, right), (right, left))]
        mean = [sum(pair) / 2 for pair in zip(*rows, strict=True)]
        table.add_row(point, *(f"{value:.3f}" for value in mean))
    return table


def _row(people: DetectedPeople, own: int, other: int) -> list[float]:
    confidence = people.filmed.confidence[0]
    seen = confidence.amax(-1) > 0
    error, sure = people.error[:, own], confidence[:, own] > SURE
    off = error.norm(dim=-1)
    step = (error[1:] - error[:-1]).norm(dim=-1)[seen[1:] & seen[:-1]]
    true, mirror = people.true_points[:, own], people.true_points[:, other]
    found = true + error
    swapped = (found - mirror).norm(dim=-1) < off
    swapped &= (true - mirror).norm(dim=-1) > APART
    return [
        float(error[seen].mean(0).norm()),
        _middle(off[seen]),
        float(off[seen].quantile(0.95)),
        _middle(step),
        float(sure[seen].float().mean()),
        _middle(off[seen & sure]),
        _middle(off[seen & ~sure]),
        float(swapped[seen].float().mean()),
    ]


def _middle(values: Tensor) -> float:
    return float(values.median()) if len(values) else float("nan")


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    given = parser.parse_args(arguments)
    try:
        people = read_detected([given.pairs], SiteBody(load_body()))
    except UserError as error:
        parser.exit(2, f"{error}\n")
    Console(width=100).print(error_table(people))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
