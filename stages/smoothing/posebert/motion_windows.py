"""Windows of true motion, as cameras see it, drawn from files of SMPL motion at 30 fps."""

from dataclasses import dataclass
from math import pi
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion_clips import MotionClips, read_motion_clips
from pipeline.rotations import rotvec_to_rotmat

UP_TO_DOWN = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
"""World (y up) to camera (y down, z ahead)."""
TEMPO = (0.7, 1.4)
"""Time is stretched by this much: the same step, slower or faster."""
TILT_DEG = 15.0
"""Standard deviation of the camera's pitch; its roll is a third."""


@dataclass(frozen=True)
class MotionFiles:
    """All clips, drawn evenly whatever their length."""

    clips: MotionClips

    def windows(self, count: int, frames: int, rng: torch.Generator) -> Float[Tensor, "b t 24 3 3"]:
        """Local rotations, the root's in the camera; clip, place, tempo, side, camera at random."""
        return in_a_camera(self.world_windows(count, frames, rng), rng)

    def world_windows(
        self, count: int, frames: int, rng: torch.Generator
    ) -> Float[Tensor, "b t 24 3 3"]:
        """As `windows`, without the camera."""
        clip = torch.randint(len(self.clips.start), (count,), generator=rng)
        time = self.clips.random_times(clip, frames, TEMPO, rng)
        motion = self.clips.at(clip, time)
        return motion.mirrored(torch.randint(2, (count,), generator=rng) == 0).rotmat


def read_motions(folder: Path, least_frames: int = 46) -> MotionFiles:
    """Every `.npz` with `poses` (t, 72) in the folder, in the order of names.

    Raises:
        MissingError: there is none, or none long enough.
        InputError: a file holds no such poses.
    """
    return MotionFiles(read_motion_clips(folder, least_frames, with_places=False))


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
