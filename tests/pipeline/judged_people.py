"""People whose motion is known, as a detector without errors would find them."""

from dataclasses import replace

import numpy as np

from pipeline.body import load_body
from pipeline.camera import project
from pipeline.judging.posed import pose_person
from pipeline.scenes.library import crossing
from pipeline.scenes.scene import Truth, truth_of
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Camera, Person, Status


def true_scene(seconds: float = 4.0) -> Truth:
    """Two people who walk and cross before a camera that stands."""
    scene = crossing(load_body(), seconds=seconds)
    frames = len(scene)
    still = replace(
        scene.camera,
        rotmat_camera_world=np.repeat(scene.camera.rotmat_camera_world[:1], frames, axis=0),
        t_camera_world_m=np.repeat(scene.camera.t_camera_world_m[:1], frames, axis=0),
    )
    shape = (2, frames)
    return truth_of(
        replace(scene, camera=still),
        np.zeros((*shape, 4), np.float32),
        np.ones(shape, np.float32),
    )


def found_people(truth: Truth) -> tuple[Person, ...]:
    """Everybody found in every frame, with landmarks exactly where the body carries them."""
    people = []
    for row in range(len(truth.betas)):
        frames = len(truth.time_s)
        bare = Person(
            id=row + 1,
            frame_index=np.arange(frames, dtype=np.int32),
            time_s=truth.time_s,
            status=np.full(frames, Status.OBSERVED, np.uint8),
            confidence=np.full(frames, 0.9, np.float32),
            pose_rotvec=truth.pose_rotvec[row],
            betas=truth.betas[row],
            t_camera_m=truth.t_camera_m[row],
            boxes_xyxy_px=np.zeros((frames, 4), np.float32),
        )
        marks_px = project(pose_person(bare, load_body()).sites_m, truth.K_px)
        seen = np.concatenate([marks_px, np.ones((*marks_px.shape[:2], 1))], axis=2)
        boxes = np.concatenate([marks_px.min(axis=1), marks_px.max(axis=1)], axis=1)
        people.append(
            replace(
                bare,
                skeleton=BLAZEPOSE33.name,
                keypoints_px=seen.astype(np.float32),
                boxes_xyxy_px=boxes.astype(np.float32),
            )
        )
    return tuple(people)


def camera_of(truth: Truth) -> Camera:
    return Camera(truth.K_px, "given")
