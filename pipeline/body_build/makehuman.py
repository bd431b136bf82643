"""MakeHuman's raw files as arrays: base mesh, targets, rig and skinning weights.

Lengths are turned from MakeHuman's decimetres into metres; Y is up, the body faces +Z.
"""

import gzip
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.body_build.wheel import Assets

BODY_VERTEX_COUNT = 13380
"""The skin is one closed surface and comes first; helpers (eyes, clothes, joints) follow."""
_METRES = 0.1


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh with its helper geometry."""

    vertices_m: Float64[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]
    """Triangles of the skin alone."""
    groups: dict[str, Int64[np.ndarray, " _"]]
    """Vertices of every named group, increasing."""


@dataclass(frozen=True)
class Rig:
    """MakeHuman's default rig, parents before children."""

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    head_vertices: tuple[Int64[np.ndarray, " _"], ...]
    """A bone starts at the mean of these vertices."""
    tail_vertices: tuple[Int64[np.ndarray, " _"], ...]
    weights: Float64[np.ndarray, "v b"]
    """Rows sum to 1, or to 0 where a helper vertex hangs on no bone."""

    def index(self, bone: str) -> int:
        """Place of a bone."""
        return self.bones.index(bone)

    def heads_m(self, vertices_m: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, "b 3"]:
        """Where every bone starts in this body."""
        return np.stack([vertices_m[rows].mean(0) for rows in self.head_vertices])

    def tails_m(self, vertices_m: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, "b 3"]:
        """Where every bone ends in this body."""
        return np.stack([vertices_m[rows].mean(0) for rows in self.tail_vertices])


def read_base_mesh(assets: Assets) -> BaseMesh:
    """Read the Wavefront file: vertices, groups, and the skin's faces as triangles."""
    vertices: list[list[float]] = []
    polygons: dict[str, list[list[int]]] = {}
    group = ""
    for line in assets.read("3dobjs/base.obj").decode().splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif kind in ("g", "o") and rest:
            group = rest[0]
        elif kind == "f":
            corners = [int(corner.split("/")[0]) - 1 for corner in rest]
            polygons.setdefault(group, []).append(corners)
    fans = [
        (polygon[0], polygon[i], polygon[i + 1])
        for polygon in polygons["body"]
        for i in range(1, len(polygon) - 1)
    ]
    groups = {name: np.unique(np.concatenate(rows)) for name, rows in polygons.items()}
    return BaseMesh(np.array(vertices) * _METRES, np.array(fans), groups)


def read_target(assets: Assets, name: str, vertex_count: int) -> Float64[np.ndarray, "v 3"] | None:
    """Displacement of every vertex in a target file; None where MakeHuman has no such target."""
    path = f"targets/{name}.target.gz"
    if not assets.has(path):
        return None
    lines = gzip.decompress(assets.read(path)).decode().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    offsets = np.zeros((vertex_count, 3))
    offsets[table[:, 0].astype(np.int64)] = table[:, 1:] * _METRES
    return offsets


def read_rig(assets: Assets, mesh: BaseMesh) -> Rig:
    """Read the default rig and its skinning weights."""
    description = json.loads(assets.read("rigs/standard/rig.default.json"))
    table = description.get("bones", description)
    bones = _parents_first(table)
    place = {bone: i for i, bone in enumerate(bones)}
    weights = np.zeros((len(mesh.vertices_m), len(bones)))
    listed = json.loads(assets.read("rigs/standard/weights.default.json"))["weights"]
    for bone, pairs in listed.items():
        for vertex, weight in pairs:
            weights[vertex, place[bone]] = weight
    total = weights.sum(1, keepdims=True)
    return Rig(
        bones=tuple(bones),
        parents=tuple(place.get(table[bone]["parent"], -1) for bone in bones),
        head_vertices=tuple(_anchor(table[bone]["head"], mesh) for bone in bones),
        tail_vertices=tuple(_anchor(table[bone]["tail"], mesh) for bone in bones),
        weights=weights / np.where(total > 0, total, 1.0),
    )


def _parents_first(table: dict[str, Any]) -> list[str]:
    ordered: list[str] = []
    waiting = list(table)
    while waiting:
        ready = [bone for bone in waiting if table[bone]["parent"] in ("", *ordered)]
        assert ready, "the rig's bones form a loop"
        ordered += ready
        waiting = [bone for bone in waiting if bone not in set(ready)]
    return ordered


def _anchor(end: dict[str, Any], mesh: BaseMesh) -> Int64[np.ndarray, " _"]:
    """The vertices whose mean is one end of a bone."""
    if end["strategy"] == "CUBE":
        return mesh.groups[end["cube_name"]]
    if end["strategy"] == "VERTEX":
        return np.array([end["vertex_index"]])
    return np.array(end["vertex_indices"])
