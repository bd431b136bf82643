"""The modes of `humans4d render` by name."""

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from pipeline.views.in_camera import (
    Beside,
    InCamera,
    draw_bodies,
    draw_silhouette,
    draw_skeleton,
    draw_wires,
)
from pipeline.views.in_space import InSpace
from pipeline.views.scene import Moment, Scene

Mode = Literal["overlay", "mesh", "side", "birdseye", "skeleton", "silhouette", "wireframe"]
MODES: tuple[Mode, ...] = (
    "overlay",
    "mesh",
    "side",
    "birdseye",
    "skeleton",
    "silhouette",
    "wireframe",
)
SEES_THROUGH = ("overlay", "wireframe")
"""Modes in which the body does not hide the picture wholly."""


@runtime_checkable
class View(Protocol):
    """What draws a moment."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def picture(self, moment: Moment) -> UInt8[np.ndarray, "h w 4"]:
        """RGBA, premultiplied."""
        ...


def make_view(
    mode: Mode, scene: Scene, size_px: tuple[int, int], *, transparent: bool, film: bool
) -> View:
    """The view of a mode.

    Args:
        mode: its name.
        scene: what to draw.
        size_px: width and height of the whole picture.
        transparent: without a background.
        film: the source's pictures are there; without, the mesh has nothing to stand beside.
    """
    if mode in ("side", "birdseye"):
        kind: Literal["side", "birdseye"] = "side" if mode == "side" else "birdseye"
        return InSpace(scene, size_px, kind, "none" if transparent else "plain")
    if mode == "mesh":
        ground = "none" if transparent else "plain"
        if not film:
            return InCamera(scene, size_px, draw_bodies, ground)
        half_px = (size_px[0] // 2, size_px[1])
        rest_px = (size_px[0] - half_px[0], size_px[1])
        left = InCamera(scene, half_px, draw_bodies, "video")
        return Beside(left, InCamera(scene, rest_px, draw_bodies, ground))
    draw = {
        "overlay": draw_bodies,
        "skeleton": draw_skeleton,
        "silhouette": draw_silhouette,
        "wireframe": draw_wires,
    }[mode]
    ground = "black" if mode == "silhouette" else "video"
    return InCamera(scene, size_px, draw, "none" if transparent else ground)


def needs_video(mode: Mode) -> bool:
    """Whether the mode shows the source's picture."""
    return mode not in ("side", "birdseye", "silhouette")


def natural_size_px(mode: Mode, scene: Scene, *, film: bool) -> tuple[int, int]:
    """The video's size; twice as wide for the mesh beside the input, if there is any."""
    width, height = scene.size_px
    return (2 * width, height) if mode == "mesh" and film else (width, height)
