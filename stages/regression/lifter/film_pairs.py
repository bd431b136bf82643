"""What BlazePose makes of people whose truth is known, for training and for its error model.

``python -m stages.regression.lifter.film_pairs MOTIONS OUT.npz [--clips N] [--seed S]``: parts of
the motion files are filmed with bodies, clothes, places and cameras by lot, somebody walking
through the picture now and then, and the detector looks at the pictures.
"""

import argparse
import itertools
import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from pipeline import backends
from pipeline.body import load_body
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.errors import MissingError, UserError
from pipeline.files import write_npz
from pipeline.frame import Frame
from pipeline.motion_clips import MotionWindows
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.cameras import FilmCamera
from pipeline.scenes.drawing import Picture, film
from pipeline.scenes.recordings import read_recording
from pipeline.scenes.scene import Scene, Truth, truth_of
from pipeline.scenes.specs import Procedural, Recorded, Role, SceneSpec
from pipeline.scenes.staging import PLACES, staged
from stages.regression.lifter.variety import unusual

LOGGER = logging.getLogger(__name__)
FRAMES, FPS = 90, 30.0
WIDTH_PX, HEIGHT_PX = 960, 540
BATCH_FRAMES = 20
LEAST_IOU = 0.3
PASSER_SHARE = 0.25
"""Clips in which somebody else walks through between camera and person."""
MOST_NOISE = 6.0
ROLL_SPREAD_DEG = 8.0
BODY_M = 1.8


@dataclass(frozen=True)
class Pairs:
    """One clip: the truth, and the detector's landmarks where it found the person."""

    truth: Truth
    keypoints_px: np.ndarray
    """(t, 33, 3); NaN where the person was not found."""
    landmarks_m: np.ndarray
    """(t, 33, 3) the detector's own guess in space; NaN likewise."""


def random_spec(name: str, seconds: float, frames: int, rng: np.random.Generator) -> SceneSpec:
    """A recorded part before a camera by lot; the person fills 25 to 95 % of the height."""
    focal = rng.uniform(0.75, 1.7)
    distance_m = BODY_M * focal * WIDTH_PX / HEIGHT_PX / rng.uniform(0.25, 0.95)
    depth_m = min(max(distance_m - 9.0, 0.0), 2.5)
    facing_deg = float(rng.uniform(-180, 180))
    start_s = float(rng.uniform(0, max(seconds - frames / FPS, 0.0)))
    middle = (0.0, -depth_m)
    roles = [Role(Recorded(name, start_s, facing_deg, middle), int(rng.integers(1 << 30)))]
    if rng.random() < PASSER_SHARE:
        side = rng.choice([-1.0, 1.0])
        near_m = middle[1] + min(1.2, 0.4 * distance_m)
        way = ((-1.8 * side, near_m), (1.8 * side, near_m + rng.uniform(-0.3, 0.3)))
        passer = Procedural("walk", way, 0.0, 1.2, float(rng.uniform(0, 2)))
        roles.append(Role(passer, int(rng.integers(1 << 30))))
    camera = CameraPlan(
        move=rng.choice(["static", "pan", "handheld"]),
        azimuth_deg=float(rng.uniform(-35, 35)),
        distance_m=float(distance_m + depth_m),
        height_m=float(rng.uniform(0.4, 1.2 + 0.45 * distance_m)),
        target_m=(float(rng.normal(0, 0.25)), float(rng.uniform(0.75, 1.05)), 0.0),
        travel_m=float(rng.uniform(-0.8, 0.8)),
        focal_of_width=float(focal),
        seed=int(rng.integers(1 << 30)),
    )
    return SceneSpec(
        f"{name} {rng.integers(1 << 30)}",
        "single",
        tuple(roles),
        min(frames / FPS, seconds),
        place=rng.choice(sorted(PLACES)),
        camera=camera,
        fps=FPS,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )


def filmed(scene: Scene, detector: Any, rng: np.random.Generator) -> Pairs:
    """Film a scene and look at it; the first person counts."""
    scene = replace(scene, camera=rolled(scene.camera, rng.normal(0, ROLL_SPREAD_DEG)))
    amount = rng.uniform(0, MOST_NOISE)
    pictures: list[Picture] = []
    found = []
    detector.restart()
    numbered = enumerate(film(scene))
    while batch := list(itertools.islice(numbered, BATCH_FRAMES)):
        pictures += [picture for _, picture in batch]
        frames = [_frame(i, picture.rgb, amount, rng) for i, picture in batch]
        found.append(detector(frames))
    truth = truth_of(
        scene,
        np.stack([p.boxes_xyxy_px for p in pictures], axis=1),
        np.stack([p.seen_share for p in pictures], axis=1),
    )
    keypoints_px, landmarks_m = np.full((2, len(pictures), 33, 3), np.nan, np.float32)
    for part in found:
        for frame in np.unique(part.frame_index):
            rows = np.flatnonzero(part.frame_index == frame)
            iou = box_iou(truth.boxes_xyxy_px[:, frame], part.boxes_xyxy_px[rows])
            best = int(iou[0].argmax())
            if iou[0, best] >= LEAST_IOU and iou[:, best].argmax() == 0:
                keypoints_px[frame] = part.landmarks_px[rows[best]]
                landmarks_m[frame] = part.landmarks_m[rows[best]]
    return Pairs(truth, keypoints_px, landmarks_m)


def in_unusual_poses(scene: Scene, seed: int) -> Scene:
    """The same scene, its first person leaning and with limbs turned further than recorded."""
    first, *others = scene.actors
    motion = MotionWindows(
        rotvec_to_rotmat(torch.from_numpy(first.motion.pose_rotvec).float())[None],
        torch.from_numpy(first.motion.t_world_m).float()[None],
    )
    rotmat = unusual(motion, torch.Generator().manual_seed(seed)).rotmat[0]
    pose_rotvec = rotmat_to_rotvec(rotmat).double().numpy()
    moved = replace(first, motion=replace(first.motion, pose_rotvec=pose_rotvec))
    return replace(scene, actors=(moved, *others))


def rolled(camera: FilmCamera, roll_deg: float) -> FilmCamera:
    """The same camera turned about its own axis."""
    turn = Rotation.from_rotvec([0.0, 0.0, np.radians(roll_deg)]).as_matrix()
    return replace(
        camera,
        rotmat_camera_world=turn @ camera.rotmat_camera_world,
        t_camera_world_m=camera.t_camera_world_m @ turn.T,
    )


def _frame(index: int, rgb: np.ndarray, noise: float, rng: np.random.Generator) -> Frame:
    noisy = rgb + noise * rng.standard_normal(rgb.shape, dtype=np.float32)
    picture = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
    return Frame(index, index / FPS, av.VideoFrame.from_ndarray(picture, format="rgb24"))


def arrays_of(clips: list[Pairs]) -> dict[str, np.ndarray]:
    """All clips one behind the other, the first person of each."""

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(clip.truth, name)[0] for clip in clips])

    return {
        "frames_of_clip": np.array([len(clip.keypoints_px) for clip in clips]),
        "betas": np.stack([clip.truth.betas[0] for clip in clips]),
        "K_px": np.stack([clip.truth.K_px for clip in clips]),
        "pose_rotvec": joined("pose_rotvec"),
        "pelvis_camera_m": joined("joints_camera_m")[:, 0],
        "seen_share": joined("seen_share"),
        "keypoints_px": np.concatenate([clip.keypoints_px for clip in clips]),
        "landmarks_m": np.concatenate([clip.landmarks_m for clip in clips]),
    }


def main(arguments: list[str]) -> int:
    """Film, look, save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=int, default=180)
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each clip, at 30 fps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--unusual", type=float, default=0.0, help="share of clips in poses made up"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        make_all(given.motions, given.out, given.clips, given.frames, given.seed, given.unusual)
    except UserError as error:
        parser.exit(2, f"{error}\n")
    return 0


def make_all(
    folder: Path, out: Path, count: int, frames: int, seed: int, unusual_share: float = 0.0
) -> None:
    """Every file in turn, in random order, until there are `count` clips.

    Raises:
        MissingError: the folder holds no motion.
    """
    rng, body = np.random.default_rng(seed), load_body()
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise MissingError(f"{folder}: holds no motion (.npz)")
    detector = backends.make(
        "detection", "blazepose", backends.make_config("detection", "blazepose", {}), Context()
    )
    order, clips = rng.permutation(len(paths)), []
    for number in range(count):
        path = paths[order[number % len(paths)]]
        spec = random_spec(path.stem, read_recording(path).end_s, frames, rng)
        scene = staged(spec, body, folder)
        if rng.random() < unusual_share:
            scene = in_unusual_poses(scene, int(rng.integers(1 << 30)))
        clips.append(filmed(scene, detector, rng))
        share = np.isfinite(clips[-1].keypoints_px[:, 0, 0]).mean()
        LOGGER.info("%d of %d: %s, found in %.0f %%", number + 1, count, path.stem, 100 * share)
    write_npz(out, arrays_of(clips))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
