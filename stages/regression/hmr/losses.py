"""What HMR's training minimises (Kanazawa et al. 2018; weights: 60, 60 and 1)."""

from jaxtyping import Float
from torch import Tensor

RIGHT_HIP, LEFT_HIP = 2, 3
"""In the order of LSP's 14 joints."""


def keypoint_loss(
    points: Float[Tensor, "b k 2"], truth: Float[Tensor, "b k 3"]
) -> Float[Tensor, ""]:
    """Mean absolute difference of the visible points' coordinates; 0 if none is visible."""
    visible = truth[..., 2:]
    count = 2 * (visible != 0).sum()
    return (visible * (points - truth[..., :2]).abs()).sum() / count.clamp(min=1)


def parameter_loss(
    found: Float[Tensor, "b p"], truth: Float[Tensor, "b p"], is_known: Float[Tensor, " b"]
) -> Float[Tensor, ""]:
    """Half the mean square over samples whose truth is known; 0 if none is."""
    count = (is_known != 0).sum() * found.shape[1]
    return 0.5 * (is_known[:, None] * (found - truth) ** 2).sum() / count.clamp(min=1)


def joint_loss(
    joints_m: Float[Tensor, "b 14 3"],
    truth_m: Float[Tensor, "b 14 3"],
    is_known: Float[Tensor, " b"],
) -> Float[Tensor, ""]:
    """The same of 3D joints, both moved to the middle of their hips."""
    found, truth = hip_centred(joints_m).flatten(1), hip_centred(truth_m).flatten(1)
    return parameter_loss(found, truth, is_known)


def hip_centred(joints_m: Float[Tensor, "b 14 3"]) -> Float[Tensor, "b 14 3"]:
    """Joints with the middle of the hips at the origin."""
    return joints_m - joints_m[:, [RIGHT_HIP, LEFT_HIP]].mean(dim=1, keepdim=True)


def score_loss(scores: Float[Tensor, "b 25"], wanted: float) -> Float[Tensor, ""]:
    """Least squares of the discriminator's scores, summed per body (Mao et al. 2017)."""
    return ((scores - wanted) ** 2).sum(dim=1).mean()
