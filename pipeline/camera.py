"""The pinhole camera: intrinsics, projection, back-projection, place of a body from its points.

OpenCV's axes: x right, y down, z forward; metres and pixels; a pixel's centre is at +0.5.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

from pipeline.errors import SettingsError
from pipeline.events import EventLog
from pipeline.types import Camera, Video

HALF_TURN_DEG = 180.0
NEAREST_M = 0.1
"""Nothing nearer than this is projected: it would lie in or behind the lens."""

ROBUST_ROUNDS = 8
SMALLEST_SCALE_PX = 1.0
SMALLEST_SIDE_PX = 1e-9
EPSILON = 1e-12


def make_camera(
    video: Video, focal_px: float | None, fov_deg: float | None, events: EventLog
) -> Camera:
    """The camera of a video: given by focal length or by angle of view, else assumed.

    Args:
        video: For the size of the picture; the optical axis meets its middle.
        focal_px: Focal length in pixels of the (rotated) video.
        fov_deg: Horizontal angle of view in degrees.
        events: Receives an 'assumption' where neither is given. The assumed focal length is the
            picture's diagonal, an angle of view of 53 degrees corner to corner.

    Raises:
        SettingsError: both are given, or a value that no camera has.
    """
    width_px, height_px = video.width_px, video.height_px
    if focal_px is not None and fov_deg is not None:
        raise SettingsError("camera: focal_px and fov_deg are both given; leave one of them out.")
    if focal_px is not None:
        if not (math.isfinite(focal_px) and focal_px > 0):
            raise SettingsError(f"camera.focal_px: {focal_px} is no focal length; give one over 0.")
        return Camera(intrinsics(focal_px, width_px, height_px), "given")
    if fov_deg is not None:
        return Camera(intrinsics(focal_from_fov(fov_deg, width_px), width_px, height_px), "given")
    assumed_px = math.hypot(width_px, height_px)
    events.record(
        "camera",
        "assumption",
        f"Focal length assumed to be {assumed_px:.0f} px (the picture's diagonal); distances scale "
        "with it. Give the true one with camera.focal_px=... or camera.fov_deg=... (horizontal).",
    )
    return Camera(intrinsics(assumed_px, width_px, height_px), "assumed")


def focal_from_fov(fov_deg: float, width_px: int) -> float:
    """Focal length in pixels of a horizontal angle of view.

    Raises:
        SettingsError: the angle is not between 0 and 180 degrees.
    """
    if not 0 < fov_deg < HALF_TURN_DEG:
        raise SettingsError(f"camera.fov_deg: {fov_deg} is not an angle between 0 and 180 degrees.")
    return width_px / 2 / math.tan(math.radians(fov_deg) / 2)


def intrinsics(focal_px: float, width_px: int, height_px: int) -> Float64[np.ndarray, "3 3"]:
    """Square pixels, the optical axis through the middle of the picture."""
    return np.array(
        [[focal_px, 0.0, width_px / 2], [0.0, focal_px, height_px / 2], [0.0, 0.0, 1.0]]
    )


def project(
    points_m: Float[np.ndarray, "*n 3"], K_px: Float[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "*n 2"]:
    """Pixels of points in camera coordinates; points nearer than 0.1 m are put at 0.1 m."""
    points_m = np.asarray(points_m, dtype=np.float64)
    depth_m = np.maximum(points_m[..., 2:], NEAREST_M)
    homogeneous = np.concatenate([points_m[..., :2] / depth_m, np.ones_like(depth_m)], axis=-1)
    return homogeneous @ K_px[:2].T


def back_project(
    points_px: Float[np.ndarray, "*n 2"],
    depth_m: Float[np.ndarray, "*n"],
    K_px: Float[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "*n 3"]:
    """Camera coordinates in metres of pixels at known depths (along z)."""
    return rays(points_px, K_px) * np.asarray(depth_m, dtype=np.float64)[..., None]


def rays(
    points_px: Float[np.ndarray, "*n 2"], K_px: Float[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "*n 3"]:
    """Where the rays through pixels meet the plane z = 1."""
    points_px = np.asarray(points_px, dtype=np.float64)
    ones = np.ones_like(points_px[..., :1])
    return np.concatenate([points_px, ones], axis=-1) @ np.linalg.inv(K_px).T


def translation_from_points(
    points_m: Float[np.ndarray, "n k 3"],
    points_px: Float[np.ndarray, "n k 2"],
    weights: Float[np.ndarray, "n k"],
    K_px: Float[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "n 3"]:
    """The shift t that makes points + t project onto their pixels, for n bodies at once.

    A point at ray (x, y, 1) obeys X + tx = x (Z + tz) and Y + ty = y (Z + tz): linear in t. Solved
    by weighted least squares, repeated with Geman-McClure weights so that a few wrong points do
    not pull; between rounds the equations are divided by depth, which makes the errors pixels.

    Args:
        points_m: The body's points, any origin, camera axes.
        points_px: Where they are seen.
        weights: 0 or more per point; at least two points with weight are needed.
        K_px: Intrinsics.

    Returns:
        Translations in metres; the depth of the nearest weighted point is at least 0.1 m.
    """
    points_m = np.asarray(points_m, dtype=np.float64)
    ray = rays(points_px, K_px)[..., :2]
    weights = np.asarray(weights, dtype=np.float64)
    robust = weights
    for _ in range(ROBUST_ROUNDS):
        t_m = _weighted_translation(points_m, ray, robust)
        t_m[:, 2] = np.maximum(t_m[:, 2], NEAREST_M - points_m[..., 2].min(axis=1))
        depth_m = points_m[..., 2] + t_m[:, None, 2]
        seen = (points_m[..., :2] + t_m[:, None, :2]) / depth_m[..., None]
        error_px = np.linalg.norm(seen - ray, axis=-1) * K_px[0, 0]
        scale_px = np.maximum(_median_of_weighted(error_px, weights), SMALLEST_SCALE_PX)
        robust = weights / (1.0 + (error_px / (2.0 * scale_px[:, None])) ** 2) ** 2
        robust = robust / np.maximum(depth_m, NEAREST_M) ** 2
    return t_m


def translation_least_squares(
    points_m: Float[np.ndarray, "n k 3"],
    points_px: Float[np.ndarray, "n k 2"],
    weights: Float[np.ndarray, "n k"],
    K_px: Float[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "n 3"]:
    """As `translation_from_points`, in one step: nothing robust, errors in metres (as SPIN)."""
    ray = rays(points_px, K_px)[..., :2]
    points_m = np.asarray(points_m, dtype=np.float64)
    return _weighted_translation(points_m, ray, np.asarray(weights, dtype=np.float64))


def translation_from_crop(
    crop_camera: Float[np.ndarray, "n 3"],
    centre_px: Float[np.ndarray, "n 2"],
    side_px: Float[np.ndarray, " n"],
    K_px: Float[np.ndarray, "3 3"],
    smallest_side_px: float = SMALLEST_SIDE_PX,
) -> Float64[np.ndarray, "n 3"]:
    """Where bodies stand whose weak-perspective cameras were seen in square crops of the picture.

    The depth at which a body appears in the picture as large as in its crop, and the shift that
    brings it to the crop's place (Li et al. 2022, "CLIFF"; 4D-Humans: focal length 5000 / 256 of
    the picture's longer side, optical axis through its middle).

    Args:
        crop_camera: Scale and x, y shift (s, tx, ty): half the crop's side shows 1 / s units.
        centre_px: Middles of the crops.
        side_px: Sides of the crops.
        K_px: Intrinsics of the picture; focal length and optical axis are taken from it.
        smallest_side_px: Added to scale times side, as SPIN and 4D-Humans do; HMR adds nothing.

    Returns:
        Translations in the body's units. A scale of 0 gives a depth without meaning.
    """
    scale, shift = np.float64(crop_camera[:, 0]), np.float64(crop_camera[:, 1:])
    nearness = side_px * scale + smallest_side_px
    offset = 2.0 * (centre_px - K_px[:2, 2]) / nearness[:, None]
    offset[:, 1] *= K_px[0, 0] / K_px[1, 1]
    return np.concatenate([shift + offset, 2.0 * K_px[0, 0] / nearness[:, None]], axis=1)


def translation_through(
    t_m: Float[np.ndarray, "*n 3"],
    K_from_px: Float[np.ndarray, "3 3"],
    K_to_px: Float[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "*n 3"]:
    """Where bodies stand that look through one camera as they do through another.

    The depth grows with the focal length, so that a body keeps its size in the picture, and its
    origin keeps its pixel (weak perspective; as `translation_from_crop` moves a body from its crop
    into the picture). Going back gives the first place again.
    """
    t_m = np.asarray(t_m, dtype=np.float64)
    depth_m = t_m[..., 2:] * K_to_px[0, 0] / K_from_px[0, 0]
    origin_px = (t_m / t_m[..., 2:]) @ K_from_px[:2].T
    return depth_m * rays(origin_px, K_to_px)


def _median_of_weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Median of each row over the points that count."""
    ranked = np.sort(np.where(weights > 0, values, np.inf), axis=1)
    middle = (np.maximum((weights > 0).sum(axis=1), 1) - 1) // 2
    median = np.take_along_axis(ranked, middle[:, None], axis=1)[:, 0]
    return np.where(np.isfinite(median), median, SMALLEST_SCALE_PX)


def _weighted_translation(points_m: np.ndarray, ray: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Normal equations of tx - x tz = x Z - X and ty - y tz = y Z - Y."""
    right = ray * points_m[..., 2:] - points_m[..., :2]
    total = weights.sum(axis=1)
    normal = np.zeros((len(points_m), 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = total
    normal[:, :2, 2] = normal[:, 2, :2] = -(weights[..., None] * ray).sum(axis=1)
    normal[:, 2, 2] = (weights * (ray**2).sum(axis=-1)).sum(axis=1)
    normal += EPSILON * np.maximum(total, 1.0)[:, None, None] * np.eye(3)
    target = np.empty((len(points_m), 3))
    target[:, :2] = (weights[..., None] * right).sum(axis=1)
    target[:, 2] = -(weights[..., None] * ray * right).sum(axis=(1, 2))
    return np.linalg.solve(normal, target[..., None])[..., 0]
