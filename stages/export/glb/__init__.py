"""GLB (binary glTF 2.0): everybody as skinned, animated bodies, and the camera that saw them.

y up, metres, seconds from the take's first frame. A person is hidden, by scale, in frames where
nobody knows where it is.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pipeline import __version__
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.rotations import rotmat_to_quat_wxyz
from pipeline.take import LEVEL_CAMERA, Take
from stages.export._bends import tell_lost_bends
from stages.export._names import Naming
from stages.export.glb.character import add_person
from stages.export.glb.container import Glb

UPS = ("y",)
FILLS_GAPS = False
NEAREST_M = 0.05


class Config(BackendConfig):
    """One file or several; names of the bones."""

    split: bool = False
    """A file per person instead of one with everybody."""
    names: Naming = "smpl"


class Backend:
    """Writes `<take>.glb`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file with everybody, or one per person."""
        tell_lost_bends(take, "glb", self.context)
        if not self.config.split:
            return [self._write(take, folder / "glb" / f"{take.name}.glb")]
        return [
            self._write(replace(take, people=(p,)), folder / "glb" / f"{take.file_stem(p)}.glb")
            for p in take.people
        ]

    def _write(self, take: Take, path: Path) -> Path:
        glb = Glb()
        roots, animation = [_add_camera(glb, take)], _Animation(take.name)
        for person in take.people:
            nodes, tracks = add_person(glb, take, person, self.config.names)
            roots += nodes
            for track in tracks:
                animation.add(track)
        glb.add("animations", animation.entry)
        content = glb.to_bytes(_asset(take), roots)
        with written_aside(path) as aside:
            aside.write_bytes(content)
        return path


class _Animation:
    """glTF's animation: every channel names its sampler by number."""

    def __init__(self, name: str) -> None:
        self.entry: dict[str, Any] = {"name": name, "channels": [], "samplers": []}

    def add(self, track: dict[str, Any]) -> None:
        number = len(self.entry["samplers"])
        self.entry["samplers"].append(track["sampler"])
        self.entry["channels"].append({"sampler": number, "target": track["target"]})


def _add_camera(glb: Glb, take: Take) -> int:
    """The video's camera; glTF's looks along -z with y up, as ours does in y-up axes."""
    half_high = take.height_px / 2 / take.camera.K_px[1, 1]
    view = {
        "yfov": 2 * math.atan(half_high),
        "aspectRatio": take.width_px / take.height_px,
        "znear": NEAREST_M,
    }
    camera = glb.add("cameras", {"name": "video", "type": "perspective", "perspective": view})
    node = {"name": "camera", "camera": camera, "translation": list(take.shift_m)}
    # glTF's camera looks along its own -z with y up: turned as a level one is, and then as ours.
    turn = torch.from_numpy(take.from_camera @ LEVEL_CAMERA.T)
    w, x, y, z = rotmat_to_quat_wxyz(turn).tolist()
    return glb.add("nodes", {**node, "rotation": [x, y, z, w]})


def _asset(take: Take) -> dict[str, Any]:
    facts = {
        "source_video": take.source_video,
        "first_frame": int(take.frame_index[0]),
        "first_s": float(take.time_s[0]),
        "fps": take.fps,
        "body_model": take.body.name,
    }
    return {"generator": f"humans4d {__version__}", "extras": facts}
