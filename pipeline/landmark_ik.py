"""BlazePose's 33 landmarks in metres to the joint rotations of a SMPL body, in closed form.

Every bone is turned so that it points where the landmarks say. Twist about a bone is taken where
landmarks determine it: the upper arm's from the plane of the elbow, the thigh's from that of the
knee (faded out as the limb gets straight), the forearm's from the knuckles. What 33 points do not
tell is left at rest: collar bones, toes, fingers; a bend of the spine is read as a tilt of the
pelvis, its twist and side bend are shared by three joints.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.landmark_sites import LandmarkSites
from pipeline.rotations import (
    rotmat_between_vectors,
    rotmat_to_quat_wxyz,
    rotmat_to_rotvec,
    rotvec_to_rotmat,
)
from pipeline.skeletons import BLAZEPOSE33, SMPL24

STRAIGHT_SIN, BENT_SIN = math.sin(math.radians(8)), math.sin(math.radians(25))
"""Twist counts for nothing below the first bend of elbow or knee, fully above the second."""

LARGEST_ANGLE_RAD = {"head": 0.7, "neck": 0.7, "wrist": 1.2, "ankle": 1.0}
_TINY = 1e-9


@dataclass(frozen=True)
class _Points:
    """Landmarks by name, of bodies seen or of the body at rest."""

    places_m: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return self.places_m[..., BLAZEPOSE33.index(name), :]

    def across(self, name: str) -> Tensor:
        """From the right to the left one."""
        return self[f"left_{name}"] - self[f"right_{name}"]

    def middle(self, name: str) -> Tensor:
        return (self[f"left_{name}"] + self[f"right_{name}"]) / 2


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm(dim=-1, keepdim=True).clamp_min(_TINY)


def _frame(first: Tensor, second: Tensor) -> Tensor:
    """Axes as columns: along the first vector, towards the second, and their normal."""
    x = _unit(first)
    y = _unit(second - (second * x).sum(-1, keepdim=True) * x)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def _turn(seen_first: Tensor, seen_second: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Rotation that brings the first vector onto the seen one, the second as near as can be."""
    return _frame(seen_first, seen_second) @ _frame(first, second).mT


def _about(axis: Tensor, angle_rad: Tensor) -> Tensor:
    return rotvec_to_rotmat(axis * angle_rad[..., None])


def _limit(rotmat: Tensor, largest_rad: float) -> Tensor:
    rotvec = rotmat_to_rotvec(rotmat)
    angle = rotvec.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    return rotvec_to_rotmat(rotvec * (largest_rad / angle).clamp_max(1.0))


def _share(rotmat: Tensor, share: float) -> Tensor:
    return rotvec_to_rotmat(rotmat_to_rotvec(rotmat) * share)


def _hinge_twist(swing: Tensor, upper: Tensor, lower: Tensor, hinge: Tensor, c: Tensor) -> Tensor:
    """Turn about the upper bone that puts the hinge axis at right angles to the bend.

    Solves (turned hinge axis) . lower = c, which is A cos(a) + B sin(a) = C; of the two answers
    the one that bends the right way. Fades to zero as the limb gets straight.
    """
    axis = (swing @ hinge[..., None])[..., 0]
    along = (axis * upper).sum(-1, keepdim=True) * upper
    across = axis - along
    normal = torch.linalg.cross(upper, across)
    a, b = (across * lower).sum(-1), (normal * lower).sum(-1)
    rest = c - (along * lower).sum(-1)
    reach = torch.sqrt(a * a + b * b).clamp_min(_TINY)
    spread = torch.arccos((rest / reach).clamp(-1.0, 1.0))
    bend = torch.linalg.cross(upper, lower)
    middle = torch.atan2(b, a)
    answers = torch.stack([middle + spread, middle - spread])
    turned = across * torch.cos(answers)[..., None] + normal * torch.sin(answers)[..., None]
    chosen = (turned * bend).sum(-1).argmax(0, keepdim=True)
    angle = torch.gather(answers, 0, chosen)[0]
    angle = torch.atan2(torch.sin(angle), torch.cos(angle))
    weight = ((bend.norm(dim=-1) - STRAIGHT_SIN) / (BENT_SIN - STRAIGHT_SIN)).clamp(0.0, 1.0)
    return angle * weight * weight * (3 - 2 * weight)


def _limb(
    parent: Tensor, seen: tuple[Tensor, Tensor], rest: tuple[Tensor, Tensor], hinge: Tensor
) -> tuple[Tensor, Tensor]:
    """Rotations in the camera of the upper and the lower bone of a limb that bends at a hinge."""
    upper, lower = _unit(seen[0]), _unit(seen[1])
    start = (parent @ rest[0][..., None])[..., 0]
    swing = rotmat_between_vectors(start, upper) @ parent
    c = (hinge * _unit(rest[1])).sum(-1)
    upper_rotmat = _about(upper, _hinge_twist(swing, upper, lower, hinge, c)) @ swing
    axis = (upper_rotmat @ hinge[..., None])[..., 0]
    return upper_rotmat, _turn(lower, axis, rest[1], hinge.expand_as(rest[1]))


def _twist_rad(rotmat: Tensor, axis: Tensor) -> Tensor:
    """How far a rotation turns about an axis (swing-twist decomposition)."""
    quat = rotmat_to_quat_wxyz(rotmat)
    return 2 * torch.atan2((quat[..., 1:] * axis).sum(-1), quat[..., 0])


class _Builder:
    """Collects local rotations joint by joint."""

    def __init__(self, seen: _Points, rest: _Points) -> None:
        self.seen, self.rest = seen, rest
        count = len(seen.places_m)
        self.local = torch.eye(3).to(seen.places_m).repeat(count, 24, 1, 1)

    def set(self, joint: str, rotmat: Tensor) -> None:
        self.local[:, SMPL24.index(joint)] = rotmat

    def torso(self) -> tuple[Tensor, Tensor]:
        """Pelvis and chest, the difference shared by the spine; rotations in the camera."""
        seen, rest = self.seen, self.rest
        up = seen.middle("shoulder") - seen.middle("hip")
        rest_up = rest.middle("shoulder") - rest.middle("hip")
        pelvis = _turn(up, seen.across("hip"), rest_up, rest.across("hip"))
        chest = _turn(up, seen.across("shoulder"), rest_up, rest.across("shoulder"))
        step = _share(pelvis.mT @ chest, 1 / 3)
        self.set("pelvis", pelvis)
        for joint in ("spine1", "spine2", "spine3"):
            self.set(joint, step)
        return pelvis, chest

    def head(self, chest: Tensor) -> None:
        def face(points: _Points) -> Tensor:
            front = points["nose"] + points.middle("eye")
            front = (front + (points["mouth_left"] + points["mouth_right"]) / 2) / 3
            return front - points.middle("ear")

        head = _turn(
            self.seen.across("ear"), face(self.seen), self.rest.across("ear"), face(self.rest)
        )
        half = _limit(_share(chest.mT @ head, 0.5), LARGEST_ANGLE_RAD["head"])
        self.set("neck", half)
        self.set("head", half)

    def _bones(self, *names: str) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Upper and lower bone of a limb given by three landmarks, as seen and at rest."""
        a, b, c = names
        seen, rest = self.seen, self.rest
        return (seen[b] - seen[a], seen[c] - seen[b]), (rest[b] - rest[a], rest[c] - rest[b])

    def arm(self, side: str, chest: Tensor) -> None:
        seen, rest = self._bones(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        hinge = torch.tensor([0.0, -1.0 if side == "left" else 1.0, 0.0]).to(chest)
        upper, lower = _limb(chest, seen, rest, hinge)

        def hand(points: _Points) -> tuple[Tensor, Tensor]:
            index, pinky = points[f"{side}_index"], points[f"{side}_pinky"]
            return (index + pinky) / 2 - points[f"{side}_wrist"], index - pinky

        hand_rotmat = _turn(*hand(self.seen), *hand(self.rest))
        axis = _unit(rest[1])
        lower = lower @ _about(axis, _twist_rad(lower.mT @ hand_rotmat, axis) / 2)
        self.set(f"{side}_shoulder", chest.mT @ upper)
        self.set(f"{side}_elbow", upper.mT @ lower)
        self.set(f"{side}_wrist", _limit(lower.mT @ hand_rotmat, LARGEST_ANGLE_RAD["wrist"]))

    def leg(self, side: str, pelvis: Tensor) -> None:
        seen, rest = self._bones(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        hinge = torch.tensor([1.0, 0.0, 0.0]).to(pelvis)
        upper, lower = _limb(pelvis, seen, rest, hinge)

        def foot(points: _Points) -> tuple[Tensor, Tensor]:
            heel = points[f"{side}_heel"]
            return points[f"{side}_foot_index"] - heel, points[f"{side}_ankle"] - heel

        foot_rotmat = _turn(*foot(self.seen), *foot(self.rest))
        self.set(f"{side}_hip", pelvis.mT @ upper)
        self.set(f"{side}_knee", upper.mT @ lower)
        self.set(f"{side}_ankle", _limit(lower.mT @ foot_rotmat, LARGEST_ANGLE_RAD["ankle"]))


def pose_from_landmarks(
    landmarks_m: Float[np.ndarray, "n 33 3"], sites: LandmarkSites
) -> Float64[Tensor, "n 24 3 3"]:
    """Local joint rotations of n bodies; joint 0 turns the body into the camera's axes.

    Args:
        landmarks_m: BlazePose's landmarks in camera axes, metres; only directions matter.
        sites: Where the landmarks sit on the body; its average shape is used.
    """
    seen = _Points(torch.from_numpy(np.asarray(landmarks_m, dtype=np.float64)))
    builder = _Builder(seen, _Points(torch.from_numpy(sites.rest_m)))
    pelvis, chest = builder.torso()
    builder.head(chest)
    for side in ("left", "right"):
        builder.arm(side, chest)
        builder.leg(side, pelvis)
    return builder.local
