"""AMASS files, read with NumPy alone and posed by `truth.forward_kinematics`."""

from pathlib import Path

import numpy as np

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import forward_kinematics, rotmats
from pipeline.body_file import EMBEDDED_PATH


def read(paths: list[Path]) -> list[Reading]:
    """One file per person; the times from the frame rate, as AMASS's readers have it."""
    with np.load(EMBEDDED_PATH) as file:
        body = {
            key: file[key].astype(np.float64) for key in ("v_template", "shapedirs", "J_regressor")
        }
    return [_read(path, body) for path in paths]


def _read(path: Path, body: dict[str, np.ndarray]) -> Reading:
    with np.load(path, allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    assert data["mocap_framerate"] == data["mocap_frame_rate"]
    rest_m = body["v_template"] + body["shapedirs"] @ data["betas"]
    pose = data["poses"].reshape(len(data["poses"]), -1, 3)
    turns, joints_m = forward_kinematics(body["J_regressor"] @ rest_m, rotmats(pose))
    rows = np.arange(len(pose))
    return Reading(
        person_id=int(path.stem[-3:]),
        rows=rows,
        time_s=data["time_s"][0] + rows / data["mocap_framerate"],
        up="z",
        joints_m=joints_m + data["trans"][:, None],
        rotmat=turns,
        upright_rest=False,
    )
