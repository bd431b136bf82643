"""Vertices with a meaning: SMPL's readers take fingertips, toes, heels and face by fixed index."""

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.body_build.makehuman import BODY_VERTEX_COUNT, Rig
from pipeline.body_build.tpose import RestPose

# Where SMPL has its landmarks, as smplx and the tools around it hard-wire them.
SMPL_VERTEX_IDS = {
    "nose": 332,
    "eye.R": 6260,
    "eye.L": 2800,
    "ear.R": 4071,
    "ear.L": 583,
    "thumb.R": 6191,
    "index.R": 5782,
    "middle.R": 5905,
    "ring.R": 6016,
    "pinky.R": 6133,
    "thumb.L": 2746,
    "index.L": 2319,
    "middle.L": 2445,
    "ring.L": 2556,
    "pinky.L": 2673,
    "big toe.L": 3216,
    "small toe.L": 3226,
    "heel.L": 3387,
    "big toe.R": 6617,
    "small toe.R": 6624,
    "heel.R": 6787,
}
_TIP_BONES = {
    "thumb": "finger1-3",
    "index": "finger2-3",
    "middle": "finger3-3",
    "ring": "finger4-3",
    "pinky": "finger5-3",
    "big toe": "toe1-2",
    "small toe": "toe5-3",
}
_HEAD = 15
_ANKLES = {"L": 7, "R": 8}
_NOSE_HALF_WIDTH_M = 0.02
_HEEL_BELOW_ANKLE_M = 0.02


def find_landmarks(
    rig: Rig,
    pose: RestPose,
    skin_m: Float64[np.ndarray, "v 3"],
    weights: Float64[np.ndarray, "v 24"],
    eyes_m: Float64[np.ndarray, "2 3"],
    joints_m: Float64[np.ndarray, "24 3"],
) -> dict[str, int]:
    """Vertex of every landmark on a skin at rest (the mean one)."""
    head = weights[:, _HEAD] > 0.99  # noqa: PLR2004
    middle = head & (np.abs(skin_m[:, 0]) < _NOSE_HALF_WIDTH_M)
    found = {"nose": _furthest(skin_m, middle, np.array([0.0, 0.0, 1.0]))}
    for side, sign, eye_m in (("L", 1.0, eyes_m[0]), ("R", -1.0, eyes_m[1])):
        found[f"eye.{side}"] = _eye(skin_m, eye_m)
        found[f"ear.{side}"] = _furthest(skin_m, head, np.array([sign, 0.0, 0.0]))
        for name, bone in _TIP_BONES.items():
            found[f"{name}.{side}"] = _tip(rig, pose, skin_m, f"{bone}.{side}")
        low = skin_m[:, 1] < joints_m[_ANKLES[side], 1] - _HEEL_BELOW_ANKLE_M
        foot = low & (weights[:, _ANKLES[side]] > 0.5)  # noqa: PLR2004
        found[f"heel.{side}"] = _furthest(skin_m, foot, np.array([0.0, 0.0, -1.0]))
    assert len(set(found.values())) == len(SMPL_VERTEX_IDS), "two landmarks on one vertex"
    return found


def smpl_order(landmarks: dict[str, int], count: int) -> Int64[np.ndarray, " v"]:
    """Old index of every new vertex, so that the landmarks come to lie where SMPL has them."""
    order = np.arange(count)
    for name in sorted(SMPL_VERTEX_IDS):
        new, now = SMPL_VERTEX_IDS[name], int(np.flatnonzero(order == landmarks[name])[0])
        order[[new, now]] = order[[now, new]]
    return order


def _furthest(skin_m: np.ndarray, among: np.ndarray, direction: np.ndarray) -> int:
    return int(np.argmax(np.where(among, skin_m @ direction, -np.inf)))


def _tip(rig: Rig, pose: RestPose, skin_m: np.ndarray, bone: str) -> int:
    """The skin's furthest vertex along the last bone of a finger or toe."""
    i = rig.index(bone)
    own = rig.weights[:BODY_VERTEX_COUNT].argmax(1) == i
    before = rig.index(bone[:-3] + f"{int(bone[-3]) - 1}" + bone[-2:])
    direction = (pose.heads_m[:, i] - pose.heads_m[:, before]).mean(0)
    return _furthest(skin_m, own, direction)


def _eye(skin_m: np.ndarray, centre_m: np.ndarray) -> int:
    """The skin's vertex in front of an eyeball's centre."""
    across = np.linalg.norm((skin_m - centre_m)[:, :2], axis=1)
    ahead = skin_m[:, 2] > centre_m[2]
    return int(np.argmin(np.where(ahead, across, np.inf)))
