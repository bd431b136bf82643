"""Clips with measured joints: the user's own, and the two views of `pose2sim_single`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.bench.configurations import BLAZEPOSE, Configuration
from pipeline.bench.joint_scores import JointScore, body_points, own_landmarks, score_joints
from pipeline.bench.joint_truth import JointTruth
from pipeline.bench.running import Runner

OWN_LANDMARKS = "BlazePose's own 3D"
PARTS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
SIDES = {"left": "L", "right": "R"}
POSE2SIM_CAMERAS = (1, 4)
POSE2SIM_FILTER_HZ = 6.0
"""The reference is triangulated and noisy: gait has little above this (Winter 2009)."""


@dataclass(frozen=True)
class ClipScore:
    """One configuration, or the detector's own landmarks, on one clip."""

    clip: str
    configuration: str
    score: JointScore
    frames: int
    seconds: float


def score_clip(
    clip: Path,
    name: str,
    truth: JointTruth,
    chosen: Sequence[Configuration],
    runner: Runner,
) -> list[ClipScore]:
    """BlazePose's own landmarks, then every configuration, told the focal length.

    Raises:
        InputError: the clip cannot be read.
    """
    blazepose = Configuration("blazepose", chosen[0].config, (*chosen[0].overrides, *BLAZEPOSE))
    extra = [f"camera.focal_px={float(truth.K_px[0, 0])}"]
    runs = runner.each(clip, name, [blazepose, *chosen], extra)
    at = truth.at(runs[0].time_s)
    own = own_landmarks(at, runs[0].tracked, runs[0].body)
    first = runs[0]
    scores = [
        ClipScore(name, OWN_LANDMARKS, score_joints(at, own), len(first.time_s), first.seconds)
    ]
    for run in runs[1:]:
        result = score_joints(at, body_points(at, run.people, run.body))
        scores.append(ClipScore(name, run.configuration, result, len(run.time_s), run.seconds))
    return scores


def pose2sim_truth(folder: Path, camera_number: int) -> JointTruth:
    """12 limb joints of the calibrated recording as camera 1, 2, 3 or 4 sees them; 60 fps.

    Triangulated from four cameras, good to 2 to 3 cm. X_camera = R X_world + t.
    """
    joints = tuple(f"{side}_{part.lower()}" for part in PARTS for side in SIDES)
    with np.load(folder / "gt3d_single.npz") as file:
        names = list(file["joint_names"])
        columns = [names.index(f"{letter}{part}") for part in PARTS for letter in SIDES.values()]
        world_m = file["joints3d_world_zup_m"][:, columns]
        rotmat, t_m = file["R_w2c"][camera_number - 1], file["t_w2c"][camera_number - 1]
        K_px = file["K"][camera_number - 1]
    return JointTruth(joints, world_m @ rotmat.T + t_m, K_px, None, "landmarks", POSE2SIM_FILTER_HZ)


def score_pose2sim(
    folder: Path, chosen: Sequence[Configuration], runner: Runner
) -> list[ClipScore]:
    """Both views."""
    scores = []
    for number in POSE2SIM_CAMERAS:
        clip = folder / "videos" / f"cam{number:02d}.mp4"
        truth = pose2sim_truth(folder, number)
        scores += score_clip(clip, f"pose2sim_cam{number}", truth, chosen, runner)
    return scores
