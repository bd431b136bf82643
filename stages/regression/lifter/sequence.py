"""A tracklet of any length and frame rate through a network that sees `WINDOW` frames."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from pipeline.interpolate import neighbours
from pipeline.motion_clips import mirror_rotmat
from pipeline.parts import Arrays, Parts
from pipeline.rotations import rot6d_columns_to_rotmat, rotmat_slerp
from pipeline.skeletons import SMPL24
from pipeline.window_starts import window_starts
from stages.regression.lifter.network import FPS, WINDOW, LifterNetwork
from stages.regression.lifter.view import Keypoints, seen_straight

SIMILAR_RATE = 0.25
"""Videos whose rate differs from the network's by less than this share go in frame by frame."""
LONGEST_BRIDGE_S = 0.07
"""Keypoints are interpolated between sightings no further apart than this."""
AT_ONE = 1e-3
"""A time this near to a sighting, in frames, is that sighting's."""
BATCH = 64
BLOCK = 2000
"""Rows at a time where all of a long tracklet would take much room."""
MIRRORED_JOINTS = torch.from_numpy(SMPL24.mirror).long()


@dataclass(frozen=True)
class Sightings:
    """One person, n times."""

    time_s: Float64[np.ndarray, " n"]
    """Increasing."""
    rays: Float32[np.ndarray, "n 33 2"]
    """Keypoints as x / z and y / z."""
    confidence: Float32[np.ndarray, "n 33"]
    """0 where a keypoint was not seen."""
    landmarks_m: Float32[np.ndarray, "n 33 3"]
    """The detector's own guess in space, centred between the hips; 0 where it has none."""


@dataclass(frozen=True)
class LiftedTracklet:
    """A body for every sighting, in the camera's axes."""

    columns: Float[Tensor, "g 24 3 2"]
    """First two columns of the rotations, of any length, at steady times."""
    before: Int64[np.ndarray, " n"]
    """The steady time before each sighting, and the one after it."""
    after: Int64[np.ndarray, " n"]
    share: Float64[np.ndarray, " n"]
    """How far between them it lies, 0 to 1."""
    betas: Float[Tensor, " 10"]
    spread_rad: Float[Tensor, "n 24"]
    """How far off each rotation is to be expected."""

    def rotmat(self, some: slice) -> Float[Tensor, "m 24 3 3"]:
        """Rotations of some sightings; those of a long tracklet take much room."""
        first, second = (
            rot6d_columns_to_rotmat(self.columns[at[some]].mT.flatten(-2))
            for at in (self.before, self.after)
        )
        return rotmat_slerp(first, second, torch.from_numpy(self.share[some]).float()[:, None])

    @property
    def pose_rotmat(self) -> Float[Tensor, "n 24 3 3"]:
        """Of all sightings."""
        return self.rotmat(slice(None))


@dataclass(frozen=True)
class _Said:
    """What windows say, added up in their order."""

    pose: Float[Tensor, "g 24 3 2"]
    """First two columns of the rotations, weighted."""
    log_spread: Float[Tensor, "g 24"]
    weight: Float[Tensor, " g"]
    """Of both."""
    betas: Float[Tensor, " 10"]
    share: Float[Tensor, ""]
    """Weight of the betas."""

    def as_arrays(self) -> Arrays:
        """To be kept."""
        return {name: value.numpy() for name, value in vars(self).items()}


@torch.inference_mode()
def lift(
    network: LifterNetwork, sightings: Sightings, frame_s: float, stride: int, parts: Parts
) -> LiftedTracklet:
    """Bodies of all sightings: the mean of what windows that overlap say, and their mirror images.

    Args:
        network: the lifter.
        sightings: of one person.
        frame_s: usual time from frame to frame of the video.
        stride: frames from window to window.
        parts: where windows that are done are kept through an interruption.
    """
    grid_s = _grid_s(sightings.time_s, frame_s)
    steady = _Steady.of(sightings, grid_s, frame_s)
    rows = torch.from_numpy(window_starts(len(grid_s), WINDOW, stride))[:, None] + torch.arange(
        WINDOW
    )
    count = len(grid_s)
    pose, log_spread = torch.zeros(count, 24, 3, 2), torch.zeros(count, 24)
    weight, betas, share = torch.zeros(count), torch.zeros(10), torch.zeros(())
    for number, some in enumerate(rows.split(BATCH)):
        reached = slice(int(some[0, 0]), int(some[-1, -1]) + 1)
        before = _Said(pose[reached], log_spread[reached], weight[reached], betas, share)
        add = partial(_added, network, steady, some, before)
        arrays = parts.get(f"windows {number}", add)
        said = _Said(**{name: torch.from_numpy(value) for name, value in arrays.items()})
        pose[reached], log_spread[reached] = said.pose, said.log_spread
        weight[reached], betas, share = said.weight, said.betas, said.share
    spread_rad = (log_spread / weight[:, None]).exp()
    nearest = np.rint(np.interp(sightings.time_s, grid_s, np.arange(count))).astype(np.int64)
    at = neighbours(grid_s, sightings.time_s)
    return LiftedTracklet(pose, *at, betas / share.clamp_min(1), spread_rad[nearest])


def _added(network: LifterNetwork, steady: "_Steady", rows: Tensor, before: _Said) -> Arrays:
    """What was said of the frames that these windows reach, after them.

    Args:
        network: the lifter.
        steady: all frames.
        rows: (b, WINDOW) frames of the windows; beyond the end nothing is seen.
        before: from the first of these frames on, without these windows.
    """
    frames = len(steady.share)
    beyond, at = rows >= frames, rows.clamp(max=frames - 1) - rows[0, 0]
    seen_here = steady.cut(slice(int(rows[0, 0]), min(int(rows[-1, -1]) + 1, frames)))
    shown = torch.where(beyond[..., None], 0.0, seen_here.confidence[at])
    windows = Keypoints(seen_here.rays[at], shown, seen_here.landmarks_m[at])
    found, mirror = _bodies(network, windows), _bodies(network, windows.mirrored())
    pose = (found.pose_rotmat + mirror_rotmat(mirror.pose_rotmat))[..., :2]
    seen = (shown.amax(-1) > 0).float()
    ramp = torch.arange(1, WINDOW + 1, dtype=torch.float32)
    weight = torch.minimum(ramp, ramp.flip(0)) * ~beyond * (1e-6 + seen.mean(1, keepdim=True))
    log_spread = (found.log_spread + mirror.log_spread[..., MIRRORED_JOINTS]) / 2

    def total(so_far: Tensor, values: Tensor) -> Tensor:
        each = weight.view(*weight.shape, *[1] * (values.ndim - 2)) * values
        return so_far.index_add(0, at.flatten(), each.flatten(0, 1))

    betas = ((found.betas + mirror.betas) / 2 * seen.sum(1, keepdim=True)).sum(0)
    return _Said(
        total(before.pose, pose),
        total(before.log_spread, log_spread),
        before.weight.index_add(0, at.flatten(), weight.flatten()),
        before.betas + betas,
        before.share + seen.sum(),
    ).as_arrays()


@dataclass(frozen=True)
class _Bodies:
    pose_rotmat: Tensor
    """(b, t, 24, 3, 3) in the camera's axes."""
    betas: Tensor
    log_spread: Tensor
    """(b, t, 24)"""


def _bodies(network: LifterNetwork, windows: Keypoints) -> _Bodies:
    view = seen_straight(windows.rays, windows.confidence, windows.landmarks_m)
    lifted = network(view.features(), windows.confidence.amax(-1) > 0)
    root = view.rotmat_view_camera.mT @ lifted.pose_rotmat[:, :, 0]
    pose = torch.cat([root[:, :, None], lifted.pose_rotmat[:, :, 1:]], 2)
    return _Bodies(pose, lifted.betas, lifted.log_spread)


def _grid_s(time_s: np.ndarray, frame_s: float) -> Float64[np.ndarray, " g"]:
    """Steady times from the first to the last sighting, near the network's frame rate."""
    step_s = frame_s if abs(frame_s * FPS - 1) < SIMILAR_RATE else 1 / FPS
    count = max(round((time_s[-1] - time_s[0]) / step_s), 0) + 1
    return np.linspace(time_s[0], time_s[-1], count)


@dataclass(frozen=True)
class _Steady:
    """Sightings at steady times, laid out stretch by stretch: all at once take much room.

    Straight lines between sightings that are near each other; elsewhere nothing is seen.
    """

    sightings: Sightings
    before: Int64[np.ndarray, " g"]
    after: Int64[np.ndarray, " g"]
    share: Float64[np.ndarray, " g"]
    longest_s: float
    """Sightings no further apart are near each other."""

    @classmethod
    def of(cls, sightings: Sightings, grid_s: np.ndarray, frame_s: float) -> "_Steady":
        """At the times `grid_s`."""
        at = neighbours(sightings.time_s, grid_s)
        return cls(sightings, *at, max(LONGEST_BRIDGE_S, 1.5 * frame_s))

    def cut(self, some: slice) -> Keypoints:
        """Some of the times."""
        before, after, share = self.before[some], self.after[some], self.share[some]
        time_s, confidence = self.sightings.time_s, self.sightings.confidence

        def between(values: np.ndarray) -> Tensor:
            mixed = values[before] + share[:, None, None] * (values[after] - values[before])
            return torch.from_numpy(mixed.astype(np.float32))

        near = time_s[after] - time_s[before] <= self.longest_s
        # Between two sightings a point is as sure as the less sure one; at a sighting, as that one.
        first, second = confidence[before], confidence[after]
        known = np.where(near[:, None], np.minimum(first, second), 0.0)
        known = np.where(share[:, None] < AT_ONE, first, known)
        known = np.where(share[:, None] > 1 - AT_ONE, second, known)
        sure = torch.from_numpy(known).float()
        return Keypoints(between(self.sightings.rays), sure, between(self.sightings.landmarks_m))
