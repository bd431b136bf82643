"""The pickle of PHALP and 4DHumans: a dict of frames, each with lists of who is there.

In the picture's axes (y down). As there, places are for a focal length of 5000 px in a picture of
256 px: depths are some twenty times the true ones. Frames in which a person is missing do not list
it. Written by the standard pickle, of plain numbers and arrays alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.backends import BackendConfig
from pipeline.camera import intrinsics, project, translation_through
from pipeline.context import Context
from pipeline.joint_sets import joints44_m
from pipeline.rotations import rotvec_to_rotmat
from pipeline.take import Take
from pipeline.types import Person, Status
from stages.export._boxes import boxes_xyxy_px
from stages.export._legacy_pickle import write_pickle

UPS = ()
FILLS_GAPS = False
FOCAL_PX, PICTURE_PX = 5000.0, 256.0
BOX_WIDTH, BOX_HEIGHT = 192.0, 256.0
FILLED = -1
"""PHALP's `tracked_time` of a body that was put in afterwards."""


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Writes `demo_<take>.pkl`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file with everybody."""
        frames = {int(i): _Frame(take, int(i)) for i in take.frame_index}
        for person in take.people:
            for row, entry in _entries(take, person):
                frames[int(person.frame_index[row])].add(person.id, entry)
        path = folder / "phalp" / f"demo_{take.name}.pkl"
        write_pickle(path, {frame.path: frame.content for frame in frames.values()})
        return [path]


class _Frame:
    """One frame's lists."""

    def __init__(self, take: Take, index: int) -> None:
        self.path = f"outputs/_DEMO/{take.name}/img/{index + 1:06d}.jpg"
        names = ("tracked_ids", "tracked_bbox", "tid", *_KEYS)
        lists: dict[str, Any] = {name: [] for name in names}
        self.size = [take.height_px, take.width_px]
        self.content = {"time": index, "shot": 0, "frame_path": self.path, **lists}

    def add(self, person_id: int, entry: dict[str, Any]) -> None:
        content = self.content
        if entry["tracked_time"] == 0:
            content["tracked_ids"].append(person_id)
            content["tracked_bbox"].append(entry["bbox"])
        place = {"size": self.size, "img_path": self.path, "img_name": Path(self.path).name}
        mask = [{"size": self.size, "counts": _empty_mask(*self.size)}]
        common = {"class_name": 0, "annotations": [], "mask": mask, "extra_data": None}
        content["tid"].append(person_id)
        for key, value in {**entry, **place, **common}.items():
            content[key].append(value)


_KEYS = (
    *("bbox", "tracked_time", "center", "scale", "size", "img_path", "img_name", "class_name"),
    *("conf", "annotations", "smpl", "camera", "camera_bbox", "3d_joints", "2d_joints", "mask"),
    "extra_data",
)


def phalp_camera_px(width_px: int, height_px: int) -> np.ndarray:
    """The camera that PHALP's places are for, in pixels of the picture."""
    longer_px = max(width_px, height_px)
    return intrinsics(FOCAL_PX / PICTURE_PX * longer_px, width_px, height_px)


def _entries(take: Take, person: Person) -> Iterator[tuple[int, dict[str, Any]]]:
    K_px, longer_px = phalp_camera_px(take.width_px, take.height_px), _longer_px(take)
    place_m = translation_through(person.t_camera_m, take.camera.K_px, K_px)
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec.astype(np.float64)))
    joints_m = _joints45_m(take, person, rotmat)
    boxes, _ = boxes_xyxy_px(take, person)
    K_square_px = intrinsics(K_px[0, 0], longer_px, longer_px)
    for row in np.flatnonzero(person.drawn):
        centre, side_px = _padded(boxes[row])
        seen = project(joints_m[row] + place_m[row], K_square_px) / longer_px
        yield (
            int(row),
            {
                "bbox": np.concatenate([boxes[row, :2], boxes[row, 2:] - boxes[row, :2]]),
                "tracked_time": 0 if person.status[row] == Status.OBSERVED else FILLED,
                "center": centre.astype(np.float64),
                "scale": float(side_px / longer_px),
                "conf": float(person.confidence[row]),
                "smpl": {
                    "global_orient": rotmat[row, :1].numpy().astype(np.float32),
                    "body_pose": rotmat[row, 1:].numpy().astype(np.float32),
                    "betas": person.betas.astype(np.float32),
                },
                "camera": place_m[row].astype(np.float32),
                "camera_bbox": _crop_camera(place_m[row], centre, side_px, K_px),
                "3d_joints": joints_m[row].astype(np.float32),
                "2d_joints": seen.reshape(-1).astype(np.float32),
            },
        )


def _longer_px(take: Take) -> int:
    return max(take.width_px, take.height_px)


def _joints45_m(take: Take, person: Person, rotmat: torch.Tensor) -> np.ndarray:
    """HMR2.0's 44 joints and a row of zeros, without the body's place."""
    joints_m = joints44_m(take.shaped(person).with_pose(pose_rotmat=rotmat)).numpy()
    return np.concatenate([joints_m, np.zeros((len(joints_m), 1, 3))], axis=1)


def _padded(box_xyxy_px: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre, and longer side when the box is widened to HMR2.0's three to four."""
    width_px, height_px = box_xyxy_px[2:] - box_xyxy_px[:2]
    centre = (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2
    return centre, float(max(height_px, width_px * BOX_HEIGHT / BOX_WIDTH))


def _crop_camera(
    place_m: np.ndarray, centre_px: np.ndarray, side_px: float, K_px: np.ndarray
) -> np.ndarray:
    """Scale and shift in the square crop, from which HMR2.0 reckons the place."""
    scale = 2 * K_px[0, 0] / (side_px * place_m[2])
    shift = place_m[:2] - 2 * (centre_px - K_px[:2, 2]) / (side_px * scale)
    return np.array([scale, *shift], dtype=np.float32)


def _empty_mask(height_px: int, width_px: int) -> str:
    """COCO's run-length code of a mask with nothing in it: one run, in groups of five bits."""
    left, code = height_px * width_px, ""
    while True:
        bits, left = left & 0x1F, left >> 5
        more = left != 0 or bits & 0x10
        code += chr((bits | 0x20 if more else bits) + 48)
        if not more:
            return code
