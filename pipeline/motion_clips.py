"""Windows of true human motion, drawn at random from files of SMPL motion, for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from pipeline.errors import InputError, MissingError
from pipeline.npz_file import NpzError, read_npz_file
from pipeline.rotations import quat_wxyz_to_rotmat, rotvec_to_quat_wxyz
from pipeline.skeletons import SMPL24

MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
"""Left and right exchanged, in the body's axes as in a camera's."""
MOST_FRAMES_COUNTED = 300
"""A longer clip is not drawn more often than one of this length."""


@dataclass(frozen=True)
class MotionWindows:
    """Motion in the world: y up, a body at rest faces +z."""

    rotmat: Float[Tensor, "b t 24 3 3"]
    t_world_m: Float[Tensor, "b t 3"]

    def mirrored(self, chosen: Tensor) -> "MotionWindows":
        """Left and right exchanged in the windows chosen (b,) bool."""
        rotmat = torch.where(_like(chosen, self.rotmat), mirror_rotmat(self.rotmat), self.rotmat)
        t_m = torch.where(_like(chosen, self.t_world_m), self.t_world_m @ MIRROR, self.t_world_m)
        return MotionWindows(rotmat, t_m)


@dataclass(frozen=True)
class MotionClips:
    """All clips, one behind the other."""

    quats_wxyz: Float[Tensor, "n 24 4"]
    t_world_m: Float[Tensor, "n 3"]
    start: Int64[Tensor, " clips"]
    length: Int64[Tensor, " clips"]
    chance: Float32[Tensor, " clips"]
    """How likely each clip is drawn; sums to 1."""

    def windows(
        self, count: int, frames: int, tempo: tuple[float, float], rng: torch.Generator
    ) -> MotionWindows:
        """Windows of clips drawn by their chance, at random times."""
        clip = torch.multinomial(self.chance, count, replacement=True, generator=rng)
        return self.at(clip, self.random_times(clip, frames, tempo, rng))

    def random_times(
        self,
        clip: Int64[Tensor, " b"],
        frames: int,
        tempo: tuple[float, float],
        rng: torch.Generator,
    ) -> Float[Tensor, "b t"]:
        """Fractional frames `tempo` frames of the clip apart; shorter clips go slower."""
        low, high = tempo
        step = low + (high - low) * torch.rand(len(clip), generator=rng)
        room = (self.length[clip] - 1).float()
        step = torch.minimum(step, room / (frames - 1))
        begin = torch.rand(len(clip), generator=rng) * (room - step * (frames - 1))
        return begin[:, None] + step[:, None] * torch.arange(frames)

    def at(self, clip: Int64[Tensor, " b"], time: Float[Tensor, "b t"]) -> MotionWindows:
        """Poses and places at fractional frames, along the chord."""
        before = time.floor().clamp(max=(self.length[clip] - 2)[:, None]).long()
        share, rows = (time - before)[..., None], self.start[clip][:, None] + before
        first, second = self.quats_wxyz[rows], self.quats_wxyz[rows + 1]
        second = torch.where((first * second).sum(-1, keepdim=True) < 0, -second, second)
        quats = torch.nn.functional.normalize(torch.lerp(first, second, share[..., None]), dim=-1)
        t_world_m = torch.lerp(self.t_world_m[rows], self.t_world_m[rows + 1], share)
        return MotionWindows(quat_wxyz_to_rotmat(quats), t_world_m)


def mirror_rotmat(rotmat: Float[Tensor, "*b 24 3 3"]) -> Float[Tensor, "*b 24 3 3"]:
    """The pose of the mirror image."""
    mirror = MIRROR.to(rotmat)
    return mirror @ rotmat[..., torch.from_numpy(SMPL24.mirror).long(), :, :] @ mirror


def read_motion_clips(folder: Path, least_frames: int, *, with_places: bool = True) -> MotionClips:
    """Every `.npz` with `poses` (t, 72) and `trans` (t, 3) in the folder, by name.

    Without places `trans` may be missing, and everybody stays at the origin.

    Takes of one performer (`cmu_60_...`) share their chance, so that whoever was recorded for
    hours is not all there is.

    Raises:
        MissingError: there is none, or none long enough.
        InputError: a file holds no such motion.
    """
    quats, places, groups = [], [], []
    for path in sorted(folder.glob("*.npz")):
        needed = ("poses", "trans") if with_places else ("poses",)
        try:
            file = read_npz_file(path, needed.__contains__)
        except (OSError, NpzError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from error
        if missing := [name for name in needed if name not in file]:
            raise InputError(f"{path}: holds no '{missing[0]}' of a SMPL motion")
        poses = file["poses"]
        trans = file["trans"] if with_places else np.zeros((len(poses), 3))
        if poses.shape[1:] != (72,) or trans.shape != (len(poses), 3):
            raise InputError(f"{path}: 'poses' must be (t, 72) and 'trans' (t, 3)")
        if len(poses) < least_frames:
            continue
        rotvec = torch.from_numpy(poses.astype(np.float32)).unflatten(1, (24, 3))
        quats.append(rotvec_to_quat_wxyz(rotvec))
        places.append(torch.from_numpy(trans.astype(np.float32)))
        groups.append("_".join(path.stem.split("_")[:2]))
    if not quats:
        raise MissingError(f"{folder}: holds no motion (.npz) of {least_frames} frames or more")
    length = torch.tensor([len(clip) for clip in quats])
    return MotionClips(
        torch.cat(quats),
        torch.cat(places),
        length.cumsum(0) - length,
        length,
        _chances(length, groups),
    )


def _chances(length: Tensor, groups: list[str]) -> Tensor:
    counted = length.clamp(max=MOST_FRAMES_COUNTED).float()
    total = {
        g: sum(float(n) for n, own in zip(counted, groups, strict=True) if own == g) for g in groups
    }
    chance = torch.tensor(
        [n / total[g] ** 0.5 for n, g in zip(counted.tolist(), groups, strict=True)]
    )
    return chance / chance.sum()


def _like(chosen: Tensor, values: Tensor) -> Tensor:
    return chosen.view(-1, *[1] * (values.ndim - 1))
