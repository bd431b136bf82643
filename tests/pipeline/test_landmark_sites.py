import numpy as np
import torch

from pipeline.body import load_body
from pipeline.landmark_sites import PosedSites, find_sites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, SMPL24

BODY = load_body().to(dtype=torch.float64)
SITES = find_sites(BODY)


def place(point):
    return SITES.rest_m[BLAZEPOSE33.index(point)]


def test_left_and_right_are_mirror_images():
    mirrored = SITES.rest_m[BLAZEPOSE33.mirror] * [-1, 1, 1]
    assert np.abs(mirrored - SITES.rest_m).max() < 0.004


def test_points_lie_where_anatomy_has_them():
    assert place("left_shoulder")[0] > 0.12
    assert place("nose")[2] > place("left_ear")[2] + 0.05
    assert place("left_heel")[2] < place("left_ankle")[2] < place("left_foot_index")[2]
    assert place("left_ankle")[1] > place("left_heel")[1]
    heights = [place(p)[1] for p in ("nose", "left_shoulder", "left_hip", "left_knee", "left_heel")]
    assert heights == sorted(heights, reverse=True)
    hips_m = np.linalg.norm(place("left_hip") - place("right_hip"))
    assert 0.16 < hips_m < 0.22


def test_sites_of_joints_stay_within_four_centimetres_of_them():
    joints_m = BODY.J_template_m.numpy()
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        distance_m = np.linalg.norm(place(f"left_{part}") - joints_m[SMPL24.index(f"left_{part}")])
        assert distance_m < 0.04, part


def test_sites_do_not_hang_on_vertex_numbers():
    rng = np.random.default_rng(0)
    order = torch.from_numpy(rng.permutation(len(BODY.v_template_m)))
    from dataclasses import replace

    shuffled = replace(
        BODY,
        v_template_m=BODY.v_template_m[order],
        shapedirs=BODY.shapedirs[order],
        J_regressor=BODY.J_regressor[:, order],
        weights=BODY.weights[order],
        posedirs=None,
    )
    np.testing.assert_allclose(find_sites(shuffled).rest_m, SITES.rest_m, atol=1e-6)


def test_posed_sites_move_with_their_joints_and_with_shape():
    sites = PosedSites(load_body())
    pose = torch.zeros((2, 24, 3), dtype=torch.float64)
    pose[1, SMPL24.index("left_elbow"), 1] = -1.5
    betas = torch.zeros((2, 10), dtype=torch.float64)
    places = sites.places(rotvec_to_rotmat(pose), betas).numpy()
    moved_m = np.linalg.norm(places[1] - places[0], axis=-1)
    wrist, elbow = BLAZEPOSE33.indices("left_wrist", "left_elbow")
    assert moved_m[wrist] > 0.25
    assert moved_m[elbow] < 0.03
    assert moved_m[BLAZEPOSE33.index("right_wrist")] == 0
    taller = betas.clone()
    taller[:, 0] = 2.0
    tall = sites.places(rotvec_to_rotmat(pose), taller).numpy()
    nose, heel = BLAZEPOSE33.indices("nose", "left_heel")
    assert np.ptp(tall[0, [nose, heel], 1]) > np.ptp(places[0, [nose, heel], 1]) + 0.1
