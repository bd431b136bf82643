"""The embedded body from raw files to arrays, step by step."""

import io
import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float64, Int64

from pipeline.body_build.adults import MacroTargets, read_macro_targets, sample_adults
from pipeline.body_build.decimate import decimate
from pipeline.body_build.joints import PARENTS, joints_m, skin_weights
from pipeline.body_build.landmarks import find_landmarks, smpl_order
from pipeline.body_build.makehuman import (
    BODY_VERTEX_COUNT,
    BaseMesh,
    Rig,
    read_base_mesh,
    read_rig,
)
from pipeline.body_build.shape_space import joint_directions, joint_regressor, shape_directions
from pipeline.body_build.surface import Surface, skin_and_eye_rows
from pipeline.body_build.tpose import rest_pose
from pipeline.body_build.wheel import Assets
from pipeline.files import written_aside

LOGGER = logging.getLogger(__name__)

VERTEX_COUNT = 6890
_ADULTS = 400
_SEED = 0
_PELVIS_M = np.array([0.0, -0.22, 0.03])
"""Near SMPL's own, so that a translation means about the same."""
_DECIMALS = 8
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class BuiltBody:
    """The embedded body, with what is known of its making."""

    v_template_m: Float64[np.ndarray, "v 3"]
    shapedirs: Float64[np.ndarray, "v 3 10"]
    J_regressor: Float64[np.ndarray, "24 v"]
    weights: Float64[np.ndarray, "v 24"]
    faces: Int64[np.ndarray, "f 3"]
    regressor_error_mm: Float64[np.ndarray, "n 24"]
    """Distance between regressed and skeletal joints in every sampled adult."""


@dataclass(frozen=True)
class _People:
    """Sampled adults at rest, pelvis at the origin."""

    skins_m: Float64[np.ndarray, "n v 3"]
    joints_m: Float64[np.ndarray, "n 24 3"]
    landmarks: dict[str, int]


def build_body(assets: Assets, step: Callable[[str], None] = LOGGER.info) -> BuiltBody:
    """Make the embedded body. `step` is told what is being done."""
    step("reading the base mesh, the rig and the macro targets")
    mesh = read_base_mesh(assets)
    rig = read_rig(assets, mesh)
    targets = read_macro_targets(assets, mesh)
    weights = skin_weights(rig)[:BODY_VERTEX_COUNT]
    step(f"sampling {_ADULTS} adults and bringing them to rest")
    people = _sample_at_rest(mesh, rig, targets, weights)
    step(f"removing vertices until {VERTEX_COUNT} are left")
    keep = np.isin(np.arange(BODY_VERTEX_COUNT), list(people.landmarks.values()))
    kept, faces = decimate(people.skins_m.mean(0), mesh.faces, weights, keep, VERTEX_COUNT)
    landmarks = {n: int(np.searchsorted(kept, v)) for n, v in people.landmarks.items()}
    order = smpl_order(landmarks, VERTEX_COUNT)
    step("finding shape directions and the joint regressor")
    return _shaped(people, kept[order], weights[kept[order]], np.argsort(order)[faces])


def _sample_at_rest(
    mesh: BaseMesh, rig: Rig, targets: MacroTargets, weights: np.ndarray
) -> _People:
    rows = skin_and_eye_rows(mesh)
    adults = sample_adults(_ADULTS, _SEED)
    raw_m = np.empty((_ADULTS, len(rows), 3))
    heads_m = np.empty((_ADULTS, len(rig.bones), 3))
    for i, mix in enumerate(adults):
        vertices_m = targets.vertices_m(mesh, mix)
        raw_m[i], heads_m[i] = vertices_m[rows], rig.heads_m(vertices_m)
    pose = rest_pose(rig, heads_m)
    joints = joints_m(rig, pose.heads_m)
    bone_weights = sp.csr_matrix(rig.weights[rows])
    surface = Surface(mesh)
    skins_m = np.empty((_ADULTS, BODY_VERTEX_COUNT, 3))
    eyes_m = np.zeros((2, 3))
    for i in range(_ADULTS):
        posed_m = pose.skinned(i, raw_m[i], bone_weights) - joints[i, 0]
        skins_m[i] = surface.closed(posed_m)
        eyes_m += surface.eye_centre_m(posed_m) / _ADULTS
    joints -= joints[:, :1]
    mean = skins_m.mean(0), weights, eyes_m, joints.mean(0)
    return _People(skins_m, joints, find_landmarks(rig, pose, *mean))


def _shaped(
    people: _People,
    kept: Int64[np.ndarray, " v"],
    weights: Float64[np.ndarray, "v 24"],
    faces: Int64[np.ndarray, "f 3"],
) -> BuiltBody:
    skins_m = people.skins_m[:, kept]
    mean_m = skins_m.mean(0)
    directions, betas = shape_directions(skins_m)
    moves = joint_directions(people.joints_m, betas)
    regressor = joint_regressor(mean_m, directions, people.joints_m.mean(0), moves)
    error_m = np.einsum("jv,nvc->njc", regressor, skins_m, optimize=True) - people.joints_m
    return BuiltBody(
        v_template_m=mean_m - regressor[0] @ mean_m + _PELVIS_M,
        shapedirs=directions,
        J_regressor=regressor,
        weights=weights / weights.sum(1, keepdims=True),
        faces=faces,
        regressor_error_mm=1000 * np.linalg.norm(error_m, axis=2),
    )


def write_body(body: BuiltBody, path: Path) -> None:
    """Write a body file in SMPL's form; the same arrays give the same bytes."""
    arrays: dict[str, np.ndarray] = {
        "v_template": _float32(body.v_template_m),
        "shapedirs": _float32(body.shapedirs),
        "posedirs": np.zeros((VERTEX_COUNT, 3, 207), np.int8),
        "J_regressor": _float32(body.J_regressor),
        "weights": _float32(body.weights),
        "kintree_table": np.array([PARENTS, range(24)], np.int64).astype(np.uint32),
        "f": body.faces.astype(np.int32),
    }
    with written_aside(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE)
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)


def _float32(array: Float64[np.ndarray, "..."]) -> np.ndarray:
    """Single precision, rounded first so that the last bits of one machine's sums do not show."""
    return (np.round(array, _DECIMALS) + 0.0).astype(np.float32)
