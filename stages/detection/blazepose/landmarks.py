"""The landmark network: 33 points and their 3D places for a person in a region."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from stages.detection.blazepose.crops import Region, crop, normalized, region_around, rotation
from stages.detection.blazepose.networks import MAX_THREADS, NetworkPool, with_outputs

SIDE_PX = 256
LANDMARKS, PRESENCE, HEATMAPS, WORLD = 0, 1, 3, 4
BODY_POINTS = 33
LEFT_HIP, RIGHT_HIP = 23, 24
CENTER, CIRCLE = 33, 34
HEATMAP_WINDOW = np.arange(-3, 4)
HEATMAP_TRUST = 0.5


@dataclass(frozen=True)
class Pose:
    """One person's landmarks in one frame."""

    points_px: Float32[np.ndarray, "33 2"]
    visibility: Float32[np.ndarray, " 33"]
    points_m: Float32[np.ndarray, "33 3"]
    """Hip-centred, camera axes (x right, y down, z forward)."""
    presence: float
    """Probability that there is a person in the region."""
    region: Region
    """Where it was seen."""
    next_region: Region
    """Where to look for the person in the next frame."""


def landmark_model(path: Path) -> bytes:
    """The file's model, with the outputs that are read."""
    return with_outputs(path, (LANDMARKS, PRESENCE, HEATMAPS, WORLD))


class LandmarkNetwork:
    """Finds landmarks in regions of a frame."""

    def __init__(self, model: bytes, most_threads: int = MAX_THREADS):
        """Of what `landmark_model` gives."""
        self._networks = NetworkPool(model, most_threads)

    def __call__(self, rgb: UInt8[np.ndarray, "h w 3"], regions: Sequence[Region]) -> list[Pose]:
        """A pose for every region, in order, whether a person is there or not."""
        return self.in_pictures([crop(rgb, region, SIDE_PX) for region in regions], regions)

    def in_pictures(
        self, pictures: Sequence[UInt8[np.ndarray, "256 256 3"]], regions: Sequence[Region]
    ) -> list[Pose]:
        """The same for regions that were cut out before."""
        outputs = self.infer([normalized(picture, 0.0) for picture in pictures])
        return [pose_from(output, region) for output, region in zip(outputs, regions, strict=True)]

    def submit(self, picture: UInt8[np.ndarray, "256 256 3"], region: Region) -> Callable[[], Pose]:
        """Start on one region's picture; the call that comes back waits for the pose."""
        outputs = self._networks.submit(normalized(picture, 0.0))
        return lambda: pose_from(outputs.result(), region)

    def infer(self, pictures: Sequence[Float32[np.ndarray, "256 256 3"]]) -> list[list[np.ndarray]]:
        """Landmarks, presence, heatmaps and 3D landmarks as the network gives them."""
        return self._networks(pictures)


def pose_from(outputs: list[np.ndarray], region: Region) -> Pose:
    """Read the network's outputs (landmarks, presence, heatmaps, 3D landmarks)."""
    landmarks, presence, heatmaps, world = outputs
    landmarks = landmarks.reshape(-1, 5)
    points_unit = refined(landmarks[:, :2] / SIDE_PX, heatmaps)
    points_px = region.to_frame(points_unit)
    return Pose(
        points_px=points_px[:BODY_POINTS].astype(np.float32),
        visibility=sigmoid(landmarks[:BODY_POINTS, 3]),
        points_m=_in_camera(world.reshape(-1, 3)[:BODY_POINTS], region.angle_rad),
        presence=float(presence[0]),
        region=region,
        next_region=region_around(points_px[CENTER], points_px[CIRCLE]),
    )


def _in_camera(points_m: np.ndarray, angle_rad: float) -> np.ndarray:
    """Undo the region's turn and put the origin between the hips."""
    turned = points_m.copy()
    turned[:, :2] = points_m[:, :2] @ rotation(angle_rad).T
    return (turned - (turned[LEFT_HIP] + turned[RIGHT_HIP]) / 2).astype(np.float32)


def refined(
    points_unit: Float32[np.ndarray, "k 2"], heatmaps: Float32[np.ndarray, "h w k"]
) -> Float32[np.ndarray, "k 2"]:
    """Move points to the centre of mass of their heatmap around them, where it is confident."""
    height, width, count = heatmaps.shape
    size = np.array([width, height], np.float32)
    cells = np.floor(np.nan_to_num(points_unit) * size).astype(int)
    inside = ((cells >= 0) & (cells < (width, height))).all(axis=1)
    cells = np.clip(cells, 0, (width - 1, height - 1))
    columns = cells[:, 0, None, None] + HEATMAP_WINDOW
    rows = cells[:, 1, None, None] + HEATMAP_WINDOW[:, None]
    mass = sigmoid(heatmaps[rows % height, columns % width, np.arange(count)[:, None, None]])
    mass *= (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    total = mass.sum(axis=(1, 2))
    x, y = (mass * columns).sum(axis=(1, 2)), (mass * rows).sum(axis=(1, 2))
    center = np.stack([x, y], axis=1) / np.maximum(total, 1e-9)[:, None] / size
    trusted = inside & (mass.max(axis=(1, 2)) >= HEATMAP_TRUST)
    return np.where(trusted[:, None], center, points_unit).astype(np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, safe for large ones."""
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
