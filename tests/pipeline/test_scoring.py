"""What the score of a film adds to the pose: foot slide, jitter, skin, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.bench.scenes import pooled
from pipeline.body import load_body
from pipeline.scenes.cameras import look_at
from pipeline.scenes.clothes import Outfit
from pipeline.scenes.motions import walk
from pipeline.scenes.place import street
from pipeline.scenes.scene import Actor, Scene, truth_of
from pipeline.scenes.scoring import score
from pipeline.types import Person, Status

FRAMES, FPS = 40, 30.0
OUTFIT = Outfit(shirt=(0, 0, 0), trousers=(0, 0, 0), shoes=(0, 0, 0), hair=(0, 0, 0))


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def truth(body):
    """A walk before a camera that moves sideways and turns."""
    motion = walk(body, np.zeros(10, np.float32), [(-0.8, 0.0), (1.0, 0.3)], frames=FRAMES, fps=FPS)
    aside = np.linspace(0, 0.7, FRAMES)[:, None] * np.array([1.0, 0.1, 0.0])
    camera = look_at(
        np.array([0.3, 1.5, 5.0]) + aside,
        np.array([[0.0, 1.0, 0.0]]),
        width_px=640,
        height_px=360,
        focal_px=700.0,
    )
    scene = Scene(body, (Actor(motion, OUTFIT),), camera, street(1), FPS)
    boxes = np.tile(np.array([200, 50, 400, 330], np.float32), (1, FRAMES, 1))
    return truth_of(scene, boxes, np.ones((1, FRAMES), np.float32))


def found(truth, t_camera_m=None, pose_rotvec=None, **changed):
    frames = np.arange(FRAMES, dtype=np.int32)
    person = Person(
        id=1,
        frame_index=frames,
        time_s=truth.time_s,
        status=np.full(FRAMES, Status.OBSERVED, np.uint8),
        confidence=np.ones(FRAMES, np.float32),
        pose_rotvec=truth.pose_rotvec[0] if pose_rotvec is None else pose_rotvec,
        betas=truth.betas[0],
        t_camera_m=truth.t_camera_m[0] if t_camera_m is None else t_camera_m,
        boxes_xyxy_px=np.full((FRAMES, 4), np.nan, np.float32),
    )
    return replace(person, **changed)


def only(truth, person, body, **kw):
    return score(truth, (person,), body, **kw).people[0]


def test_the_truth_slides_as_little_as_it_really_does(truth, body):
    result = only(truth, found(truth), body)
    assert result.true_foot_slide_mm_per_frame < 0.05
    assert result.foot_slide_mm_per_frame == pytest.approx(
        result.true_foot_slide_mm_per_frame, abs=0.01
    )
    assert result.jitter_m_s3 == pytest.approx(result.true_jitter_m_s3, rel=0.01)
    assert result.pve_mm < 0.01
    assert result.contacts > 20 and result.frames_scored == FRAMES


def test_a_body_that_drifts_by_five_millimetres_a_frame_slides_so(truth, body):
    """Along the ground in the world, whatever the camera does meanwhile."""
    drift_m = np.outer(np.arange(FRAMES) * 0.005, [1.0, 0.0, 0.0])
    seen_m = np.einsum("tij,tj->ti", truth.rotmat_camera_world, drift_m).astype(np.float32)
    result = only(truth, found(truth, truth.t_camera_m[0] + seen_m), body)
    assert result.foot_slide_mm_per_frame == pytest.approx(5.0, abs=0.05)
    assert result.mpjpe_mm < 0.01
    up_m = np.outer(np.arange(FRAMES) * 0.005, [0.0, 1.0, 0.0])
    seen_m = np.einsum("tij,tj->ti", truth.rotmat_camera_world, up_m).astype(np.float32)
    result = only(truth, found(truth, truth.t_camera_m[0] + seen_m), body)
    assert result.foot_slide_mm_per_frame < 0.05


def test_trembling_shows_as_jitter(truth, body):
    # +a, -a, ...: the third difference is 8 a, so the jerk is 8 a fps^3.
    tremble = 0.02 * (-1.0) ** np.arange(FRAMES)
    t_m = truth.t_camera_m[0] + np.outer(tremble, [1.0, 0.0, 0.0]).astype(np.float32)
    jitter = only(truth, found(truth, t_m), body).jitter_m_s3
    assert jitter == pytest.approx(8 * 0.02 * FPS**3, rel=0.02)


def test_shape_shows_in_the_skin(truth, body):
    fat = truth.betas[0].copy()
    fat[1] = 2.0
    result = only(truth, found(truth, betas=fat), body)
    assert result.pve_mm > 5
    assert result.joint_angle_error_deg < 0.01
    other = replace(body, name="smpl-12345678")
    assert np.isnan(only(truth, found(truth), body, found_body=other).pve_mm)


def test_people_together_weigh_by_their_frames(truth, body):
    whole = only(truth, found(truth), body)
    turned = truth.pose_rotvec[0].copy()
    turned[:, 16, 1] += 0.5
    part = slice(0, 10)
    short = found(truth, pose_rotvec=turned)
    short = replace(
        short,
        **{
            name: getattr(short, name)[part]
            for name in (
                "frame_index",
                "time_s",
                "status",
                "confidence",
                "pose_rotvec",
                "t_camera_m",
                "boxes_xyxy_px",
            )
        },
    )
    bad = only(truth, short, body)
    together = pooled([whole, bad])
    assert bad.coverage == pytest.approx(0.25) and bad.mpjpe_mm > 5
    assert together.frames_scored == 50 and together.frames_present == 80
    assert together.coverage == pytest.approx(50 / 80)
    assert together.mpjpe_mm == pytest.approx((40 * whole.mpjpe_mm + 10 * bad.mpjpe_mm) / 50)
    missed = replace(bad, mpjpe_mm=float("nan"), frames_scored=0)
    assert pooled([whole, missed]).mpjpe_mm == pytest.approx(whole.mpjpe_mm)
