"""What the page needs: bodies to be skinned by the graphics card, poses, floor, camera, quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8, UInt16

from pipeline.body import BodyModel
from pipeline.judging.result import Judgement
from pipeline.judging.verdict import LIMITS
from pipeline.palette import colour_of
from pipeline.rotations import rotmat_to_quat_wxyz, rotvec_to_rotmat
from pipeline.types import Camera, Person
from pipeline.viewer.blob import Blob

INFLUENCES = 8
"""Joints that move a vertex: SMPL's have four at most, the embedded body's seven."""
WEIGHT_STEPS = 65535
QUATERNION_STEPS = 32767
"""A quaternion's numbers are kept to 0.006 degrees."""


@dataclass(frozen=True)
class Skin:
    """The strongest weights of every vertex."""

    joints: UInt8[np.ndarray, "v 8"]
    weights: UInt16[np.ndarray, "v 8"]
    """In 65535ths, adding up to 65535."""


def strongest_weights(body: BodyModel) -> Skin:
    """A body's weights as a graphics card takes them."""
    weights = body.weights.double().numpy()
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    kept = np.take_along_axis(weights, joints, axis=1)
    whole = WEIGHT_STEPS * kept / kept.sum(axis=1, keepdims=True)
    rounded = np.rint(whole).astype(np.int32)
    rounded[:, 0] += WEIGHT_STEPS - rounded.sum(axis=1)
    return Skin(joints.astype(np.uint8), rounded.astype(np.uint16))


def scene_data(
    judged: Judgement,
    camera: Camera,
    size_px: tuple[int, int],
    body: BodyModel,
    blob: Blob,
    names: Mapping[int, str],
) -> dict[str, Any]:
    """The scene as plain values; arrays go into the blob.

    Args:
        judged: people, floor and quality.
        camera: the video's.
        size_px: of the video.
        body: the model everybody was fitted with.
        blob: takes the arrays.
        names: those given by hand, by the person's number.
    """
    skin = strongest_weights(body)
    floor = judged.floor
    return {
        "faces": blob.add(_faces(body)),
        "joints": blob.add(skin.joints),
        "weights": blob.add(skin.weights),
        "parents": list(body.parents),
        "floor": {
            "axes": floor.axes.round(6).tolist(),
            "point": floor.point_m.round(5).tolist(),
        },
        "camera": {"K": camera.K_px.tolist(), "width": size_px[0], "height": size_px[1]},
        "people": [
            {
                **_person(quality.person, body, blob),
                "name": names.get(quality.person.id, ""),
                "verdict": verdict.level,
                "words": verdict.text,
                "quality": blob.add(_levels(quality.series.reprojection_percent)),
            }
            for quality, verdict in zip(judged.people, judged.verdicts, strict=True)
        ],
    }


def _faces(body: BodyModel) -> UInt16[np.ndarray, "f 3"]:
    return body.faces.astype(np.uint16)


def _person(person: Person, body: BodyModel, blob: Blob) -> dict[str, Any]:
    shaped = body.with_shape(torch.from_numpy(person.betas))
    return {
        "id": person.id,
        "frame": int(person.frame_index[0]),
        "colour": colour_of(person.id).tolist(),
        "vertices": blob.add(shaped.vertices_rest_m.numpy().astype(np.float32)),
        "rest": blob.add(shaped.joints_rest_m.numpy().astype(np.float32)),
        "time": blob.add((person.time_s).astype(np.float32)),
        "status": blob.add(person.status.astype(np.uint8)),
        "place": blob.add(person.t_camera_m.astype(np.float32)),
        "turns": blob.add(quaternions(person.pose_rotvec)),
    }


def quaternions(pose_rotvec: Float[np.ndarray, "t 24 3"]) -> np.ndarray:
    """(t, 24, 4) int16: w, x, y, z of every joint's rotation."""
    rotmat = rotvec_to_rotmat(torch.from_numpy(pose_rotvec.astype(np.float64)))
    return np.rint(QUATERNION_STEPS * rotmat_to_quat_wxyz(rotmat).numpy()).astype(np.int16)


def _levels(reprojection_percent: np.ndarray) -> UInt8[np.ndarray, " t"]:
    """0 not measured, 1 good, 2 fair, 3 poor: the strip's colours."""
    limit = LIMITS["off percent"]
    level = 1 + (reprojection_percent > limit.good) + (reprojection_percent > limit.fair)
    return np.where(np.isfinite(reprojection_percent), level, 0).astype(np.uint8)
