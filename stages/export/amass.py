"""AMASS: one .npz per person, as Blender's SMPL add-ons and readers of AMASS take it.

z up by AMASS's habit. What AMASS has no name for is added: `time_s`, `status`, `frame_index`.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import write_npz
from pipeline.take import Take, mean_fps
from pipeline.types import Person

UPS = ("z", "y")
FILLS_GAPS = True
SMPLH_HAND_JOINTS = 30
SMPL_BODY_JOINTS = 22


class Config(BackendConfig):
    """How many joints."""

    joints: Literal["smpl", "smplh"] = "smpl"
    """`smpl`: 24, as the body has them; `smplh`: 22 and 30 of the hands, at rest (156 numbers)."""


class Backend:
    """Writes `<take>_person_NNN.npz`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file per person."""
        return [self._write(take, person, folder / "amass") for person in take.people]

    def _write(self, take: Take, person: Person, folder: Path) -> Path:
        motion, fps = take.smpl(person), mean_fps(person.time_s)
        path = folder / f"{take.file_stem(person)}.npz"
        arrays: dict[str, Any] = {
            "poses": self._poses(motion.pose_rotvec),
            "trans": motion.t_m,
            "betas": person.betas.astype(np.float64),
            "gender": "neutral",
            "mocap_framerate": fps,
            "mocap_frame_rate": fps,
            "up_axis": take.up,
            "body_model": take.body.name,
            "frame_index": person.frame_index,
            "time_s": person.time_s,
            "status": person.status,
        }
        write_npz(path, arrays)
        return path

    def _poses(self, pose_rotvec: np.ndarray) -> np.ndarray:
        flat = pose_rotvec.reshape(len(pose_rotvec), -1)
        if self.config.joints == "smpl":
            return flat
        hands = np.zeros((len(flat), 3 * SMPLH_HAND_JOINTS))
        return np.concatenate([flat[:, : 3 * SMPL_BODY_JOINTS], hands], axis=1)
