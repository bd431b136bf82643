"""Every measure of error once, with its unit in its name.

NumPy arrays in any precision, reckoned in float64. `valid` masks frames (n,) or single points
(n, k); what is not valid does not count, and a mean over nothing is NaN. Errors in place are
means of Euclidean distances, in millimetres for metres given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy.spatial.transform import Rotation

MM_PER_M = 1000.0
PELVIS = 0
TINY = 1e-12

COCO17_SIGMA = np.repeat(
    [0.026, 0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089], [1, 2, 2, 2, 2, 2, 2, 2, 2]
)
"""How far annotators scatter, over the root of a person's area (COCO's keypoint evaluation)."""

Valid = Bool[np.ndarray, "..."] | None


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotmat @ x + t_m, one for each of n sets of points."""

    scale: Float64[np.ndarray, " n"]
    rotmat: Float64[np.ndarray, "n 3 3"]
    t_m: Float64[np.ndarray, "n 3"]

    def apply(self, points_m: Float[np.ndarray, "n k 3"]) -> Float64[np.ndarray, "n k 3"]:
        """Move the points."""
        turned = _f64(points_m) @ self.rotmat.mT
        return self.scale[:, None, None] * turned + self.t_m[:, None]


def procrustes(
    source_m: Float[np.ndarray, "n k 3"],
    target_m: Float[np.ndarray, "n k 3"],
    *,
    valid: Valid = None,
    with_scale: bool = True,
) -> Similarity:
    """The similarity that brings each source nearest to its target (Umeyama 1991).

    A proper rotation always: where a mirror image would fit better, it is not taken.

    Args:
        source_m: points to move.
        target_m: where they should come to lie.
        valid: (n,) or (n, k); a set without valid points stays where it is, at scale 0.
        with_scale: False keeps the size.
    """
    source_m, target_m = _f64(source_m), _f64(target_m)
    weights = _point_mask(valid, source_m).astype(np.float64)
    share = weights / np.maximum(weights.sum(-1, keepdims=True), 1.0)
    source_m = np.where(weights[..., None] > 0, source_m, 0.0)
    target_m = np.where(weights[..., None] > 0, target_m, 0.0)
    source_mean = np.einsum("nk,nkc->nc", share, source_m)
    target_mean = np.einsum("nk,nkc->nc", share, target_m)
    source_c, target_c = source_m - source_mean[:, None], target_m - target_mean[:, None]
    u, sizes, vt = np.linalg.svd(np.einsum("nk,nki,nkj->nij", share, target_c, source_c))
    sign = np.ones_like(sizes)
    sign[:, 2] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rotmat = (u * sign[:, None]) @ vt
    variance = np.einsum("nk,nkc->n", share, source_c**2)
    scale = (sizes * sign).sum(-1) / np.maximum(variance, TINY)
    if not with_scale:
        scale = np.ones_like(scale)
    t_m = target_mean - scale[:, None] * np.einsum("nij,nj->ni", rotmat, source_mean)
    return Similarity(scale, rotmat, t_m)


def mpjpe_mm(
    predicted_m: Float[np.ndarray, "n k 3"],
    true_m: Float[np.ndarray, "n k 3"],
    *,
    valid: Valid = None,
    root: int | Sequence[int] | None = PELVIS,
) -> float:
    """Mean distance of joints after the roots are laid upon each other.

    Args:
        predicted_m: joints found.
        true_m: joints as they are.
        valid: (n,) or (n, k).
        root: the joint both are moved to; several: their mean; None: compared where they are.
    """
    return _mean(MM_PER_M * _distance(_rooted(predicted_m, root), _rooted(true_m, root)), valid)


def pa_mpjpe_mm(
    predicted_m: Float[np.ndarray, "n k 3"],
    true_m: Float[np.ndarray, "n k 3"],
    *,
    valid: Valid = None,
) -> float:
    """Mean distance of joints after the best rotation, shift and scale of every frame."""
    aligned_m = procrustes(predicted_m, true_m, valid=valid).apply(predicted_m)
    return _mean(MM_PER_M * _distance(aligned_m, _f64(true_m)), valid)


def pve_mm(
    predicted_vertices_m: Float[np.ndarray, "n v 3"],
    true_vertices_m: Float[np.ndarray, "n v 3"],
    *,
    valid: Valid = None,
    predicted_root_m: Float[np.ndarray, "n 3"] | None = None,
    true_root_m: Float[np.ndarray, "n 3"] | None = None,
) -> float:
    """Mean distance of vertices; with both roots given, after these are laid upon each other."""
    assert (predicted_root_m is None) == (true_root_m is None), "give both roots or none"
    predicted_m, true_m = _f64(predicted_vertices_m), _f64(true_vertices_m)
    if predicted_root_m is not None and true_root_m is not None:
        predicted_m = predicted_m - _f64(predicted_root_m)[:, None]
        true_m = true_m - _f64(true_root_m)[:, None]
    return _mean(MM_PER_M * _distance(predicted_m, true_m), valid)


def joint_angle_error_deg(
    predicted_rotvec: Float[np.ndarray, "n j 3"],
    true_rotvec: Float[np.ndarray, "n j 3"],
    *,
    valid: Valid = None,
) -> float:
    """Mean angle in degrees of the rotation between found and true joint rotations."""
    predicted = Rotation.from_rotvec(_finite(predicted_rotvec).reshape(-1, 3))
    true = Rotation.from_rotvec(_finite(true_rotvec).reshape(-1, 3))
    angle_deg = np.degrees((true.inv() * predicted).magnitude())
    return _mean(angle_deg.reshape(np.shape(true_rotvec)[:2]), valid)


def translation_error_mm(
    predicted_t_m: Float[np.ndarray, "n 3"],
    true_t_m: Float[np.ndarray, "n 3"],
    *,
    valid: Bool[np.ndarray, " n"] | None = None,
) -> float:
    """Mean distance of places, nothing aligned."""
    return _mean(MM_PER_M * _distance(_f64(predicted_t_m), _f64(true_t_m)), valid)


def acceleration_error_mm_s2(
    predicted_m: Float[np.ndarray, "t k 3"],
    true_m: Float[np.ndarray, "t k 3"],
    time_s: Float[np.ndarray, " t"],
    *,
    valid: Bool[np.ndarray, " t"] | None = None,
) -> float:
    """Mean length of the difference of accelerations; counts where three frames on end are valid.

    The literature's mm per frame squared is this value divided by the squared frame rate.
    """
    difference = _derivative(_f64(predicted_m) - _f64(true_m), time_s, order=2)
    return MM_PER_M * _mean(np.linalg.norm(difference, axis=-1), _valid_runs(valid, 3))


def jitter_m_s3(
    points_m: Float[np.ndarray, "t k 3"],
    time_s: Float[np.ndarray, " t"],
    *,
    valid: Bool[np.ndarray, " t"] | None = None,
) -> float:
    """Mean length of the third derivative, at uneven times too; over runs of four valid frames."""
    jerk = _derivative(_f64(points_m), time_s, order=3)
    return _mean(np.linalg.norm(jerk, axis=-1), _valid_runs(valid, 4))


def foot_slide_mm_per_frame(
    feet_world_m: Float[np.ndarray, "t k 3"],
    contact: Bool[np.ndarray, "t k"],
    *,
    up_axis: int = 1,
) -> float:
    """Mean way along the ground per frame of points that touch it in both frames of a pair."""
    along = np.delete(np.diff(_f64(feet_world_m), axis=0), up_axis, axis=-1)
    return _mean(MM_PER_M * np.linalg.norm(along, axis=-1), contact[1:] & contact[:-1])


def reprojection_error_px(
    projected_px: Float[np.ndarray, "n k 2"],
    seen_px: Float[np.ndarray, "n k 2"],
    *,
    valid: Valid = None,
) -> float:
    """Mean distance in the picture between projected and seen points."""
    return _mean(_distance(_f64(projected_px), _f64(seen_px)), valid)


def correct_keypoints_share(
    found_px: Float[np.ndarray, "n k 2"],
    true_px: Float[np.ndarray, "n k 2"],
    reach_px: Float[np.ndarray, " n"],
    *,
    valid: Valid = None,
) -> float:
    """PCK, 0 to 1: share of the points within reach of their true place; NaN is not.

    PCKh where the reach is half the head's size (Andriluka et al. 2014).
    """
    near = _distance(_f64(found_px), _f64(true_px)) <= _f64(reach_px)[:, None]
    return _mean(near.astype(np.float64), valid)


def object_keypoint_similarity(
    found_px: Float[np.ndarray, "n k 2"],
    true_px: Float[np.ndarray, "n k 2"],
    area_px2: Float[np.ndarray, " n"],
    sigma: Float[np.ndarray, " k"],
    *,
    valid: Bool[np.ndarray, "n k"],
) -> Float64[np.ndarray, " n"]:
    """COCO's OKS of each person, 0 to 1; NaN without a valid point.

    Mean over valid points of exp(-d^2 / (2 area (2 sigma)^2)), sigma as in `COCO17_SIGMA`.
    """
    squared = _distance(_f64(found_px), _f64(true_px)) ** 2
    spread = 2 * _f64(area_px2)[:, None] * (2 * _f64(sigma)) ** 2
    near = np.where(valid, np.nan_to_num(np.exp(-squared / np.maximum(spread, TINY))), 0.0)
    count = valid.sum(axis=1)
    return np.where(count > 0, near.sum(axis=1) / np.maximum(count, 1), np.nan)


def coverage(found: Bool[np.ndarray, "*n"], present: Bool[np.ndarray, "*n"]) -> float:
    """Share, 0 to 1, of the frames with the person in them in which it was found."""
    return _mean(found.astype(np.float64), present)


def id_switches(found_id: Int[np.ndarray, " t"]) -> int:
    """How often one true person's found id changes; negative is not found and breaks nothing."""
    ids = found_id[found_id >= 0]
    return int(np.count_nonzero(ids[1:] != ids[:-1]))


def _derivative(values: np.ndarray, time_s: np.ndarray, order: int) -> np.ndarray:
    """Derivative by divided differences: exact for polynomials of this order at any times."""
    time_s = _f64(time_s)
    for step in range(1, order + 1):
        span_s = (time_s[step:] - time_s[:-step]).reshape(-1, *[1] * (values.ndim - 1))
        values = step * np.diff(values, axis=0) / span_s
    return values


def _valid_runs(valid: np.ndarray | None, length: int) -> np.ndarray | None:
    """True where this and the next `length - 1` frames are valid."""
    if valid is None:
        return None
    count = max(len(valid) - length + 1, 0)
    return np.all([valid[i : i + count] for i in range(length)], axis=0)


def _rooted(points_m: np.ndarray, root: int | Sequence[int] | None) -> np.ndarray:
    points_m = _f64(points_m)
    if root is None:
        return points_m
    return points_m - points_m[:, np.atleast_1d(root)].mean(axis=1, keepdims=True)


def _distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.linalg.norm(first - second, axis=-1)


def _mean(values: np.ndarray, valid: np.ndarray | None) -> float:
    """Mean of the valid values; a mask of frames holds for all points in them."""
    if valid is not None:
        values = values[np.asarray(valid, dtype=bool)]
    return float(values.mean()) if values.size else float("nan")


def _point_mask(valid: np.ndarray | None, points: np.ndarray) -> np.ndarray:
    if valid is None:
        return np.ones(points.shape[:-1], dtype=bool)
    valid = np.asarray(valid, dtype=bool)
    return np.broadcast_to(valid if valid.ndim > 1 else valid[:, None], points.shape[:-1])


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, 0.0).astype(np.float64)


def _f64(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)
