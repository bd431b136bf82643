"""Real 3D error on the two pose2sim views: python -m benchmarks.pose2sim [--data DIR].

One man on a treadmill, 60 fps, against 12 limb joints triangulated by OpenPose from four cameras
(good to 2 to 3 cm). Compared are, from one run of the project's own detector with the focal length
given: BlazePose's own 3D landmarks, the body of `landmarks`, of `smplify` and after smoothing.

Like for like: a body is read at the sites of the shoulder, elbow, wrist, hip, knee and ankle
landmarks (`pipeline.landmark_sites`), which are what both BlazePose and OpenPose mark, not at
SMPL's joints; the rows "SMPL joints" show what the joints themselves give. PA-MPJPE after the best
similarity of each frame; MPJPE with the midpoint between the hips laid upon the true one.
"""

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pipeline import backends
from pipeline.body import load_body
from pipeline.camera import make_camera
from pipeline.context import Context
from pipeline.landmark_sites import PosedSites
from pipeline.metrics import acceleration_error_mm_s2, mpjpe_mm, pa_mpjpe_mm
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, SMPL24
from pipeline.types import Bodies, Camera, Detections, Person, Video
from pipeline.video import open_video, read_frames

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "pose2sim_single"
PARTS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
JOINTS = [f"{side}_{part.lower()}" for part in PARTS for side in ("left", "right")]
TRUE_NAMES = [f"{side}{part}" for part in PARTS for side in ("L", "R")]
HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]
BATCH_FRAMES = 20


@dataclass(frozen=True)
class Truth:
    """The 12 joints in one camera's axes."""

    joints_m: np.ndarray
    focal_px: float


def read_truth(folder: Path, camera_number: int) -> Truth:
    """Joints of the calibrated recording seen by camera 1, 2, 3 or 4."""
    with np.load(folder / "gt3d_single.npz") as file:
        names = list(file["joint_names"])
        world_m = file["joints3d_world_zup_m"][:, [names.index(name) for name in TRUE_NAMES]]
        rotmat, t_m = file["R_w2c"][camera_number - 1], file["t_w2c"][camera_number - 1]
        focal_px = float(file["K"][camera_number - 1][0, 0])
    return Truth(world_m @ rotmat.T + t_m, focal_px)


def perceive(video: Video, camera: Camera, context: Context) -> tuple[Detections, Bodies]:
    """Everybody in every frame, and their bodies."""
    detector = _make("detection", "blazepose", context)
    regressor = _make("regression", "landmarks", context)
    frames = read_frames(video)
    detections, bodies = [], []
    while batch := list(itertools.islice(frames, BATCH_FRAMES)):
        detections.append(detector(batch))
        bodies.append(regressor(batch, detections[-1], camera))
    return _concatenated(detections), _concatenated(bodies)


def _make(stage: str, name: str, context: Context) -> object:
    return backends.make(stage, name, backends.make_config(stage, name, {}), context)


def _concatenated(parts: list) -> object:
    first = parts[0]
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name, value in vars(first).items()
        if isinstance(value, np.ndarray)
    }
    return type(first)(**{**vars(first), **fields})


def sites_m(person: Person, sites: PosedSites) -> np.ndarray:
    """(t, 12, 3) landmark sites of a person's body, body-centred."""
    pose = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    betas = torch.from_numpy(person.betas).double().expand(len(pose), 10)
    return sites.places(pose, betas).numpy()[:, BLAZEPOSE33.indices(*JOINTS)]


def smpl_joints_m(person: Person, sites: PosedSites) -> np.ndarray:
    """(t, 12, 3) SMPL joints of a person's body, body-centred."""
    pose = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    shaped = sites.body.with_shape(torch.from_numpy(person.betas).double())
    return shaped.with_pose(pose_rotmat=pose).joints_m.numpy()[:, SMPL24.indices(*JOINTS)]


def show(name: str, found_m: np.ndarray, truth: Truth, person: Person) -> None:
    """One line of the table."""
    true_m = truth.joints_m[person.frame_index]
    valid = person.observed & np.isfinite(true_m).all((1, 2)) & np.isfinite(found_m).all((1, 2))
    found_m, true_m = np.nan_to_num(found_m), np.nan_to_num(true_m)
    t_m = (true_m - found_m)[:, HIPS].mean(1, keepdims=True)
    accel = acceleration_error_mm_s2(found_m + t_m, true_m, person.time_s, valid=valid) / 1000
    print(
        f"  {name:34s} PA-MPJPE {pa_mpjpe_mm(found_m, true_m, valid=valid):6.1f} mm   "
        f"MPJPE {mpjpe_mm(found_m, true_m, valid=valid, root=HIPS):6.1f} mm   "
        f"acceleration error {accel:6.1f} m/s2   frames {int(valid.sum())}"
    )


def measure(folder: Path, camera_number: int) -> None:
    """The table of one camera."""
    context, truth = Context(), read_truth(folder, camera_number)
    video = open_video(folder / "videos" / f"cam{camera_number:02d}.mp4", events=context.events)
    camera = make_camera(video, truth.focal_px, None, context.events)
    detections, bodies = perceive(video, camera, context)
    people = _make("tracking", "sort", context)(video, detections, bodies, camera)
    person = max(people, key=lambda one: _height_px(one) * int(one.observed.sum()))
    sites = PosedSites(load_body(context.body_model))
    print(f"camera {camera_number}: {len(people)} people, the largest counts")
    own_m = person.landmarks_m[:, BLAZEPOSE33.indices(*JOINTS)].astype(np.float64)
    show("BlazePose's own 3D landmarks", own_m, truth, person)
    show("landmarks", sites_m(person, sites), truth, person)
    (fitted,) = _make("refinement", "smplify", context)((person,), camera)
    show("smplify", sites_m(fitted, sites), truth, fitted)
    show("smplify, SMPL joints", smpl_joints_m(fitted, sites), truth, fitted)
    if "whittaker" in backends.names("smoothing"):
        (smooth,) = _make("smoothing", "whittaker", context)((fitted,))
        show("smplify + whittaker", sites_m(smooth, sites), truth, smooth)
        show("smplify + whittaker, SMPL joints", smpl_joints_m(smooth, sites), truth, smooth)
    for event in (e for e in context.events.events if e.stage == "refinement"):
        print(f"  {event.message}")


def _height_px(person: Person) -> float:
    return float(np.nanmedian(person.boxes_xyxy_px[:, 3] - person.boxes_xyxy_px[:, 1]))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4])
    args = parser.parse_args()
    for camera_number in args.cameras:
        measure(args.data, camera_number)


if __name__ == "__main__":
    main()
