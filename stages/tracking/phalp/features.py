"""What PHALP knows of one detection: pose and place, as its published program lays them out.

Places are told in the picture padded to a square and scaled to 256 px, seen by a lens of focal
length 5000: there a body's depth says how near it is, whatever the true lens.
"""

import numpy as np
from jaxtyping import Float, Float64

from pipeline.camera import project, translation_from_crop

FOCAL_PX, SQUARE_PX = 5000.0, 256.0
POSE_SIZE, PLACE_SIZE = 229, 99
ORIGIN = slice(88, 90)
"""In a place vector: x, y in the picture of the body's origin (the 45th point)."""
CAMERA = slice(90, 93)
"""In a place vector: the camera's shift tx, ty, tz."""
INTERVAL = slice(93, 96)
"""In a predicted place vector: half widths of the 95 % intervals of x and y, and of log depth
as a factor."""
DEPTH_UNIT = 200.0
BOX_WIDTH_TO_HEIGHT = 192 / 256
K_SQUARE_PX = np.array(
    [[FOCAL_PX, 0.0, SQUARE_PX / 2], [0.0, FOCAL_PX, SQUARE_PX / 2], [0.0, 0.0, 1.0]]
)


def place_in_square(
    boxes_xyxy_px: Float[np.ndarray, "n 4"], width_px: int, height_px: int
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, " n"]]:
    """Middle and side of the crop around each box, in the 256 px square."""
    boxes = np.asarray(boxes_xyxy_px, np.float64)
    longer = max(width_px, height_px)
    margin = np.array([(longer - width_px) // 2, (longer - height_px) // 2])
    size = boxes[:, 2:] - boxes[:, :2]
    side = np.maximum(size[:, 1], size[:, 0] / BOX_WIDTH_TO_HEIGHT)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + margin
    return centre * SQUARE_PX / longer, side * SQUARE_PX / longer


def camera_in_square(
    crop_camera: Float[np.ndarray, "n 3"],
    boxes_xyxy_px: Float[np.ndarray, "n 4"],
    width_px: int,
    height_px: int,
) -> Float64[np.ndarray, "n 3"]:
    """Shift (tx, ty, tz) of bodies seen in crops with weak-perspective cameras (s, tx, ty)."""
    centre, side = place_in_square(boxes_xyxy_px, width_px, height_px)
    return translation_from_crop(crop_camera, centre, side, K_SQUARE_PX)


def pose_vector(
    rotmat: Float[np.ndarray, "n 24 3 3"],
    betas: Float[np.ndarray, "n 10"],
    camera: Float[np.ndarray, "n 3"],
) -> Float64[np.ndarray, "n 229"]:
    """Rotation matrices row by row, shape, and the camera's shift with depth over 200."""
    shift = np.asarray(camera, np.float64) / [1.0, 1.0, DEPTH_UNIT]
    flat = np.asarray(rotmat, np.float64).reshape(len(rotmat), 24 * 9)
    return np.concatenate([flat, betas, shift], axis=1)


def place_vector(
    joints: Float[np.ndarray, "n 44 3"], camera: Float[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "n 99"]:
    """44 joints and the origin in the picture, in units of the square; three times the camera."""
    camera = np.asarray(camera, np.float64)
    points = np.concatenate([joints, np.zeros((len(joints), 1, 3))], axis=1) + camera[:, None]
    seen = project(points, K_SQUARE_PX) / SQUARE_PX
    return np.concatenate([seen.reshape(len(joints), -1), *[camera] * 3], axis=1)
