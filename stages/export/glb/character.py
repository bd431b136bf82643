"""One person in a glTF document: body, skeleton, skin, material, and what the joints do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.palette import colour_of
from pipeline.scenes.clothes import vertex_normals
from pipeline.skeletons import SMPL24_PARENTS
from pipeline.take import SkeletonMotion, Take
from pipeline.types import Person
from stages.export._mesh import PER_SET, influences
from stages.export._names import Naming, joint_names
from stages.export.glb.container import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Glb

HIDDEN_SCALE = 1e-5
"""glTF cannot hide a node over time; a body 20 micrometres tall is not seen, and has normals."""
ROUGHNESS = 0.7
SRGB_GAMMA = 2.2
LARGEST_SHORT = 65535


def add_person(
    glb: Glb, take: Take, person: Person, names: Naming
) -> tuple[list[int], Iterator[dict[str, Any]]]:
    """Add somebody; gives the nodes to put into the scene and channels for the animation."""
    motion = take.skeleton(person)
    joints = _add_joints(glb, motion, names)
    label = f"person_{person.id:03d}"
    group = glb.add("nodes", {"name": label, "children": [joints[0]]})
    skin = glb.add(
        "skins",
        {
            "name": label,
            "joints": joints,
            "skeleton": joints[0],
            "inverseBindMatrices": glb.accessor(_inverse_bind(motion.rest_m)),
        },
    )
    body = {"name": f"{label}_body", "mesh": _add_mesh(glb, take, person, label), "skin": skin}
    return [group, glb.add("nodes", body)], _tracks(glb, take, person, motion, group, joints)


def _add_joints(glb: Glb, motion: SkeletonMotion, names: Naming) -> list[int]:
    """The skeleton at rest, standing where the person starts."""
    first = len(glb.lists.get("nodes", []))
    for joint, (name, parent) in enumerate(zip(joint_names(names), SMPL24_PARENTS, strict=True)):
        place_m = motion.rest_m[joint] - motion.rest_m[parent] if joint else motion.root_m[0]
        node: dict[str, Any] = {"name": name, "translation": place_m.tolist()}
        if children := [first + c for c, p in enumerate(SMPL24_PARENTS) if p == joint]:
            node["children"] = children
        glb.add("nodes", node)
    return list(range(first, first + len(SMPL24_PARENTS)))


def _inverse_bind(rest_m: np.ndarray) -> np.ndarray:
    """From the resting mesh to each joint: a shift, in column-major order."""
    moves = np.tile(np.eye(4, dtype=np.float32), (len(rest_m), 1, 1))
    moves[:, 3, :3] = -rest_m
    return moves.reshape(len(rest_m), 16)


def _add_mesh(glb: Glb, take: Take, person: Person, label: str) -> int:
    vertices_m = take.upright_vertices_m(person)
    faces = take.body.faces
    attributes = {
        "POSITION": glb.accessor(vertices_m.astype(np.float32), target=ARRAY_BUFFER, bounds=True),
        "NORMAL": glb.accessor(
            vertex_normals(vertices_m, faces).astype(np.float32), target=ARRAY_BUFFER
        ),
        **_skinning(glb, take),
    }
    narrow = np.uint16 if len(vertices_m) <= LARGEST_SHORT else np.uint32
    indices = glb.accessor(faces.reshape(-1, 1).astype(narrow), target=ELEMENT_ARRAY_BUFFER)
    primitive = {
        "attributes": attributes,
        "indices": indices,
        "material": _add_material(glb, person, label),
    }
    return glb.add("meshes", {"name": label, "primitives": [primitive]})


def _skinning(glb: Glb, take: Take) -> dict[str, int]:
    """JOINTS_n and WEIGHTS_n, in sets of four, the strongest in the first."""
    moved_by, attributes = influences(take.body), {}
    for number in range(moved_by.joints.shape[1] // PER_SET):
        part = slice(PER_SET * number, PER_SET * (number + 1))
        joints = moved_by.joints[:, part].astype(np.uint8)
        weights = moved_by.weights[:, part].astype(np.float32)
        attributes[f"JOINTS_{number}"] = glb.accessor(joints, target=ARRAY_BUFFER)
        attributes[f"WEIGHTS_{number}"] = glb.accessor(weights, target=ARRAY_BUFFER)
    return attributes


def _add_material(glb: Glb, person: Person, label: str) -> int:
    linear = (colour_of(person.id) / 255.0) ** SRGB_GAMMA
    surface = {
        "baseColorFactor": [*linear.tolist(), 1.0],
        "metallicFactor": 0.0,
        "roughnessFactor": ROUGHNESS,
    }
    return glb.add("materials", {"name": label, "pbrMetallicRoughness": surface})


def _tracks(
    glb: Glb, take: Take, person: Person, motion: SkeletonMotion, group: int, joints: list[int]
) -> Iterator[dict[str, Any]]:
    """What moves: node, path ('rotation', ...), times, values, interpolation."""
    times = _times(glb, person.time_s - take.time_s[0])
    place_m = glb.accessor(motion.root_m.astype(np.float32))
    yield _track(joints[0], "translation", times, place_m)
    for joint, node in enumerate(joints):
        turn = glb.accessor(_quat_xyzw(motion.local_rotmat[:, joint]))
        yield _track(node, "rotation", times, turn)
    seen = np.isin(take.frame_index, person.frame_index[person.drawn])
    if not seen.all():
        changes = np.flatnonzero(np.diff(seen, prepend=~seen[:1]))
        scale = np.where(seen[changes], 1.0, HIDDEN_SCALE).astype(np.float32)
        when = _times(glb, take.time_s[changes] - take.time_s[0])
        size = glb.accessor(np.repeat(scale[:, None], 3, axis=1))
        yield _track(group, "scale", when, size, "STEP")


def _track(
    node: int, path: str, times: int, values: int, interpolation: str = "LINEAR"
) -> dict[str, Any]:
    sampler = {"input": times, "output": values, "interpolation": interpolation}
    return {"target": {"node": node, "path": path}, "sampler": sampler}


def _times(glb: Glb, seconds: np.ndarray) -> int:
    return glb.accessor(seconds.astype(np.float32)[:, None], bounds=True)


def _quat_xyzw(rotmat: np.ndarray) -> np.ndarray:
    """Quaternions whose sign does not jump from frame to frame."""
    quat = Rotation.from_matrix(rotmat).as_quat()
    flips = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(axis=1) < 0, -1.0, 1.0))
    quat[1:] *= flips[:, None]
    return quat.astype(np.float32)
