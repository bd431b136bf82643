"""Backend `lifter`: a temporal network from keypoints to bodies, with weights of our own.

Takes COCO's 17 keypoints of any detector, or BlazePose's 33 landmarks and, where there is one, its
own guess in space, which the network has learnt to weigh against what the picture says over time.
Trained on CMU motion capture before random cameras, with the errors that BlazePose makes
(`docs/lifter.md`). Pose and shape come from the network; the place is where the body's own sites
project onto the keypoints.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from pydantic import Field
from torch import Tensor

from pipeline.backends import BackendConfig
from pipeline.blocks import blocks
from pipeline.camera import rays, translation_from_points
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.landmark_sites import PosedSites
from pipeline.licences import Licence
from pipeline.one_thread import one_thread
from pipeline.parts import Arrays
from pipeline.rotations import rotmat_to_rotvec
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.types import Bodies, Camera, Detections, Video
from stages.regression.lifter.network import (
    WINDOW,
    LifterNetwork,
    Sizes,
    shapes_of,
    sizes_in,
)
from stages.regression.lifter.sequence import BLOCK, Sightings, lift
from stages.regression.lifter.tracklets import tracklets

LICENCES = (
    Licence("lifter weights (trained on CMU motion capture)", "Apache-2.0", commercial=True),
)
LAYOUT = Layout(
    "the lifter",
    shapes_of(Sizes()),
    dtype=torch.float16,
    sized_by=lambda found: shapes_of(sizes_in(found)),
)
SHIPPED = Path(__file__).parent / "lifter.safetensors"
COCO_PLACES = BLAZEPOSE33.indices(*COCO17.points)
LEAST_VISIBILITY = 0.05
"""Every keypoint that was seen keeps some weight, so that hidden people have a place too."""


class Config(BackendConfig):
    """What may be set."""

    weights: str | None = None
    """Weights of `stages.regression.lifter.train`; None: those that come with the project."""
    stride: int = Field(default=8, gt=0, le=WINDOW)
    """Frames from window to window; more is faster, less is smoother."""


@dataclass(frozen=True)
class _Placed:
    """Some bodies of one tracklet."""

    pose_rotvec: Float32[np.ndarray, "n 24 3"]
    t_camera_m: Float32[np.ndarray, "n 3"]


class Backend:
    """Lifts every tracklet once all detections are known."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.context = context
        self._sites = PosedSites(context.body)

    @cached_property
    def network(self) -> LifterNetwork:
        """The network with its weights.

        Raises:
            InputError: the file holds another network's.
        """
        return read_lifter(Path(self.config.weights) if self.config.weights else SHIPPED)

    def over_time(self, video: Video, detections: Detections, camera: Camera) -> Bodies:
        """A body for every detection of the video, in their order.

        Raises:
            SettingsError: the detections have no keypoints, or others.
        """
        count = len(detections)
        shapes = {"pose_rotvec": (24, 3), "betas": (10,), "t_camera_m": (3,)}
        shapes["pose_spread_rad"] = (24,)
        bodies = {name: np.zeros((count, *shape), np.float32) for name, shape in shapes.items()}
        found = tracklets(video, detections) if count else []
        keypoints_px = as_blazepose(detections) if count else np.zeros((0, 33, 3), np.float32)
        with one_thread(), self.context.progress("Lifting to 3D", len(found)) as advance:
            for number, rows in enumerate(found):
                lifted = partial(self._lifted, video, detections, keypoints_px, rows, camera)
                for name, values in self.context.parts.get(f"tracklet {number}", lifted).items():
                    bodies[name][rows] = values
                advance(1)
        return Bodies(**bodies)

    def _lifted(
        self,
        video: Video,
        detections: Detections,
        keypoints_px: np.ndarray,
        rows: np.ndarray,
        camera: Camera,
    ) -> Arrays:
        """The fields of the bodies of one tracklet; it has one shape."""
        sightings = _sightings(video, detections, keypoints_px, rows, camera)
        stride, parts = self.config.stride, self.context.parts
        lifted = lift(self.network, sightings, 1 / video.fps, stride, parts)
        del sightings  # of a long film every array counts
        placed = [
            self._placed(lifted.rotmat(some), lifted.betas, keypoints_px[rows[some]], camera)
            for some in blocks(len(rows), BLOCK)
        ]
        return {
            "pose_rotvec": np.concatenate([one.pose_rotvec for one in placed]),
            "t_camera_m": np.concatenate([one.t_camera_m for one in placed]),
            "betas": lifted.betas.numpy(),
            "pose_spread_rad": lifted.spread_rad.numpy(),
        }

    def _placed(
        self, pose_rotmat: Tensor, betas: Tensor, keypoints_px: np.ndarray, camera: Camera
    ) -> _Placed:
        """Where the bodies' sites lie over the keypoints."""
        pose = pose_rotmat.double()
        sites_m = self._sites.places(pose, betas.double().expand(len(pose), 10)).numpy()
        seen = np.isfinite(keypoints_px).all(-1) & (keypoints_px[..., 2] > 0)
        weights = np.where(seen, np.maximum(keypoints_px[..., 2], LEAST_VISIBILITY), 0.0)
        points_px = np.nan_to_num(keypoints_px[..., :2])
        t_m = translation_from_points(sites_m, points_px, weights, camera.K_px)
        return _Placed(rotmat_to_rotvec(pose).float().numpy(), t_m.astype(np.float32))


def _sightings(
    video: Video,
    detections: Detections,
    keypoints_px: np.ndarray,
    rows: np.ndarray,
    camera: Camera,
) -> Sightings:
    """One tracklet as the network takes it."""
    seen_rays = np.empty((len(rows), 33, 2), np.float32)
    confidence = np.empty((len(rows), 33), np.float32)
    in_space = np.zeros((len(rows), 33, 3), np.float32)
    for some in blocks(len(rows), BLOCK):
        points = keypoints_px[rows[some]]
        seen_rays[some] = rays(np.nan_to_num(points[..., :2]), camera.K_px)[..., :2]
        confidence[some] = np.where(np.isfinite(points).all(-1), points[..., 2], 0.0)
        if detections.skeleton == BLAZEPOSE33.name and detections.landmarks_m is not None:
            in_space[some] = np.nan_to_num(detections.landmarks_m[rows[some]])
    return Sightings(video.times_of(detections.frame_index[rows]), seen_rays, confidence, in_space)


def read_lifter(path: Path) -> LifterNetwork:
    """The network with the weights of a file.

    Raises:
        InputError: it holds another network's.
    """
    tensors = read_checkpoint(path, LAYOUT)
    network = LifterNetwork(sizes_in({k: tuple(t.shape) for k, t in tensors.items()}))
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return network.eval()


def as_blazepose(detections: Detections) -> np.ndarray:
    """(n, 33, 3) keypoints; those that COCO does not mark have confidence 0.

    Raises:
        SettingsError: there are none.
    """
    points_px = detections.landmarks_px
    if points_px is not None and detections.skeleton == BLAZEPOSE33.name:
        return points_px
    if points_px is None or detections.skeleton != COCO17.name:
        raise SettingsError(
            "regression 'lifter' needs BlazePose's 33 landmarks or COCO's 17 keypoints: use "
            "detection.backend=blazepose or yolo with pose weights."
        )
    out = np.zeros((len(points_px), len(BLAZEPOSE33), 3), np.float32)
    out[:, COCO_PLACES] = points_px
    return out
