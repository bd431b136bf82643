"""How people look, read through their fitted meshes: the colours of the surface that is seen.

Places on the skin that look to the camera, are not behind the body's own parts and not behind
anybody else; of them the same 28 numbers as of landmarks (`pipeline.appearance`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int32

from pipeline.appearance import SIZE, look_in
from pipeline.appearance_hidden import crowd_of
from pipeline.appearance_limbs import held_to_landmarks
from pipeline.appearance_points import PARTS, PartPoints
from pipeline.appearance_surface import POINTS, SurfaceSamples
from pipeline.body import BodyModel, PosedBody
from pipeline.camera import project
from pipeline.frame import Frame
from pipeline.mesh_depth import Window, bounds_px, nearness, projected, window_of
from pipeline.types import Bodies, Camera, Detections

CELLS = 96
"""Of the depth grid along a person's longer side: 2 cm of somebody who stands."""
FACING = 0.5
"""Cosine to the ray of what counts as turned to the camera: its place is surer than an edge's."""
OWN_SLACK_M = 0.05
"""Surface this little behind the body's own nearest still counts as seen."""
OTHERS_SLACK = 0.03
"""Share of the depth by which somebody may stand behind and still hide: depths are uncertain."""
AROUND_OTHERS = np.ones((5, 5), np.uint8)
"""Cells; what is this near to somebody nearer shows him, his hair or his clothes."""
MOST_POSED = 32
"""Bodies at once; those of one frame stay together."""


@dataclass(frozen=True)
class MeshesInFrame:
    """The bodies of some people in one frame, n of them."""

    rows: np.ndarray
    """(n,) their rows in the detections."""
    vertices_m: Float32[np.ndarray, "n v 3"]
    """Camera axes."""
    points: Float64[np.ndarray, "n v 3"]
    """x and y in pixels, and 1 / depth."""
    bounds_xyxy_px: Float64[np.ndarray, "n 4"]
    joints_px: Float64[np.ndarray, "n 24 2"]
    faces: Int32[np.ndarray, "f 3"]

    def others_nearness(self, person: int, window: Window) -> Float32[np.ndarray, "rows columns"]:
        """Greatest 1 / depth of everybody else in a person's grid; 0 where nobody is."""
        found = np.zeros((window.rows, window.columns), np.float32)
        own, bounds = self.bounds_xyxy_px[person], self.bounds_xyxy_px
        near = (bounds[:, :2] < own[2:]).all(axis=1) & (bounds[:, 2:] > own[:2]).all(axis=1)
        for other in np.flatnonzero(near).tolist():
            if other != person:
                np.maximum(found, nearness(self.points[other], self.faces, window), out=found)
        return np.asarray(cv2.dilate(found, AROUND_OTHERS)) if found.any() else found


def usable_bodies(bodies: Bodies) -> Bool[np.ndarray, " n"]:
    """Bodies whose every number is one."""
    parts = (bodies.pose_rotvec.reshape(len(bodies), 72), bodies.betas, bodies.t_camera_m)
    return np.asarray(np.isfinite(np.concatenate(parts, axis=1)).all(axis=1))


def meshes_by_frame(
    frames: Sequence[Frame], detections: Detections, bodies: Bodies, camera: Camera, body: BodyModel
) -> Iterator[tuple[Frame, MeshesInFrame]]:
    """The usable bodies of every frame that has any; many frames' are posed at once."""
    usable, faces = usable_bodies(bodies), np.array(body.faces, np.int32)
    rows_of = [np.flatnonzero(usable & (detections.frame_index == f.index)) for f in frames]
    for some in _batches(rows_of):
        rows = np.concatenate([rows_of[number] for number in some])
        posed, start = _posed(bodies, rows, body), 0
        vertices_m, joints_m = posed.vertices().numpy(), posed.joints_m.numpy()
        for number in some:
            own = rows_of[number]
            here = slice(start, start + len(own))
            start += len(own)
            points = projected(vertices_m[here], camera.K_px)
            bounds = np.array([bounds_px(person) for person in points])
            joints_px = project(joints_m[here], camera.K_px)
            yield (
                frames[number],
                MeshesInFrame(own, vertices_m[here], points, bounds, joints_px, faces),
            )


def _batches(rows_of: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Numbers of frames with people, few enough together for `MOST_POSED` or alone."""
    some: list[int] = []
    count = 0
    for number, rows in enumerate(rows_of):
        if some and count + len(rows) > MOST_POSED:
            yield some
            some, count = [], 0
        if len(rows):
            some.append(number)
            count += len(rows)
    if some:
        yield some


def _posed(bodies: Bodies, rows: np.ndarray, body: BodyModel) -> PosedBody:
    pose, betas, t_m = (
        torch.from_numpy(np.ascontiguousarray(values[rows]))
        for values in (bodies.pose_rotvec, bodies.betas, bodies.t_camera_m)
    )
    return body.with_shape(betas).with_pose(pose, t_m)


def points_on_meshes(meshes: MeshesInFrame, samples: SurfaceSamples) -> PartPoints:
    """Places on everybody's skin, and which of them are seen."""
    points = np.full((len(meshes.rows), len(PARTS), POINTS, 2), np.nan)
    seen = np.zeros(points.shape[:-1], dtype=bool)
    for person in range(len(meshes.rows)):
        corners = meshes.points[person][samples.corners].mean(axis=2)
        points[person] = corners[..., :2]
        turned = _turned_to_camera(meshes.vertices_m[person], samples)
        seen[person] = turned & (corners[..., 2] > 0) & _unhidden(meshes, person, corners)
    return PartPoints(points, seen)


def _turned_to_camera(vertices_m: np.ndarray, samples: SurfaceSamples) -> np.ndarray:
    """(7, p) bool."""
    a, b, c = np.moveaxis(vertices_m[samples.corners].astype(np.float64), 2, 0)
    out, ray = np.cross(b - a, c - a), (a + b + c) / 3
    size = np.linalg.norm(out, axis=-1) * np.linalg.norm(ray, axis=-1)
    return np.asarray(-(out * ray).sum(axis=-1) > FACING * size)


def _unhidden(meshes: MeshesInFrame, person: int, corners: np.ndarray) -> np.ndarray:
    """(7, p) bool: places that neither the body itself nor anybody else hides."""
    window = window_of(meshes.bounds_xyxy_px[person], CELLS)
    own = nearness(meshes.points[person], meshes.faces, window)
    others = meshes.others_nearness(person, window)
    cell = np.floor(window.cells(corners[..., :2])).astype(np.int64)
    inside = (cell >= 0).all(axis=-1) & (cell < [window.columns, window.rows]).all(axis=-1)
    column, row = np.where(inside[..., None], cell, 0).transpose(2, 0, 1)
    own, others = own[row, column], others[row, column]
    with np.errstate(divide="ignore", invalid="ignore"):
        depth_m, nearest_m = 1 / corners[..., 2], 1 / own.astype(np.float64)
        hidden = others * depth_m * (1 + OTHERS_SLACK) > 1
    # Cells at the outline that no face fills are left out: there the picture shows what is behind.
    unhidden = (own > 0) & (depth_m <= nearest_m + OWN_SLACK_M)
    return np.asarray(inside & unhidden & ~hidden)


def looks_through_meshes(
    frames: Sequence[Frame],
    detections: Detections,
    bodies: Bodies,
    camera: Camera,
    body: BodyModel,
    samples: SurfaceSamples,
) -> Float32[np.ndarray, "n 28"]:
    """Looks of all whose bodies are usable; NaN of the others.

    Args:
        frames: the pictures.
        detections: of these frames.
        bodies: theirs.
        camera: that the bodies were placed with.
        body: the body model.
        samples: places on its surface.
    """
    found = np.full((len(detections), SIZE), np.nan, np.float32)
    for frame, meshes in meshes_by_frame(frames, detections, bodies, camera, body):
        people = crowd_of(detections, meshes.rows, frame.height_px)
        points = points_on_meshes(meshes, samples)
        points = held_to_landmarks(points, meshes.joints_px, people, samples)
        found[meshes.rows] = look_in(frame.rgb, points)
    return found
