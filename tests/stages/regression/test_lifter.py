"""The lifter: geometry around it, the weights that ship, and what it does with odd input."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pipeline import backends
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.metrics import mpjpe_mm, pa_mpjpe_mm
from pipeline.parts import Parts
from pipeline.rotations import rotvec_to_rotmat
from pipeline.safetensors_file import write_safetensors
from pipeline.skeletons import BLAZEPOSE33, COCO17, SMPL24
from pipeline.types import Detections
from pipeline.window_starts import window_starts
from stages.regression.lifter import Backend, Config
from stages.regression.lifter.filmed import Filmed, SiteBody
from stages.regression.lifter.network import WINDOW, LifterNetwork, Sizes
from stages.regression.lifter.sequence import Sightings, lift
from stages.regression.lifter.tracklets import tracklets
from stages.regression.lifter.view import rays_of, seen_straight
from tests.stages.regression.lifter_people import SeenWalker, seen_walker

LEG = ("hip", "knee", "ankle", "heel", "foot")


@pytest.fixture(scope="module")
def walker() -> SeenWalker:
    return seen_walker()


@pytest.fixture(scope="module")
def backend() -> Backend:
    return Backend(Config(), Context())


def joints_of(bodies, body=None):
    body = (body or load_body()).to(dtype=torch.float64)
    shaped = body.with_shape(torch.from_numpy(bodies.betas).double())
    rotmat = rotvec_to_rotmat(torch.from_numpy(bodies.pose_rotvec).double())
    posed = shaped.with_pose(pose_rotmat=rotmat)
    return posed.joints_m.numpy() + bodies.t_camera_m[:, None]


def windows_of_rays(seed=0, batch=3):
    rng = torch.Generator().manual_seed(seed)
    rays = 0.2 * torch.randn(batch, WINDOW, 33, 2, generator=rng) + torch.tensor([0.3, -0.1])
    return rays, torch.rand(batch, WINDOW, 33, generator=rng) * 0.9 + 0.1


def test_view_and_back_is_the_same_direction():
    rays, confidence = windows_of_rays()
    view = seen_straight(rays, confidence)
    inside = view.points.abs().amax(-1) < 3.9
    assert inside.float().mean() > 0.9
    torch.testing.assert_close(
        rays_of(view.points, view)[inside], rays[inside], atol=2e-6, rtol=1e-5
    )


def test_view_does_not_depend_on_where_the_camera_points():
    rays, confidence = windows_of_rays(batch=1)
    turn = torch.from_numpy(
        Rotation.from_euler("yx", [14.0, -9.0], degrees=True).as_matrix()
    ).float()
    ahead = torch.nn.functional.pad(0.4 * rays, (0, 1), value=1.0)
    turned = ahead @ turn.T
    before = seen_straight(0.4 * rays, confidence)
    after = seen_straight(turned[..., :2] / turned[..., 2:], confidence)
    # The picture may only turn about its middle, and hardly: distances between points stay.
    wanted, got = (torch.cdist(v.points[0], v.points[0]) for v in (before, after))
    assert (wanted - got).abs().mean() < 0.02 * wanted.mean()


def test_the_mirror_image_of_a_body_has_the_mirror_image_of_its_keypoints():
    rng = torch.Generator().manual_seed(1)
    body = SiteBody(load_body())
    pose = rotvec_to_rotmat(0.4 * torch.randn(2, 5, 24, 3, generator=rng))
    pelvis_m = torch.tensor([0.3, -0.2, 4.0]) + torch.zeros(2, 5, 3)
    betas = torch.zeros(2, 10)
    points_m = body.points_m(pose, betas)[1] + pelvis_m[:, :, None]
    seen_at, in_space = points_m[..., :2] / points_m[..., 2:], points_m - pelvis_m[:, :, None]
    filmed = Filmed(pose, pelvis_m, betas, seen_at, torch.ones(2, 5, 33), in_space)
    mirrored = filmed.mirrored(torch.tensor([True, False]))
    again_m = body.points_m(mirrored.pose_rotmat, betas)[1] + mirrored.pelvis_m[:, :, None]
    rays = again_m[..., :2] / again_m[..., 2:]
    torch.testing.assert_close(mirrored.rays[1], filmed.rays[1])
    # The embedded body is symmetric to a few millimetres: at 4 m, a thousandth of a radian.
    assert (rays[0] - mirrored.rays[0]).abs().max() < 2e-3
    twice = mirrored.mirrored(torch.tensor([True, False]))
    torch.testing.assert_close(twice.pose_rotmat, filmed.pose_rotmat)


def test_shipped_weights_lift_exact_keypoints(walker, backend):
    bodies = backend.over_time(walker.video, walker.detections, walker.camera)
    found_m = joints_of(bodies)
    assert pa_mpjpe_mm(found_m, walker.joints_m) < 45
    assert mpjpe_mm(found_m, walker.joints_m) < 65
    depth = found_m[:, 0, 2] / walker.joints_m[:, 0, 2]
    assert np.abs(depth - 1).mean() < 0.08


def test_seventeen_keypoints_of_coco_do(walker, backend):
    places = BLAZEPOSE33.indices(*COCO17.points)
    coco = replace(
        walker.detections,
        skeleton=COCO17.name,
        landmarks_m=None,
        landmarks_px=walker.detections.landmarks_px[:, places],
    )
    bodies = backend.over_time(walker.video, coco, walker.camera)
    assert pa_mpjpe_mm(joints_of(bodies), walker.joints_m) < 55


def test_the_detectors_guess_in_space_helps_and_is_not_needed(walker, backend):
    flat = replace(walker.detections, landmarks_m=None)
    without = backend.over_time(walker.video, flat, walker.camera)
    assert pa_mpjpe_mm(joints_of(without), walker.joints_m) < 55
    helped = backend.over_time(walker.video, walker.detections, walker.camera)
    errors = [pa_mpjpe_mm(joints_of(bodies), walker.joints_m) for bodies in (helped, without)]
    assert errors[0] < errors[1]


def test_it_knows_where_it_knows_little(walker, backend):
    """Keypoints that make no sense: the network must not be as sure of them as of a walker."""
    good = backend.over_time(walker.video, walker.detections, walker.camera)
    assert good.pose_spread_rad.shape == (len(good), 24)
    knees = [SMPL24.index("left_knee"), SMPL24.index("right_knee")]
    assert np.rad2deg(good.pose_spread_rad[:, knees]).mean() < 8
    points = walker.detections.landmarks_px.copy()
    legs = [n for n, p in enumerate(BLAZEPOSE33.points) if any(w in p for w in LEG)]
    points[:, legs, 2] = 0.0
    hidden = replace(walker.detections, landmarks_px=points, landmarks_m=None)
    poor = backend.over_time(walker.video, hidden, walker.camera)
    assert poor.pose_spread_rad[:, knees].mean() > 2 * good.pose_spread_rad[:, knees].mean()


def test_what_it_says_of_errors_is_mirrored_with_the_body(walker, backend):
    width_px = walker.video.width_px
    points = walker.detections.landmarks_px[:, BLAZEPOSE33.mirror].copy()
    points[..., 0] = 2 * walker.camera.K_px[0, 2] - points[..., 0]
    flip = np.float32([-1, 1, 1])
    in_space = walker.detections.landmarks_m[:, BLAZEPOSE33.mirror] * flip
    boxes = walker.detections.boxes_xyxy_px.copy()
    boxes[:, [0, 2]] = width_px - boxes[:, [2, 0]]
    other = replace(
        walker.detections, landmarks_px=points, landmarks_m=in_space, boxes_xyxy_px=boxes
    )
    plain, mirrored = (
        backend.over_time(walker.video, seen, walker.camera).pose_spread_rad
        for seen in (walker.detections, other)
    )
    np.testing.assert_allclose(mirrored[:, SMPL24.mirror], plain, rtol=2e-3)


def test_the_frame_rate_hardly_matters(walker, backend):
    fast = seen_walker(fps=60.0)
    bodies = backend.over_time(fast.video, fast.detections, fast.camera)
    assert pa_mpjpe_mm(joints_of(bodies), fast.joints_m) < 45
    slow = backend.over_time(walker.video, walker.detections, walker.camera)
    assert mpjpe_mm(joints_of(bodies)[::2], joints_of(slow), root=0) < 25


def test_order_and_number_of_bodies_are_those_of_the_detections(walker, backend):
    order = np.random.default_rng(0).permutation(len(walker.detections))
    mixed = Detections(
        walker.detections.frame_index[order],
        walker.detections.boxes_xyxy_px[order],
        walker.detections.score[order],
        walker.detections.skeleton,
        walker.detections.landmarks_px[order],
        walker.detections.landmarks_m[order],
    )
    straight = backend.over_time(walker.video, walker.detections, walker.camera)
    shuffled = backend.over_time(walker.video, mixed, walker.camera)
    np.testing.assert_allclose(shuffled.t_camera_m, straight.t_camera_m[order], atol=1e-4)
    turned = [Rotation.from_rotvec(b.pose_rotvec.reshape(-1, 3)) for b in (shuffled, straight)]
    off = (turned[0].inv() * turned[1][(order[:, None] * 24 + np.arange(24)).ravel()]).magnitude()
    assert off.max() < 1e-3


def test_one_frame_is_enough(walker, backend):
    one = Detections(
        walker.detections.frame_index[:1],
        walker.detections.boxes_xyxy_px[:1],
        walker.detections.score[:1],
        walker.detections.skeleton,
        walker.detections.landmarks_px[:1],
        walker.detections.landmarks_m[:1],
    )
    bodies = backend.over_time(walker.video, one, walker.camera)
    assert pa_mpjpe_mm(joints_of(bodies), walker.joints_m[:1]) < 90


def test_nobody_gives_nobody(walker, backend):
    nobody = Detections(
        np.zeros(0, np.int32),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.float32),
        "blazepose33",
        np.zeros((0, 33, 3), np.float32),
    )
    assert len(backend.over_time(walker.video, nobody, walker.camera)) == 0


def test_missing_points_and_frames_do_not_spoil_the_rest(walker, backend):
    points = walker.detections.landmarks_px.copy()
    points[20:26] = np.nan
    points[:, BLAZEPOSE33.index("left_wrist")] = np.nan
    holes = replace(walker.detections, landmarks_px=points)
    bodies = backend.over_time(walker.video, holes, walker.camera)
    found_m = joints_of(bodies)
    seen = np.ones(len(found_m), bool)
    seen[20:26] = False
    assert np.isfinite(bodies.pose_rotvec).all()
    assert pa_mpjpe_mm(found_m[seen], walker.joints_m[seen]) < 60


@pytest.mark.parametrize("skeleton", [None, "mpii16"])
def test_other_keypoints_are_refused(walker, backend, skeleton):
    points = None if skeleton is None else walker.detections.landmarks_px[:, :16]
    other = replace(walker.detections, skeleton=skeleton, landmarks_px=points, landmarks_m=None)
    with pytest.raises(SettingsError, match="lifter"):
        backend.over_time(walker.video, other, walker.camera)


def test_wrong_weights_are_named(tmp_path, walker):
    path = tmp_path / "other.safetensors"
    write_safetensors(path, {"layer.weight": torch.zeros(3, 3).half()}, {})
    broken = Backend(Config(weights=str(path)), Context())
    with pytest.raises(InputError, match="lifter"):
        broken.over_time(walker.video, walker.detections, walker.camera)
    absent = Backend(Config(weights=str(tmp_path / "none.safetensors")), Context())
    with pytest.raises(MissingError, match="none"):
        absent.over_time(walker.video, walker.detections, walker.camera)


def test_the_flow_finds_the_backend():
    assert "lifter" in backends.names("regression")


def test_windows_reach_both_ends():
    assert window_starts(10, WINDOW, 8).tolist() == [0]
    starts = window_starts(70, WINDOW, 8)
    assert starts[0] == 0 and starts[-1] == 70 - WINDOW
    assert np.diff(starts).max() <= 8


def test_lift_of_any_length_gives_rotations_and_their_errors():
    torch.manual_seed(0)
    network = LifterNetwork(Sizes(width=32, depth=1)).eval()
    for count in (1, 5, WINDOW, WINDOW + 7):
        rays = np.random.default_rng(0).normal(size=(count, 33, 2)).astype(np.float32) * 0.1
        sure, in_space = np.ones((count, 33), np.float32), np.zeros((count, 33, 3), np.float32)
        sightings = Sightings(np.arange(count) / 30, rays, sure, in_space)
        lifted = lift(network, sightings, 1 / 30, 8, Parts())
        turned = lifted.pose_rotmat @ lifted.pose_rotmat.mT
        torch.testing.assert_close(turned, torch.eye(3).expand_as(turned), atol=1e-4, rtol=0)
        assert lifted.pose_rotmat.shape == (count, 24, 3, 3)
        assert lifted.spread_rad.shape == (count, 24)
        assert torch.isfinite(lifted.spread_rad).all() and (lifted.spread_rad > 0).all()


def people_at(walker, *lefts_px):
    """One detection a frame for each row of left edges."""
    frames, boxes = [], []
    for row in lefts_px:
        for frame, left in enumerate(row):
            if left is not None:
                frames.append(frame)
                boxes.append([left, 100.0, left + 80.0, 300.0])
    order = np.argsort(frames, kind="stable")
    return Detections(
        np.array(frames, np.int32)[order],
        np.array(boxes, np.float32)[order],
        np.ones(len(frames), np.float32),
    )


def test_tracklets_follow_a_person_and_bridge_short_gaps(walker):
    found = people_at(walker, [0, 5, 10, None, 20, 25])
    assert [len(t) for t in tracklets(walker.video, found)] == [5]
    lost = people_at(walker, [0.0, 5.0] + [None] * 10 + [10.0])
    assert sorted(len(t) for t in tracklets(walker.video, lost)) == [1, 2]


def test_tracklets_end_where_two_could_be_taken_for_each_other(walker):
    found = people_at(walker, [0, 10, 20, 30, 40, 50], [100, 80, 60, 35, 20, 0])
    rows = tracklets(walker.video, found)
    assert sorted(np.concatenate(rows).tolist()) == list(range(12))
    assert len(rows) > 2
    for one in rows:
        steps = np.abs(np.diff(found.boxes_xyxy_px[one, 0]))
        assert (steps <= 25).all()
