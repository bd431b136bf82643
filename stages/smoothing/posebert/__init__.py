"""PoseBERT (Baradel et al., TPAMI 2022): a network that has learnt human motion.

It takes away the slow wandering of poses that no filter can, and fills hidden frames; the place is
smoothed as `whittaker` does. Our own weights come with the project: there the filter of `whittaker`
takes the fast noise away and the network says by how much every joint should turn from there.
The official weights (`smoothing.posebert.weights=official`, after `humans4d models add posebert
FILE`) get the poses as they are, as published.
"""

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64
from pydantic import Field

from pipeline import weights
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.licences import Licence
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from stages.smoothing._grid import Grid, smooth_place
from stages.smoothing._person_smoother import PersonSmoother, SmootherConfig, Stretch
from stages.smoothing.posebert.frame_rate import Sampled, read_at, sampled_at
from stages.smoothing.posebert.network import PoseBert, network_with, shapes, shared_names, sizes_in
from stages.smoothing.posebert.own_weights import read_own
from stages.smoothing.posebert.prefilter import prefiltered, turned_by
from stages.smoothing.posebert.windows import WINDOW, blended_windows, one_window_per_frame

OFFICIAL = "official"
OWN_LICENCE = Licence(
    "PoseBERT weights of this project, trained on motion from mocap.cs.cmu.edu",
    "Apache-2.0",
    commercial=True,
)
OFFICIAL_LICENCE = Licence(
    "PoseBERT weights",
    "CC BY-NC-SA 4.0 (Naver); trained on AMASS, which is for research only",
    commercial=False,
)
OUTLIER_RATIO, OUTLIER_WINDOW_S = 5.0, 0.5
"""Of the place, as in `whittaker`."""


class Config(SmootherConfig):
    """Settings of `posebert`. It computes in float32, as published."""

    weights: str | None = None
    """None: our own; official: those that `humans4d models add` put away; else a file: an official
    checkpoint, or what `train` saved."""
    windows: Literal["blended", "official"] = "blended"
    """blended: overlapping windows, averaged; official: one per frame, many times slower."""
    stride: int = Field(default=16, gt=0, lt=WINDOW)
    """Frames from window to window, when blended."""
    cutoff_hz: float = Field(default=3.0, gt=0)
    """Of the filter before our own network (`rotation_cutoff_hz` of `whittaker`)."""
    spread: float = Field(default=3.0, ge=1)
    """As in `whittaker`, of the filter before our own network."""
    correction_cutoff_hz: float = Field(default=1.0, gt=0)
    """Of what our own network changes of the filtered motion."""
    fps: float = Field(default=30.0, gt=0)
    """Rate of the motion that the weights were trained on; other videos are resampled."""
    max_gap_s: float = Field(default=1.0, ge=0, le=2.0)
    """Longest time from sighting to sighting that is filled; a window must see some frames."""
    place_cutoff_hz: float = Field(default=4.0, gt=0)
    """Of the place in the picture (the ray from the camera)."""
    depth_cutoff_hz: float = Field(default=1.5, gt=0)
    """Of the logarithm of the distance along the camera's axis."""


def licences(config: Config) -> tuple[Licence, ...]:
    """What the chosen weights allow."""
    if config.weights is None:
        return (OWN_LICENCE,)
    if config.weights == OFFICIAL:
        return (OFFICIAL_LICENCE,)
    terms = f"as its owner says; the official ones: {OFFICIAL_LICENCE.licence}"
    return (Licence(f"PoseBERT weights {Path(config.weights).name}", terms, commercial=False),)


def checkpoint_layout() -> Layout:
    """What the official checkpoint, or one of another size, must hold."""
    return Layout(
        "PoseBERT",
        shapes(),
        containers=("model_state_dict",),
        sized_by=lambda found: shapes(sizes=sizes_in(found)),
    )


class Backend(PersonSmoother):
    """Poses through the network, the place through the smoother of `whittaker`."""

    config: Config
    least_frames = 4

    def __init__(self, config: Config, context: Context) -> None:
        super().__init__(config, context)
        given = None if config.weights == OFFICIAL else config.weights
        own = config.weights is None
        self._weights_path = None if own else weights.chosen_path("posebert", given)

    @cached_property
    def network(self) -> PoseBert:
        """The network with our own weights or the user's.

        Raises:
            InputError: the file is another network's.
        """
        if self._weights_path is None:
            return network_with(read_own()).to(self.context.device)
        tensors = read_checkpoint(self._weights_path, checkpoint_layout())
        depth = sizes_in({name: tuple(t.shape) for name, t in tensors.items()}).depth
        for alias, first in shared_names(depth).items():
            if not torch.equal(tensors[alias], tensors[first]):
                raise InputError(
                    f"{self._weights_path}: does not fit PoseBERT: '{alias}' differs from "
                    f"'{first}', yet all layers share one regressor"
                )
        return network_with(tensors).to(self.context.device)

    def smooth_pose(self, stretch: Stretch) -> Float64[np.ndarray, "t 24 3"]:
        """Frames that were not seen are hidden from the network, and filled by it."""
        if self.network.init_pose is None:
            return self._corrected(stretch)
        given = sampled_at(self.config.fps, stretch.time_s, stretch.pose_rotvec, stretch.seen)
        return read_at(stretch.time_s, given.time_s, self._through_network(given))

    def _corrected(self, stretch: Stretch) -> Float64[np.ndarray, "t 24 3"]:
        """Filtered, and turned as the network would have it."""
        config, time_s = self.config, stretch.time_s
        start = prefiltered(
            time_s, stretch.pose_rotvec, stretch.weights, config.cutoff_hz, config.spread
        )
        given = sampled_at(config.fps, time_s, start, stretch.seen, guessed=True)
        if len(given.time_s) < self.least_frames:
            return start
        out = self._through_network(given)
        return turned_by(time_s, start, given, out, config.correction_cutoff_hz)

    def _through_network(self, given: Sampled) -> Float64[np.ndarray, "n 24 3"]:
        rotmat = rotvec_to_rotmat(torch.from_numpy(given.rotvec)).float().to(self.context.device)
        seen = torch.from_numpy(given.seen).to(self.context.device)
        if self.config.windows == "official":
            smooth = one_window_per_frame(self.network, rotmat, seen)
        else:
            smooth = blended_windows(self.network, rotmat, seen, self.config.stride)
        return rotmat_to_rotvec(smooth.double().cpu()).numpy()

    def smooth_pelvis(self, stretch: Stretch) -> Float64[np.ndarray, "t 3"]:
        """Along the ray and along log depth."""
        grid = Grid(stretch.time_s, stretch.weights, OUTLIER_RATIO, OUTLIER_WINDOW_S)
        config = self.config
        return smooth_place(stretch.pelvis_m, grid, config.place_cutoff_hz, config.depth_cutoff_hz)
