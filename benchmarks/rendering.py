"""Speed of rendering: `python -m benchmarks.rendering`.

Draws the embedded body in several poses and at several distances into a 1080p picture with the
project's rasteriser and with pyrender (llvmpipe where there is no GPU), and lays the layers over a
frame as RGB and as 4:2:0 planes. Times are the best of several calls, on one core.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pipeline.body import load_body
from pipeline.composite import blend_on_rgb, blend_on_yuv
from pipeline.context import Context
from pipeline.overlay import FRAMES_IN_FLIGHT
from pipeline.palette import colour_of
from pipeline.types import Layer, PosedMesh
from pipeline.yuv import empty_yuv
from stages.rendering.raster import Backend, Config

WIDTH_PX, HEIGHT_PX = 1920, 1080
K_PX = np.array([[1500.0, 0.0, 960.0], [0.0, 1500.0, 540.0], [0.0, 0.0, 1.0]])
REPEATS, REPEATS_OPENGL = 30, 5
SOLID = 100
"""Alpha from which a pixel counts as body: between one and two of OpenGL's four samples."""

START_UP = """
import time
import numpy as np
start = time.perf_counter()
from pipeline.context import Context
from pipeline.types import PosedMesh
from stages.rendering.raster import Backend, Config
from pipeline.composite import blend_on_yuv
from pipeline.yuv import empty_yuv
loaded = time.perf_counter()
v = np.array([(0, 0, 2), (0, 1, 2), (1, 1, 2)], np.float32)
K = np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]])
mesh = PosedMesh(1, v, np.array([9, 9, 9], np.uint8), label="1")
layer = Backend(Config(), Context())([mesh], np.array([[0, 1, 2]], np.int32), K, 100, 100)
blend_on_yuv(layer, empty_yuv(100, 100, "bt709", False))
print(f"{loaded - start:.2f} s to import, {time.perf_counter() - loaded:.2f} s first frame")
"""


@dataclass(frozen=True)
class Scene:
    """What is drawn in one row of the table."""

    name: str
    meshes: list[PosedMesh]


def body_at(
    person_id: int, t_m: tuple[float, float, float], pose_rotvec: torch.Tensor
) -> PosedMesh:
    """The embedded body in a pose, its root `t_m` metres from the camera."""
    shaped = load_body().with_shape(torch.zeros(1, 10))
    posed = shaped.with_pose(pose_rotvec[None], torch.tensor([t_m], dtype=torch.float32))
    vertices = posed.vertices().numpy()[0]
    return PosedMesh(person_id, vertices, colour_of(person_id), label=str(person_id))


def pose(turn_rad: float, arms_rad: float, stride_rad: float) -> torch.Tensor:
    """Upright in the camera's axes, turned, arms lowered, legs apart as in a step."""
    rotvec = torch.zeros(24, 3)
    c, s = np.cos(turn_rad / 2), np.sin(turn_rad / 2)
    rotvec[0] = torch.tensor([np.pi * c, 0.0, np.pi * s])  # half turn about x, then about y
    rotvec[16, 2], rotvec[17, 2] = -arms_rad, arms_rad
    rotvec[1, 0], rotvec[2, 0] = -stride_rad, stride_rad
    rotvec[4, 0], rotvec[5, 0] = 0.4 * stride_rad, 1.2 * stride_rad
    rotvec[18, 1], rotvec[19, 1] = -stride_rad, stride_rad
    return rotvec


def scenes() -> list[Scene]:
    """Poses and distances from close-up to far away, and a group."""
    stand, step, side = pose(0.0, 0.0, 0.0), pose(0.6, 1.1, 0.6), pose(1.5, 1.2, 0.8)
    return [
        Scene("T-pose, 3.0 m", [body_at(1, (0.0, -0.35, 3.0), stand)]),
        Scene("step, 2.8 m", [body_at(1, (0.0, -0.35, 2.8), step)]),
        Scene("side, 3.2 m", [body_at(1, (0.3, -0.35, 3.2), side)]),
        Scene("close-up, 1.2 m", [body_at(1, (0.0, 0.3, 1.2), step)]),
        Scene("far, 15 m", [body_at(1, (1.0, 0.0, 15.0), step)]),
        Scene(
            "four people, 3-6 m",
            [
                body_at(1, (-0.6, -0.35, 3.0), step),
                body_at(2, (0.2, -0.35, 3.5), side),
                body_at(3, (1.2, -0.35, 4.5), stand),
                body_at(4, (-1.8, -0.35, 6.0), side),
            ],
        ),
    ]


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Shortest time of a call in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def mask(layer: Layer) -> np.ndarray:
    """(HEIGHT_PX, WIDTH_PX) bool: where the layer shows a body."""
    picture = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=bool)
    height, width = layer.rgba.shape[:2]
    rows = slice(layer.y_px, layer.y_px + height)
    picture[rows, layer.x_px : layer.x_px + width] = layer.rgba[..., 3] >= SOLID
    return picture


def opengl_renderer() -> Any:
    """The pyrender backend without labels, or None with a line that says why."""
    try:
        from stages.rendering import pyrender  # noqa: PLC0415  (an optional package)

        backend = pyrender.Backend(pyrender.Config(alpha=1.0, labels=False), Context())
        backend(scenes()[0].meshes, load_body().faces, K_PX, WIDTH_PX, HEIGHT_PX)
    except Exception as error:  # no package, no EGL: the rest can still be measured
        print(f"pyrender is left out: {error}")
        return None
    return backend


def in_flight_ms(opengl: Any) -> float:
    """Milliseconds a frame when some are begun before the first is asked for, as in an overlay."""
    view = (load_body().faces, K_PX, WIDTH_PX, HEIGHT_PX)
    meshes, flying = [scene.meshes for scene in scenes()[:3]], deque()
    start = time.perf_counter()
    for number in range(REPEATS):
        flying.append(opengl.begin(meshes[number % len(meshes)], *view))
        if len(flying) > FRAMES_IN_FLIGHT:
            flying.popleft()()
    for finish in flying:
        finish()
    return 1e3 * (time.perf_counter() - start) / REPEATS


def measure(scene: Scene, raster: Backend, opengl: Any) -> str:
    """One row of the table."""
    view = (load_body().faces, K_PX, WIDTH_PX, HEIGHT_PX)
    layer = raster(scene.meshes, *view)
    people = len(scene.meshes)
    own_ms = best_ms(lambda: raster(scene.meshes, *view), REPEATS) / people
    frame = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, dtype=np.uint8)
    image = empty_yuv(WIDTH_PX, HEIGHT_PX, "bt709", False)
    for plane in (image.y, image.u, image.v):
        plane[:] = 128
    rgb_ms = best_ms(lambda: blend_on_rgb(layer, frame), REPEATS)
    yuv_ms = best_ms(lambda: blend_on_yuv(layer, image), REPEATS)
    solid = mask(layer)
    height_px = int(np.ptp(np.nonzero(solid)[0])) + 1
    row = f"{scene.name:20s} {height_px:6d} px {own_ms:8.2f}"
    if opengl is None:
        row += " " * 25
    else:
        other_ms = best_ms(lambda: opengl(scene.meshes, *view), REPEATS_OPENGL) / people
        other = mask(opengl(scene.meshes, *view))
        iou = (solid & other).sum() / (solid | other).sum()
        row += f" {other_ms:9.1f} {other_ms / own_ms:6.0f}x {iou:8.4f}"
    return row + f" {rgb_ms:8.2f} {yuv_ms:8.2f}"


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    print("raster in a new process (compiled code on disk):", flush=True)
    subprocess.run([sys.executable, "-c", START_UP], check=True)
    raster = Backend(Config(alpha=1.0, labels=False), Context())
    opengl = opengl_renderer()
    print(f"\n{WIDTH_PX} x {HEIGHT_PX}; ms per person, best of {REPEATS} ({REPEATS_OPENGL})")
    print(
        f"{'scene':20s} {'height':>9s} {'raster':>8s} {'pyrender':>9s} {'ratio':>7s}"
        f" {'IoU':>8s} {'on RGB':>8s} {'on YUV':>8s}"
    )
    for scene in scenes():
        print(measure(scene, raster, opengl), flush=True)
    if opengl is not None:
        text = f"{in_flight_ms(opengl):.1f} ms a frame with {FRAMES_IN_FLIGHT} frames in flight"
        print(f"pyrender on {opengl.device()}: {text}, one person")


if __name__ == "__main__":
    main()
