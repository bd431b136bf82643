"""What skinned-mesh formats want to know of a body beside its vertices."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.body import BodyModel

PER_SET = 4
"""glTF and game engines take influences in sets of four."""
SMALLEST_WEIGHT = 1e-6


@dataclass(frozen=True)
class Influences:
    """The joints that move each vertex, strongest first; as many as the most moved vertex has."""

    joints: Int[np.ndarray, "v k"]
    weights: Float[np.ndarray, "v k"]
    """Rows sum to 1; where fewer joints move a vertex, joint 0 with weight 0 fills up."""


def influences(body: BodyModel) -> Influences:
    """Every weight of a body's skinning, none cut off; k is a multiple of four."""
    weights = body.weights.cpu().numpy().astype(np.float64)
    most = int((weights > SMALLEST_WEIGHT).sum(axis=1).max())
    k = PER_SET * -(-most // PER_SET)
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(weights, joints, axis=1)
    kept = np.where(kept > SMALLEST_WEIGHT, kept, 0.0)
    return Influences(np.where(kept > 0, joints, 0), kept / kept.sum(axis=1, keepdims=True))
