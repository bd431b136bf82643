"""What was seen of one person, made ready for the fit."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Camera, Person
from stages.refinement.smplify.weights import Weights

REFERENCE_FPS = 30.0
LONGEST_FRAME_S = 0.2
"""A frame never counts for more time than this, however long the pause after it."""

# How well a point is seen in the picture and in depth, relative to a knee.
_TRUST_2D = {"hip": 0.7, "index": 0.3, "pinky": 0.3, "thumb": 0.1, "heel": 0.5, "foot": 0.5}
_FACE_TRUST = {"nose": 0.3, "ear": 0.3, "eye": 0.1, "mouth": 0.1}
# Bones whose direction in space the 3D landmarks tell.
_BONES = (
    ("hip", "knee"),
    ("knee", "ankle"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "index"),
    ("heel", "foot_index"),
)


@dataclass(frozen=True)
class Observed:
    """Tensors over t frames and 33 landmarks; where nothing was seen, weights are 0."""

    time_s: Tensor
    time_weight: Tensor
    """(t,) how much time each frame stands for, in thirtieths of a second."""
    points_px: Tensor
    """(t, 33, 2)"""
    weight_2d: Tensor
    """(t, 33)"""
    bones: Tensor
    """(m, 33) differences of landmarks that the 3D landmarks tell."""
    bones_m: Tensor
    """(t, m, 3)"""
    weight_3d: Tensor
    """(t, m)"""
    spread_px: Tensor
    """(t,) usual error of a 2D landmark"""
    K: Tensor

    def cut(self, frames: slice | Tensor) -> "Observed":
        """Some of the frames."""
        return replace(
            self,
            time_s=self.time_s[frames],
            time_weight=self.time_weight[frames],
            points_px=self.points_px[frames],
            weight_2d=self.weight_2d[frames],
            bones_m=self.bones_m[frames],
            weight_3d=self.weight_3d[frames],
            spread_px=self.spread_px[frames],
        )


def _trust(point: str) -> float:
    for table in (_FACE_TRUST, _TRUST_2D):
        for part, trust in table.items():
            if part in point:
                return trust
    return 1.0


def bone_matrix() -> Tensor:
    """(m, 33): shoulders and face against the hips, limb bones end against start."""
    index = BLAZEPOSE33.index
    rows = []
    hips = torch.zeros(33, dtype=torch.float64)
    hips[[index("left_hip"), index("right_hip")]] = 0.5
    for point in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        row = -hips.clone()
        row[index(point)] += 1.0
        rows.append(row)
    for a, b in (("left_ear", "nose"), ("right_ear", "nose"), ("right_ear", "left_ear")):
        rows.append(_difference(a, b))
    rows += [_difference(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in _BONES]
    return torch.stack(rows)


def _difference(start: str, end: str) -> Tensor:
    row = torch.zeros(33, dtype=torch.float64)
    row[BLAZEPOSE33.index(end)], row[BLAZEPOSE33.index(start)] = 1.0, -1.0
    return row


def time_weights(time_s: Tensor) -> Tensor:
    """Half the time to the frame before and half the time to the next, in 1/30 s."""
    if len(time_s) == 1:
        return torch.ones(1, dtype=torch.float64)
    step_s = torch.diff(time_s)
    padded = torch.cat([step_s[:1], step_s, step_s[-1:]])
    return (padded[1:] + padded[:-1]).div(2).clamp_max(LONGEST_FRAME_S) * REFERENCE_FPS


def observe(
    person: Person, camera: Camera, depth_m: Tensor, site_lengths_m: Tensor, weights: Weights
) -> Observed:
    """Landmarks of a person as targets.

    Args:
        person: With keypoints and 3D landmarks, left and right already put in order.
        camera: Intrinsics.
        depth_m: (t,) rough distance of the body, for the size of an error in the picture.
        site_lengths_m: (m,) the body's own bone lengths: a seen bone keeps its direction only,
            because the detector makes far limbs too short.
        weights: Spreads.
    """
    assert person.keypoints_px is not None and person.landmarks_m is not None
    keypoints = torch.from_numpy(person.keypoints_px).double()
    landmarks_m = torch.from_numpy(person.landmarks_m).double()
    time_s = torch.from_numpy(person.time_s)
    time = time_weights(time_s)
    seen = torch.from_numpy(person.observed) & torch.isfinite(keypoints).all(-1).all(-1)
    seen3d = seen & torch.isfinite(landmarks_m).all(-1).all(-1)
    keypoints, landmarks_m = torch.nan_to_num(keypoints), torch.nan_to_num(landmarks_m)
    visibility = keypoints[..., 2].clamp(0, 1) ** 2
    trust = torch.tensor([_trust(point) for point in BLAZEPOSE33.points], dtype=torch.float64)
    bones = bone_matrix()
    bones_m = bones @ landmarks_m
    bones_m = bones_m / bones_m.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    bone_seen = torch.stack([visibility[:, row != 0].amin(-1) for row in bones], 1)
    K = torch.from_numpy(camera.K_px).double()
    return Observed(
        time_s,
        time,
        keypoints[..., :2],
        visibility * trust * (seen * time)[:, None],
        bones,
        bones_m * site_lengths_m[:, None],
        (0.2 + 0.8 * bone_seen) * (seen3d * time)[:, None],
        K[0, 0] * weights.pixel_spread_m / depth_m,
        K,
    )
