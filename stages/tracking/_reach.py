"""How far from what is expected of a track a sighting of it may be."""

from dataclasses import dataclass

SURPRISE_GATE = 20.0
"""Squared distance in standard deviations over place and size: 99.98 % of a chi-square of 3."""
FORBIDDEN = 1e6
NEAR = 0.3
"""Distance between centres in heights at which nearness counts exp(-1/2)."""


@dataclass(frozen=True)
class Reach:
    """How far from what is expected a sighting may be; unless the boxes overlap much."""

    distance: float
    """Between the centres, in heights."""
    size_ratio: float
    overlap: float
    """Boxes with a greater intersection over union are possible however they differ."""


RECENT = Reach(distance=1.0, size_ratio=2.0, overlap=0.3)
"""From frame to frame a box may halve, as arms and legs of a runner come and go."""
LOST = Reach(distance=2.0, size_ratio=1.5, overlap=0.5)
