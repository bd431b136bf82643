"""PHALP's pickle, read with Python's own `pickle`, and its camera undone."""

import pickle
from pathlib import Path

import numpy as np

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import (
    CAMERA,
    forward_kinematics,
    made_up_people,
    made_up_video,
)
from pipeline.body_file import EMBEDDED_PATH

FOCAL_OF_256 = 5000.0 / 256


def read(paths: list[Path]) -> list[Reading]:
    """Everybody; where a body stands, told back to the camera that was used."""
    with paths[0].open("rb") as file:
        frames = pickle.load(file)
    ids = sorted({tid for frame in frames.values() for tid in frame["tid"]})
    return [_person(frames, tid) for tid in ids]


def _person(frames: dict, tid: int) -> Reading:
    seen = [(f, f["tid"].index(tid)) for f in frames.values() if tid in f["tid"]]
    index = np.array([frame["time"] for frame, _ in seen])
    smpl = [frame["smpl"][at] for frame, at in seen]
    turns = np.stack([np.concatenate([s["global_orient"], s["body_pose"]]) for s in smpl])
    with np.load(EMBEDDED_PATH) as file:
        rest = file["v_template"] + file["shapedirs"].astype(np.float64) @ smpl[0]["betas"]
        joints_rest_m = file["J_regressor"].astype(np.float64) @ rest
    turns, joints_m = forward_kinematics(joints_rest_m, turns.astype(np.float64))
    place_m = np.stack([_place_m(frame["camera"][at], frame["size"][at]) for frame, at in seen])
    first = next(p.frame_index[0] for p in made_up_people() if p.id == tid)
    video = made_up_video()
    return Reading(
        person_id=tid,
        rows=index - first,
        time_s=video.time_s[index - video.first_frame],
        up="camera",
        joints_m=joints_m + place_m[:, None],
        rotmat=turns,
    )


def _place_m(camera: np.ndarray, size_hw: list[int]) -> np.ndarray:
    """From PHALP's focal length to the true one: the same size and pixel in the picture."""
    height, width = size_hw
    x, y, z = camera.astype(np.float64)
    focal_px = FOCAL_OF_256 * max(width, height)
    u, v = focal_px * x / z + width / 2, focal_px * y / z + height / 2
    K = CAMERA.K_px
    depth = z * K[0, 0] / focal_px
    return np.array([(u - K[0, 2]) / K[0, 0] * depth, (v - K[1, 2]) / K[1, 1] * depth, depth])
