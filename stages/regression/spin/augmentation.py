"""What SPIN's training does to pictures, poses and points: turn and mirror, number for number."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import DATA24, SMPL24, SPIN49
from stages.regression._cut_crops import CROP_PX
from stages.regression.spin.crops import Numerics, Place, corners_of, stretched
from stages.regression.spin.taps import LEVELS, blur_taps, mixed, triangle_taps


def mirrored_pose(pose_rotvec: Float[Tensor, "*n 24 3"]) -> Float[Tensor, "*n 24 3"]:
    """The pose in a mirror: left and right change places, so do turns about y and z."""
    return pose_rotvec[..., list(SMPL24.mirror), :] * pose_rotvec.new_tensor([1.0, -1.0, -1.0])


def mirrored_points(points: Float[Tensor, "*n k d"]) -> Float[Tensor, "*n k d"]:
    """24 or 49 points in a mirror at x = 0."""
    order = DATA24.mirror if points.shape[-2] == len(DATA24.points) else SPIN49.mirror
    sign = torch.ones(points.shape[-1], dtype=points.dtype, device=points.device)
    sign[0] = -1
    return points[..., list(order), :] * sign


def turned_root(
    root_rotvec: Float[Tensor, "*n 3"], rotation_deg: Float[Tensor, "*n"]
) -> Float[Tensor, "*n 3"]:
    """The root's rotation in a picture turned by that angle, anticlockwise as seen."""
    axis = root_rotvec.new_tensor([0.0, 0.0, 1.0])
    turn = rotvec_to_rotmat(-torch.deg2rad(rotation_deg)[..., None] * axis)
    return rotmat_to_rotvec(turn @ rotvec_to_rotmat(root_rotvec))


def turned_crop(
    frame: UInt8[Tensor, "h w 3"], place: Place, rotation_deg: float, numerics: Numerics
) -> Tensor:
    """The crop of one place, turned about its middle; levels are stretched before the turn."""
    (corners,) = corners_of(place)
    size = corners.size_px
    margin = int(np.linalg.norm(size) / 2 - size[1] / 2)
    left, top = (corners.upper_left_px - margin).tolist()
    canvas = _canvas(frame, left, top, *(size + 2 * margin).tolist())
    if numerics == "imresize":
        canvas = stretched(canvas, has_border=False)
    turned = _turned(canvas, rotation_deg, "repeat" if numerics == "imresize" else "black")
    turned = turned[margin : margin + size[1], margin : margin + size[0]]
    make_taps = triangle_taps if numerics == "imresize" else blur_taps
    if numerics == "imresize":
        turned = turned.clamp(0, LEVELS).to(torch.uint8)
    return mixed(turned, make_taps(int(size[1]), CROP_PX), make_taps(int(size[0]), CROP_PX))


def _canvas(frame: Tensor, left: int, top: int, width: int, height: int) -> Tensor:
    """That part of the frame, black beyond it."""
    canvas = frame.new_zeros((height, width, frame.shape[2]))
    seen = frame[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    y, x = max(-top, 0), max(-left, 0)
    canvas[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    return canvas


def _turned(picture: Tensor, rotation_deg: float, beyond: Literal["repeat", "black"]) -> Tensor:
    """Turned anticlockwise about the middle, in float64; what comes from outside is black.

    Args:
        picture: (h, w, c).
        rotation_deg: Angle.
        beyond: What a place at the very edge mixes its pixel with: the pixel again, or black.
    """
    height, width = picture.shape[:2]
    angle = np.deg2rad(rotation_deg)
    y, x = np.mgrid[:height, :width] + 0.5
    x, y = x - width / 2, y - height / 2
    across = np.cos(angle) * x - np.sin(angle) * y + width / 2
    down = np.sin(angle) * x + np.cos(angle) * y + height / 2
    inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    total = torch.zeros(picture.shape, dtype=torch.float64, device=picture.device)
    first_x, first_y = np.floor(across - 0.5), np.floor(down - 0.5)
    for step_x, share_x in ((0, first_x + 1.5 - across), (1, across - 0.5 - first_x)):
        for step_y, share_y in ((0, first_y + 1.5 - down), (1, down - 0.5 - first_y)):
            column, row = (first_x + step_x).astype(int), (first_y + step_y).astype(int)
            within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            share = share_x * share_y * (inside if beyond == "repeat" else within)
            column, row = column.clip(0, width - 1), row.clip(0, height - 1)
            picked = picture[torch.from_numpy(row), torch.from_numpy(column)]
            total += picked * torch.from_numpy(share).to(picture.device)[..., None]
    return total
