"""The fit to COCO's 17 keypoints, which come without 3D landmarks."""

from dataclasses import replace

import numpy as np
import torch

from pipeline.context import Context
from pipeline.metrics import jitter_m_s3, mpjpe_mm
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.types import Status
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.coco17 import as_blazepose
from stages.refinement.smplify.dofs import make_dofs
from tests.stages.refinement.moving_body import CAMERA, SITES, joints_of, walk

PLACES = BLAZEPOSE33.indices(*COCO17.points)


def _seen_by_yolo(person, pixels, seed=0):
    """COCO's keypoints with errors; the body as a regressor gives it: off for good and by frame."""
    rng = np.random.default_rng(seed)
    keypoints_px = person.keypoints_px[:, PLACES].copy()
    keypoints_px[..., :2] += rng.normal(0, pixels, keypoints_px[..., :2].shape)
    dofs = make_dofs()
    ways = dofs.count - 3
    off = torch.from_numpy(rng.normal(0, 0.1, ways) + rng.normal(0, 0.1, (len(person), ways)))
    pose = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    pose = pose @ rotvec_to_rotmat(dofs.local_turns(off))
    place = person.t_camera_m + rng.normal(0, [0.05, 0.05, 0.3], person.t_camera_m.shape)
    return replace(
        person,
        skeleton=COCO17.name,
        keypoints_px=keypoints_px,
        landmarks_m=None,
        pose_rotvec=rotmat_to_rotvec(pose).numpy().astype(np.float32),
        t_camera_m=place.astype(np.float32),
    )


def test_keypoints_bring_a_regressed_body_closer_and_calm_it():
    truth = walk(seconds=1.5).person
    start = _seen_by_yolo(truth, pixels=3.0)
    status = start.status.copy()
    status[20:24] = Status.MISSING
    start.keypoints_px[20:24] = np.nan
    start = replace(start, status=status)
    context = Context()
    (fit,) = Backend(Config(), context)((start,), CAMERA)
    error = [mpjpe_mm(joints_of(person), joints_of(truth)) for person in (start, fit)]
    print(error)
    assert error[1] < 0.4 * error[0]
    jitter = [jitter_m_s3(joints_of(person), truth.time_s) for person in (start, fit)]
    assert jitter[1] < 0.05 * jitter[0]
    assert not [event for event in context.events.events if event.kind != "info"]
    assert fit.skeleton == COCO17.name and fit.landmarks_m is None
    assert np.array_equal(fit.keypoints_px, start.keypoints_px, equal_nan=True)
    assert np.array_equal(fit.status, status)


def test_the_body_stands_in_for_landmarks_that_nobody_gave():
    truth = walk(seconds=0.3).person
    person = replace(
        truth,
        skeleton=COCO17.name,
        keypoints_px=truth.keypoints_px[:, PLACES],
        landmarks_m=None,
    )
    full = as_blazepose(person, SITES)
    assert np.allclose(full.landmarks_m, truth.landmarks_m, atol=1e-5)
    assert np.array_equal(full.keypoints_px[:, PLACES], person.keypoints_px)
    unmarked = np.setdiff1d(np.arange(33), PLACES)
    assert len(unmarked) == 16
    assert (full.keypoints_px[:, unmarked] == 0).all(), "of no visibility"
