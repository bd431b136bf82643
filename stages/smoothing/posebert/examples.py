"""What PoseBERT learns from: true windows, and what the smoother gives it of their noisy copies.

Errors, then the robust filter that runs before the network (`prefilter`), by the very code that
smooths videos. Filtering costs a third of a training step, so windows wait in a pool and are used
a few times, each time before another camera: turning the camera and filtering commute.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.interpolate import interpolate_rotvec
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from stages.smoothing.posebert.corruption import Corrupted, CorruptionConfig, corrupted
from stages.smoothing.posebert.motion_windows import MotionFiles, in_a_camera
from stages.smoothing.posebert.prefilter import prefiltered

FPS = 30.0
"""Of the motion files, and of the trained network."""


@dataclass(frozen=True)
class Examples:
    """Windows of local rotations; the root's in the world or in a camera."""

    truth: Float[Tensor, "b t 24 3 3"]
    noisy: Float[Tensor, "b t 24 3 3"]
    """As a regressor would have it; of hidden frames nothing is meant by it."""
    given: Float[Tensor, "b t 24 3 3"]
    """Filtered, hidden frames filled: what the network reads."""
    seen: Bool[Tensor, "b t"]

    def __getitem__(self, rows: Tensor) -> "Examples":
        """Some of the windows."""
        return Examples(self.truth[rows], self.noisy[rows], self.given[rows], self.seen[rows])

    def in_cameras(self, rng: torch.Generator) -> "Examples":
        """World to camera, every window another."""
        parts = torch.stack([self.truth, self.noisy, self.given], dim=1)
        truth, noisy, given = in_a_camera(parts, rng).unbind(dim=1)
        return Examples(truth, noisy, given, self.seen)


def make_examples(
    data: MotionFiles, count: int, frames: int, noise: CorruptionConfig, rng: torch.Generator
) -> Examples:
    """New windows in the world; the same generator state gives the same ones."""
    truth = data.world_windows(count, frames, rng)
    wrong = corrupted(truth, noise, rng)
    low, high = noise.cutoff_hz
    cutoffs_hz = low + (high - low) * torch.rand(count, generator=rng)
    return Examples(truth, wrong.rotmat, filtered(wrong, cutoffs_hz), wrong.seen)


def filtered(wrong: Corrupted, cutoffs_hz: Float[Tensor, " b"]) -> Float[Tensor, "b t 24 3 3"]:
    """Every window through the filter; hidden frames are drawn between seen ones first."""
    rotvec = rotmat_to_rotvec(wrong.rotmat.double()).numpy()
    time_s = np.arange(rotvec.shape[1]) / FPS
    out = np.empty_like(rotvec)
    for row, (seen, cutoff_hz) in enumerate(
        zip(wrong.seen.numpy(), cutoffs_hz.tolist(), strict=True)
    ):
        drawn = interpolate_rotvec(time_s[seen], rotvec[row, seen], time_s)
        out[row] = prefiltered(time_s, drawn, seen.astype(np.float64), cutoff_hz)
    return rotvec_to_rotmat(torch.from_numpy(out)).float()


def batches(
    data: MotionFiles,
    batch: int,
    frames: int,
    noise: CorruptionConfig,
    uses: int,
    rng: torch.Generator,
) -> Iterator[Examples]:
    """Endless batches before cameras; windows are used `uses` times, mixed with others."""
    pool_size = batch * POOL_BATCHES
    while True:
        pool = make_examples(data, pool_size, frames, noise, rng)
        for _ in range(uses):
            for rows in torch.randperm(pool_size, generator=rng).split(batch):
                yield pool[rows].in_cameras(rng)


POOL_BATCHES = 16
