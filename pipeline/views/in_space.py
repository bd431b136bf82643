"""Views that no camera had: from the side, and from above with everybody's way."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.palette import colour_of
from pipeline.types import PosedMesh
from pipeline.views.canvas import (
    Colour,
    blank,
    dot,
    lay,
    lay_canvas,
    lines,
    write_text,
)
from pipeline.views.ground import draw_grid, grid_step_m
from pipeline.views.scene import Moment, Scene, floor_points_m, is_filled
from pipeline.views.shadow import draw_shadows

BACKDROP: Colour = (247, 248, 250)
GRID: Colour = (214, 219, 226)
WORDS: Colour = (110, 120, 132)
SIGHT: Colour = (176, 184, 194)
TELE = 4.0
"""Focal length over the picture's longer side: far away, so nearly without perspective."""
MARGIN = 0.12
SIDE_PITCH_DEG = 9.0
TRAIL_S, TRAIL_STRENGTH = 6.0, 0.75
HEADROOM_M = 0.3


@dataclass(frozen=True)
class Eye:
    """A camera somewhere in the room, in the video camera's axes."""

    rotmat: Float[np.ndarray, "3 3"]
    place_m: Float[np.ndarray, "3"]
    K_px: Float[np.ndarray, "3 3"]

    def seen_m(self, points_m: np.ndarray) -> np.ndarray:
        """Points in this camera's axes."""
        return (points_m - self.place_m) @ self.rotmat.T

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Their pixels."""
        pixels = self.seen_m(points_m) @ self.K_px.T
        return pixels[..., :2] / pixels[..., 2:]


@dataclass(frozen=True)
class InSpace:
    """A view from the side or from above that holds everybody's whole way."""

    scene: Scene
    size_px: tuple[int, int]
    kind: Literal["side", "birdseye"]
    background: str = "plain"
    """'plain' or 'none'."""

    def picture(self, moment: Moment) -> UInt8[np.ndarray, "h w 4"]:
        """The whole picture."""
        eye = self.eye
        plain = self.background == "plain"
        canvas = blank(self.size_px, BACKDROP if plain else None)
        area_m = self._area_m(eye) if self.kind == "birdseye" else None
        draw_grid(canvas, self.scene, eye.rotmat, eye.place_m, eye.K_px, GRID, area_m)
        draw_shadows(canvas, self.scene, moment.meshes, eye.rotmat, eye.place_m, eye.K_px)
        if self.kind == "birdseye":
            self._draw_sight(canvas, eye)
            self._draw_trails(canvas, eye, moment)
        meshes = [_seen(mesh, eye) for mesh in moment.meshes]
        layer = self.scene.renderer(meshes, self.scene.body.faces, eye.K_px, *self.size_px)
        lay(layer, canvas)
        height = self.size_px[1]
        where = "the camera is on the left" if self.kind == "side" else "the camera is below"
        text = f"{moment.time_s:.2f} s   grid {grid_step_m(self.scene)} m, {where}"
        if not self.scene.floor.is_told:
            text += ", floor guessed"
        write_text(canvas, text, (0.02 * height, 0.975 * height), WORDS)
        if plain:
            canvas[..., 3] = 255  # soft lines round it down
        return canvas

    @property
    def eye(self) -> Eye:
        """Stands where the whole way of everybody is in the picture."""
        right, up, towards = self.scene.floor.axes
        if self.kind == "birdseye":
            rotmat = np.stack([right, towards, -up])
        else:
            pitch = np.radians(SIDE_PITCH_DEG)
            forward = -np.cos(pitch) * right - np.sin(pitch) * up
            down = np.cross(forward, -towards)
            rotmat = np.stack([-towards, down, forward])
        points_m = self._everything_m()
        seen = points_m @ rotmat.T
        low, high = seen.min(axis=0), seen.max(axis=0)
        width, height = self.size_px
        room = (1 - 2 * MARGIN) * np.array([width, height])
        focal_px = TELE * max(width, height)
        # Far enough that the nearest point's plane fits both ways.
        distance_m = focal_px * float(((high - low)[:2] / room).max())
        middle = np.append((low + high)[:2] / 2, low[2] - distance_m)
        K_px = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])
        return Eye(rotmat, rotmat.T @ middle, K_px)

    def _area_m(self, eye: Eye) -> tuple[np.ndarray, np.ndarray]:
        """What of the floor the picture shows from straight above: least and largest places."""
        floor, (width, height) = self.scene.floor, self.size_px
        corners_px = np.array([[0.0, 0.0, 1.0], [width, height, 1.0]])
        rays = corners_px @ np.linalg.inv(eye.K_px).T @ eye.rotmat
        away = floor.height_m(eye.place_m[None]) / -(rays @ floor.up)
        places_m = eye.place_m + away[:, None] * rays
        along = (places_m - floor.point_m) @ floor.axes[[0, 2]].T
        return along.min(axis=0), along.max(axis=0)

    def _everything_m(self) -> np.ndarray:
        """Joints of everybody over time, and the floor below them."""
        joints_m = [
            posed.joints_m[posed.person.drawn][::5].reshape(-1, 3) for posed in self.scene.people
        ]
        every = np.concatenate(joints_m)
        return np.concatenate(
            [every + HEADROOM_M * self.scene.floor.up, floor_points_m(self.scene.floor, every)]
        )

    def _draw_sight(self, canvas: np.ndarray, eye: Eye) -> None:
        """The camera's field of view on the floor."""
        floor = self.scene.floor
        K_px, (width, height) = self.scene.camera.K_px, self.scene.size_px
        axis = np.array([0.0, 0.0, 1.0])
        corners = np.linalg.inv(K_px) @ np.array([[0, width], [height / 2] * 2, [1, 1]])
        start = floor_points_m(floor, np.zeros((1, 3)))[0]
        ends = []
        for ray in (*corners.T, axis):
            along = ray - (ray @ floor.up) * floor.up
            steps = start + np.linspace(0, 40, 41)[:, None] * along / np.linalg.norm(along)
            pixels = eye.project(steps)
            every = 1 if ray is not axis else 2
            ends.append(np.stack([pixels[:-1], pixels[1:]], axis=1)[::every])
        lines(canvas, np.concatenate(ends), SIGHT, max(1, self.size_px[1] // 700))
        dot(canvas, eye.project(start[None])[0], self.size_px[1] / 90, SIGHT)

    def _draw_trails(self, canvas: np.ndarray, eye: Eye, moment: Moment) -> None:
        """Where everybody was in the last seconds; dotted where nobody saw them, fading."""
        thick = max(2, self.size_px[1] // 240)
        for posed in self.scene.people:
            person = posed.person
            past = (person.time_s <= moment.time_s) & (person.time_s > moment.time_s - TRAIL_S)
            rows = np.flatnonzero(past)
            if len(rows) < 2:  # noqa: PLR2004
                continue
            pixels = eye.project(floor_points_m(self.scene.floor, posed.joints_m[rows, 0]))
            red, green, blue = (int(c) for c in colour_of(person.id))
            pieces = np.stack([pixels[:-1], pixels[1:]], axis=1)
            seen = person.observed[rows[1:]]
            top = blank(self.size_px)
            lines(top, pieces[seen], (red, green, blue), thick)
            lines(top, pieces[~seen][::3], (red, green, blue), max(1, thick // 2))
            lay_canvas(top, canvas, TRAIL_STRENGTH)
            row = self.scene.at(posed, moment.frame_index)
            if row is not None and (is_filled(person, row) or not person.drawn[row]):
                dot(canvas, pixels[-1], 3.0 * thick, (red, green, blue), max(1, thick // 2))


def _seen(mesh: PosedMesh, eye: Eye) -> PosedMesh:
    seen_m = eye.seen_m(mesh.vertices_camera_m.astype(np.float64))
    return replace(mesh, vertices_camera_m=seen_m.astype(np.float32))
