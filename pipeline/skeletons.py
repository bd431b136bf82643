"""Landmark sets by name: what each point is, which are joined by a line, which is whose mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int32


@dataclass(frozen=True)
class Skeleton:
    """Named points of a body."""

    name: str
    points: tuple[str, ...]
    """Name of every point, in the order of the arrays."""
    bones: tuple[tuple[str, str], ...]
    """Pairs of points to draw a line between."""

    def __len__(self) -> int:
        return len(self.points)

    def index(self, point: str) -> int:
        """Position of a point in the arrays."""
        return self.points.index(point)

    def indices(self, *points: str) -> Int32[np.ndarray, " n"]:
        """Positions of several points."""
        return np.array([self.points.index(point) for point in points], dtype=np.int32)

    @cached_property
    def edges(self) -> Int32[np.ndarray, "e 2"]:
        """The bones as positions."""
        return np.array([self.indices(*bone) for bone in self.bones], dtype=np.int32)

    @cached_property
    def mirror(self) -> Int32[np.ndarray, " k"]:
        """For every point the position of its counterpart on the other side of the body."""
        return self.indices(*(_other_side(point) for point in self.points))


def _other_side(point: str) -> str:
    if "left" in point:
        return point.replace("left", "right")
    return point.replace("right", "left")


def _both_sides(*bones: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in bones)


_ACROSS = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
_LIMBS = _both_sides(
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("shoulder", "hip"),
    ("hip", "knee"),
    ("knee", "ankle"),
)

BLAZEPOSE33 = Skeleton(
    "blazepose33",
    (
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        "left_ear",
        "right_ear",
        "mouth_left",
        "mouth_right",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_pinky",
        "right_pinky",
        "left_index",
        "right_index",
        "left_thumb",
        "right_thumb",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_heel",
        "right_heel",
        "left_foot_index",
        "right_foot_index",
    ),
    (
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("mouth_left", "mouth_right"),
        *_ACROSS,
        *_LIMBS,
        *_both_sides(
            ("eye", "ear"),
            ("wrist", "index"),
            ("wrist", "thumb"),
            ("wrist", "pinky"),
            ("ankle", "heel"),
            ("heel", "foot_index"),
        ),
    ),
)

COCO17 = Skeleton(
    "coco17",
    (
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    (
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_ACROSS,
        *_LIMBS,
        *_both_sides(("eye", "ear")),
    ),
)

POSETRACK17 = Skeleton(
    "posetrack17",
    ("nose", "head_bottom", "head_top", "left_ear", "right_ear", *COCO17.points[5:]),
    (("nose", "head_top"), ("nose", "head_bottom"), *_ACROSS, *_LIMBS),
)
"""PoseTrack's; its ears are placeholders that nobody annotated."""

SMPL24 = Skeleton(
    "smpl24",
    (
        "pelvis",
        "left_hip",
        "right_hip",
        "spine1",
        "left_knee",
        "right_knee",
        "spine2",
        "left_ankle",
        "right_ankle",
        "spine3",
        "left_foot",
        "right_foot",
        "neck",
        "left_collar",
        "right_collar",
        "head",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hand",
        "right_hand",
    ),
    (
        ("pelvis", "spine1"),
        ("spine1", "spine2"),
        ("spine2", "spine3"),
        ("spine3", "neck"),
        ("neck", "head"),
        *_both_sides(
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "foot"),
            ("collar", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("wrist", "hand"),
        ),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        ("spine3", "left_collar"),
        ("spine3", "right_collar"),
    ),
)
SMPL24_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""Parent joint of every SMPL joint; the pelvis has none."""

_TOES = ("big_toe", "small_toe", "heel")
_TIPS = ("thumb_tip", "index_tip", "middle_tip", "ring_tip", "pinky_tip")
# Left limbs run away from the trunk, and right ones towards it, in the sets of the LSP data.
_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")


def _of(side: str, parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts)


SMPL45 = Skeleton(
    "smpl45",
    (
        *SMPL24.points,
        *("nose", "right_eye", "left_eye", "right_ear", "left_ear"),
        *_of("left", _TOES),
        *_of("right", _TOES),
        *_of("left", _TIPS),
        *_of("right", _TIPS),
    ),
    (
        *SMPL24.bones,
        ("head", "nose"),
        *(("nose", eye) for eye in ("right_eye", "left_eye")),
        *_both_sides(("eye", "ear"), ("ankle", "heel"), ("foot", "big_toe"), ("foot", "small_toe")),
        *_both_sides(*(("hand", tip) for tip in _TIPS)),
    ),
)
"""SMPL's 24 joints and 21 points of its surface, as the package smplx returns them."""

OPENPOSE25 = Skeleton(
    "openpose25",
    (
        *("nose", "neck"),
        *_of("right", _ARM),
        *_of("left", _ARM),
        "mid_hip",
        *_of("right", _LEG),
        *_of("left", _LEG),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
        *_of("left", _TOES),
        *_of("right", _TOES),
    ),
    (
        *(("nose", "neck"), ("neck", "mid_hip")),
        *(("nose", eye) for eye in ("right_eye", "left_eye")),
        *(("neck", shoulder) for shoulder in ("right_shoulder", "left_shoulder")),
        *(("mid_hip", hip) for hip in ("right_hip", "left_hip")),
        *_both_sides(("eye", "ear"), ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee")),
        *_both_sides(("knee", "ankle"), ("ankle", "heel"), ("ankle", "big_toe")),
        *_both_sides(("big_toe", "small_toe")),
    ),
)
"""OpenPose's BODY_25."""

_LIMBS12 = (
    *_of("right", reversed(_LEG)),
    *_of("left", _LEG),
    *_of("right", reversed(_ARM)),
    *_of("left", _ARM),
)
LSP14 = Skeleton(
    "lsp14",
    (*_LIMBS12, "neck_lsp", "head_top_lsp"),
    (*_ACROSS, *_LIMBS, ("neck_lsp", "head_top_lsp")),
)
"""The points of the LSP data set: the first 14 of `EXTRA19` and of `COCOPLUS19`."""

COCOPLUS19 = Skeleton(
    "cocoplus19",
    (*LSP14.points, "nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    (
        *LSP14.bones,
        *(("nose", eye) for eye in ("right_eye", "left_eye")),
        *_both_sides(("eye", "ear")),
    ),
)
"""What HMR's `cocoplus_regressor` gives."""

EXTRA19 = Skeleton(
    "extra19",
    (*LSP14.points, "pelvis_mpii", "thorax_mpii", "spine_h36m", "jaw_h36m", "head_h36m"),
    (
        *LSP14.bones,
        *(("pelvis_mpii", "spine_h36m"), ("spine_h36m", "thorax_mpii")),
        *(("thorax_mpii", "jaw_h36m"), ("jaw_h36m", "head_h36m")),
    ),
)
"""The points of other data sets that SPIN and HMR2 add to OpenPose's: `SMPL_to_J19.pkl`."""

DATA24 = Skeleton(
    "data24", (*EXTRA19.points, *COCOPLUS19.points[14:]), (*EXTRA19.bones, *COCOPLUS19.bones[-4:])
)
"""SPIN's points of the training sets ("ground truth"): `EXTRA19`, then five of the face."""


def _after_openpose(name: str, others: Skeleton) -> Skeleton:
    """OpenPose's 25, their names marked, then others: ankles, say, are in both."""
    points, bones = OPENPOSE25.points, OPENPOSE25.bones
    return Skeleton(
        name,
        (*(f"openpose_{point}" for point in points), *others.points),
        (*((f"openpose_{a}", f"openpose_{b}") for a, b in bones), *others.bones),
    )


HMR2_44 = _after_openpose("hmr2_44", EXTRA19)
"""The joints of HMR2.0, PHALP and TokenHMR. Errors are measured from `pelvis_mpii`, which is 39."""

SPIN49 = _after_openpose("spin49", DATA24)
"""The joints of SPIN."""

H36M17 = Skeleton(
    "h36m17",
    (
        "pelvis",
        *_of("left", _LEG),
        *_of("right", _LEG),
        *("spine", "neck", "jaw", "head"),
        *_of("left", _ARM),
        *_of("right", _ARM),
    ),
    (
        *(("pelvis", "spine"), ("spine", "neck"), ("neck", "jaw"), ("jaw", "head")),
        *(("pelvis", hip) for hip in ("left_hip", "right_hip")),
        *(("neck", shoulder) for shoulder in ("left_shoulder", "right_shoulder")),
        *_both_sides(("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")),
    ),
)
"""Human3.6M's joints, in the order of `J_regressor_h36m.npy`."""

COMMON14 = Skeleton(
    "common14", (*_LIMBS12, "neck_lsp", "head_h36m"), (*_ACROSS, *_LIMBS, ("neck_lsp", "head_h36m"))
)
"""On which SPIN, HMR2.0 and TokenHMR measure errors on Human3.6M and 3DPW."""

COMMON17 = Skeleton(
    "common17",
    (*COMMON14.points, "pelvis_mpii", "spine_h36m", "jaw_h36m"),
    (
        *COMMON14.bones,
        *(("pelvis_mpii", "spine_h36m"), ("spine_h36m", "neck_lsp"), ("neck_lsp", "jaw_h36m")),
    ),
)
"""On which SPIN measures errors on MPI-INF-3DHP."""

TRUNK_AND_LIMBS = (
    *("pelvis", "spine1", "spine2", "spine3", "neck"),
    *(f"{s}_{p}" for p in ("hip", "knee", "shoulder", "elbow") for s in ("left", "right")),
)
"""SMPL's joints that turn trunk and limbs; hands, feet and the head move little with them."""

_ALL = {
    skeleton.name: skeleton
    for skeleton in (
        *(BLAZEPOSE33, COCO17, SMPL24, SMPL45, OPENPOSE25, LSP14, COCOPLUS19, EXTRA19, DATA24),
        *(POSETRACK17, HMR2_44, SPIN49, H36M17, COMMON14, COMMON17),
    )
}


def skeleton_named(name: str) -> Skeleton:
    """The landmark set of that name (as in `Detections.skeleton`).

    Raises:
        KeyError: no such set.
    """
    return _ALL[name]
