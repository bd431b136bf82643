"""Windows of true motion, as cameras see it, drawn from files of SMPL motion at 30 fps."""

from dataclasses import dataclass
from math import pi
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.errors import InputError, MissingError
from pipeline.rotations import quat_wxyz_to_rotmat, rotvec_to_quat_wxyz, rotvec_to_rotmat
from stages.smoothing.posebert.corruption import MIRRORED

UP_TO_DOWN = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
"""World (y up) to camera (y down, z ahead)."""
TEMPO = (0.7, 1.4)
"""Time is stretched by this much: the same step, slower or faster."""
TILT_DEG = 15.0
"""Standard deviation of the camera's pitch; its roll is a third."""


@dataclass(frozen=True)
class MotionFiles:
    """All clips, one behind the other."""

    quats: Float[Tensor, "n 24 4"]
    start: Int64[Tensor, " clips"]
    length: Int64[Tensor, " clips"]

    def windows(self, count: int, frames: int, rng: torch.Generator) -> Float[Tensor, "b t 24 3 3"]:
        """Local rotations, the root's in the camera; clip, place, tempo, side, camera at random."""
        return in_a_camera(self.world_windows(count, frames, rng), rng)

    def world_windows(
        self, count: int, frames: int, rng: torch.Generator
    ) -> Float[Tensor, "b t 24 3 3"]:
        """As `windows`, without the camera.

        Clips are drawn evenly, whatever their length; those too short for the tempo go slower.
        """
        clip = torch.randint(len(self.start), (count,), generator=rng)
        low, high = TEMPO
        tempo = low + (high - low) * torch.rand(count, generator=rng)
        room = (self.length[clip] - 1).float()
        tempo = torch.minimum(tempo, room / (frames - 1))
        begin = torch.rand(count, generator=rng) * (room - tempo * (frames - 1))
        at = begin[:, None] + tempo[:, None] * torch.arange(frames)
        rotmat = quat_wxyz_to_rotmat(self._between(clip, at))
        mirrored = torch.randint(2, (count, 1, 1, 1, 1), generator=rng) == 0
        return torch.where(mirrored, _mirrored(rotmat), rotmat)

    def _between(self, clip: Tensor, at: Tensor) -> Float[Tensor, "b t 24 4"]:
        """Rotations at fractional frames, along the chord."""
        before = at.floor().clamp(max=(self.length[clip] - 2)[:, None]).long()
        share = (at - before)[..., None, None]
        rows = self.start[clip][:, None] + before
        first, second = self.quats[rows], self.quats[rows + 1]
        second = torch.where((first * second).sum(-1, keepdim=True) < 0, -second, second)
        return torch.nn.functional.normalize(torch.lerp(first, second, share), dim=-1)


def read_motions(folder: Path, least_frames: int = 46) -> MotionFiles:
    """Every `.npz` with `poses` (t, 72) in the folder, in the order of names.

    Raises:
        MissingError: there is none, or none long enough.
        InputError: a file holds no such poses.
    """
    clips = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            if "poses" not in file or file["poses"].shape[1:] != (72,):
                raise InputError(f"{path}: holds no 'poses' of the shape (frames, 72)")
            poses = torch.from_numpy(file["poses"].astype(np.float32)).unflatten(1, (24, 3))
        if len(poses) >= least_frames:
            clips.append(rotvec_to_quat_wxyz(poses))
    if not clips:
        raise MissingError(f"{folder}: holds no motion (.npz) of {least_frames} frames or more")
    length = torch.tensor([len(clip) for clip in clips])
    return MotionFiles(torch.cat(clips), length.cumsum(0) - length, length)


def _mirrored(rotmat: Float[Tensor, "b t 24 3 3"]) -> Float[Tensor, "b t 24 3 3"]:
    """Left and right exchanged, the plane between them being the mirror."""
    sign = torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]])
    return rotmat[:, :, list(MIRRORED)] * sign


def in_a_camera(
    rotmat: Float[Tensor, "b *t 24 3 3"], rng: torch.Generator
) -> Float[Tensor, "b *t 24 3 3"]:
    """The same motions before cameras at random, one each."""
    camera = _camera(len(rotmat), rng).view(-1, *[1] * (rotmat.ndim - 3), 3, 3)
    return torch.cat([camera @ rotmat[..., :1, :, :], rotmat[..., 1:, :, :]], dim=-3)


def _camera(count: int, rng: torch.Generator) -> Float[Tensor, "b 3 3"]:
    """World to camera: any heading, some pitch, little roll."""
    heading = 2 * pi * torch.rand(count, generator=rng)
    pitch, roll = TILT_DEG * pi / 180 * torch.randn(2, count, generator=rng)
    zero = torch.zeros(count)
    turns = [
        rotvec_to_rotmat(torch.stack(axis, dim=-1))
        for axis in ((zero, zero, roll / 3), (pitch, zero, zero), (zero, heading, zero))
    ]
    return turns[0] @ turns[1] @ UP_TO_DOWN @ turns[2]
