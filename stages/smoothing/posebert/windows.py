"""A sequence of any length through a network that sees 64 frames at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from pipeline.window_starts import window_starts
from stages.smoothing.posebert.network import PoseBert, body_tokens, pose_rotmat

WINDOW = 64
BATCH = 32
"""Windows at a time."""


@dataclass(frozen=True)
class Windows:
    """Which frames each window shows."""

    frames: Int64[np.ndarray, "w 64"]


def official_windows(count: int) -> Windows:
    """One window per frame, that frame in the middle, moved inwards at the ends.

    Short sequences are padded as the official demo does: with the last frame in windows of the
    first 32 frames, with the first frame in the others.
    """
    half = WINDOW // 2
    frame = np.arange(count)
    end = np.where(frame < half, WINDOW, np.minimum(count, frame + half))
    shown = end[:, None] - WINDOW + np.arange(WINDOW)
    return Windows(shown.clip(0, count - 1))


def positions_in(windows: Windows) -> Int64[np.ndarray, " t"]:
    """Where in its official window each frame first is."""
    found: np.ndarray = windows.frames == np.arange(len(windows.frames))[:, None]
    return found.argmax(axis=1)


@torch.inference_mode()
def one_window_per_frame(
    network: PoseBert, rotmat: Float[Tensor, "t 24 3 3"], seen: Bool[Tensor, " t"]
) -> Float[Tensor, "t 24 3 3"]:
    """As the official demo does: of each frame's window that frame alone is kept."""
    windows = official_windows(len(rotmat))
    tokens, place = body_tokens(rotmat), positions_in(windows)
    parts = []
    for start in range(0, len(rotmat), BATCH):
        rows = torch.from_numpy(windows.frames[start : start + BATCH])
        out = network(tokens[rows], seen[rows])[-1]
        parts.append(out[torch.arange(len(rows)), place[start : start + BATCH]])
    return pose_rotmat(torch.cat(parts))


@torch.inference_mode()
def blended_windows(
    network: PoseBert, rotmat: Float[Tensor, "t 24 3 3"], seen: Bool[Tensor, " t"], stride: int
) -> Float[Tensor, "t 24 3 3"]:
    """Every `stride` frames a window; where they overlap, the mean rotation (chordal).

    A window's say falls from its middle to nothing beyond its ends, so none enters with a jump.
    Sequences shorter than a window go through as they are. A window without any seen frame has no
    say, unless there is no other.
    """
    count, tokens = len(rotmat), body_tokens(rotmat)
    length = min(count, WINDOW)
    rows = torch.from_numpy(window_starts(count, WINDOW, stride))[:, None] + torch.arange(length)
    ramp = torch.arange(1, length + 1, dtype=rotmat.dtype, device=rotmat.device)
    say = torch.minimum(ramp, ramp.flip(0))
    total = torch.zeros_like(rotmat)
    for part in rows.split(BATCH):
        weights = say * (1e-6 + seen[part].any(dim=1, keepdim=True))
        out = pose_rotmat(network(tokens[part], seen[part])[-1])
        total.index_add_(
            0, part.flatten().to(total.device), (weights[..., None, None, None] * out).flatten(0, 1)
        )
    return _nearest_rotation(total)


def _nearest_rotation(matrix: Float[Tensor, "*b 3 3"]) -> Float[Tensor, "*b 3 3"]:
    """The rotation that maximises the trace of its product with the matrix (Arun et al. 1987)."""
    left, _, right = torch.linalg.svd(matrix)
    sign = torch.linalg.det(left @ right)
    left = torch.cat([left[..., :2], left[..., 2:] * sign[..., None, None]], dim=-1)
    return left @ right
