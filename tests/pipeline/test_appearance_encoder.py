"""PHALP's encoder in the pass: rule-made weights, made-up surface maps, two people who cross."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.weight_rule import rule_tensors
from pipeline import backends, weights
from pipeline.appearance_source import ENCODER_WEIGHTS, LookSource, chosen_source
from pipeline.body import load_body
from pipeline.body_file import EMBEDDED, read_body_file
from pipeline.checkpoints import read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.perceive import Perceiver
from pipeline.types import Bodies
from pipeline.video import open_video
from stages.tracking.phalp import encoder
from stages.tracking.phalp.cost import vector_appearance
from stages.tracking.phalp.embedding_looks import looks_from_embeddings
from stages.tracking.phalp.texture_reader import TextureReader, encoder_layout
from tests.pipeline.two_people import CAMERA, two_people, write_clip

ACROSS = 128
"""Squares of 2 x 2 texels along a side of the made-up map, one a face."""
MANY = 16


def official_file(path):
    """The encoder by the rule, as PHALP's file holds it: under `model`, behind five characters."""
    tensors = {f"hmar.{n}": t for n, t in rule_tensors(encoder.shapes()).items()}
    tensors["hmar.encoding_head.t_conv1.weight"] = torch.zeros(3, 3)
    tensors["hmar.backbone.conv1.weight"] = torch.ones(2, 2)
    torch.save({"model": tensors, "epoch": 3}, path)
    return path


def surface_maps(body):
    """Faces in rows by height, and by angle in a row: neighbours lie near each other."""
    middles = body.v_template_m.numpy()[body.faces].mean(axis=1)
    by_height = np.argsort(-middles[:, 1], kind="stable")
    angle = np.arctan2(middles[:, 0], middles[:, 2])
    face = np.full((ACROSS, ACROSS), -1, np.int64)
    for row, start in enumerate(range(0, len(by_height), ACROSS)):
        own = by_height[start : start + ACROSS]
        face[row, : len(own)] = own[np.argsort(angle[own], kind="stable")]
    face = face.repeat(2, axis=0).repeat(2, axis=1)
    corner = np.array(
        [[[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], [[0.25, 0.25, 0.5], [0.4, 0.3, 0.3]]]
    )
    return np.tile(corner, (ACROSS, ACROSS, 1)).astype(np.float32), face


@pytest.fixture(scope="module")
def body_path(tmp_path_factory):
    """The embedded body's mesh as a file of the user's own."""
    arrays = read_body_file(EMBEDDED)
    path = tmp_path_factory.mktemp("body") / "SMPL_MADE_UP.npz"
    parents = np.array([2**32 - 1 if p < 0 else p for p in arrays.parents], np.int64)
    np.savez(
        path,
        v_template=arrays.v_template_m,
        shapedirs=arrays.shapedirs,
        posedirs=np.zeros((len(arrays.v_template_m), 3, 207), np.float32),
        J_regressor=arrays.J_regressor,
        weights=arrays.weights,
        kintree_table=np.stack([parents, np.arange(24)]),
        f=arrays.faces,
    )
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("HUMANS4D_CACHE", str(folder))
    return folder


@pytest.fixture
def with_weights(cache, tmp_path, humans4d, body_path):
    """The user has added the checkpoint and put both maps beside it."""
    file = official_file(tmp_path / "hmar_v2_weights.pth")
    code, printed = humans4d("models", "add", "phalp-appearance", file)
    assert code == 0, printed
    for name, array in zip(ENCODER_WEIGHTS[1:], surface_maps(load_body()), strict=True):
        np.save(weights.location(weights.row(name)), array)
    return cache


@pytest.fixture(scope="module")
def film():
    return two_people(MANY)


def perceived(film, tmp_path, body_path):
    """The film through the real pass, with true boxes and bodies in place of networks."""

    def rows_of(frames):
        return np.isin(film.detections.frame_index, [frame.index for frame in frames])

    class Detector:
        def restart(self):
            pass

        def __call__(self, frames):
            rows, all_of = rows_of(frames), film.detections
            return type(all_of)(
                all_of.frame_index[rows], all_of.boxes_xyxy_px[rows], all_of.score[rows]
            )

    def regress(frames, detections, camera):
        rows, all_of = rows_of(frames), film.bodies
        return Bodies(all_of.pose_rotvec[rows], all_of.betas[rows], all_of.t_camera_m[rows])

    clip = write_clip(tmp_path / "clip.mp4", film.pictures)
    context = Context(body_model=str(body_path))
    source = chosen_source("auto", "landmarks", str(body_path))
    looks = source.make(context)
    seen = Perceiver(Detector(), regress, CAMERA, context, "pyav", looks)(
        open_video(clip), tmp_path / "chunks"
    )
    return source, seen, context


def test_the_prefix_is_cut_only_before_the_name(tmp_path):
    found = read_checkpoint(official_file(tmp_path / "w.pth"), encoder_layout())
    assert list(found) == list(encoder.shapes())
    for name, tensor in rule_tensors(encoder.shapes()).items():
        assert torch.equal(found[name], tensor)


def test_another_network_is_refused(tmp_path):
    torch.save({"model": {"hmar.backbone.conv1.weight": torch.ones(2)}}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of PHALP's appearance encoder"):
        read_checkpoint(tmp_path / "w.pth", encoder_layout())


def test_one_person_is_nearer_to_itself_than_to_the_other(film, tmp_path, body_path, with_weights):
    """Auto takes the encoder where all its files are; the pass and the tracker say so."""
    source, seen, context = perceived(film, tmp_path, body_path)
    assert source.name == "encoder"
    vectors = seen.bodies.appearance
    assert vectors.shape == (2 * MANY, 4096) and vectors.dtype == np.float16
    assert np.isfinite(vectors).all()
    alone = np.flatnonzero(~film.overlap)
    gap = vector_appearance(vectors[alone], vectors[alone])
    same = film.person[alone][:, None] == film.person[alone][None]
    np.fill_diagonal(same, val=False)
    to_own = np.where(same, gap, 0).sum(axis=1) / same.sum(axis=1)
    other = film.person[alone][:, None] != film.person[alone][None]
    to_other = np.where(other, gap, 0).sum(axis=1) / other.sum(axis=1)
    assert (to_own < to_other).all()
    for options in ({}, {"distance_type": "EQ_019", "n_init": 2}):
        config = backends.make_config("tracking", "phalp", options)
        tracker = backends.make("tracking", "phalp", config, context)
        people = tracker(seen.video, seen.detections, seen.bodies, CAMERA)
        assert [len(person) for person in people] == [MANY, MANY]
        for person in people:
            x = np.diff(person.t_camera_m[:, 0])
            assert (x > 0).all() or (x < 0).all()
    told = " ".join(event.message for event in context.events.events)
    assert "Looks of people: PHALP's appearance encoder" in told
    assert "phalp: appearance: PHALP's encoder" in told


def test_textures_show_the_front_and_nobody_elses_clothes(film, body_path, with_weights):
    from pipeline.appearance_mesh import meshes_by_frame
    from tests.pipeline.test_appearance_mesh import frames_of

    context = Context(body_model=str(body_path))
    reader = TextureReader(context)
    middle = MANY // 2
    frames = frames_of(film.pictures)[middle : middle + 1]
    frame, meshes = next(
        meshes_by_frame(frames, film.detections, film.bodies, CAMERA, context.body)
    )
    boxes, t_m = (
        film.detections.boxes_xyxy_px[meshes.rows],
        film.bodies.t_camera_m[meshes.rows],
    )
    near, far = (
        reader.texture(frame.rgb, meshes, person, boxes, t_m, CAMERA)[0].numpy()
        for person in (0, 1)
    )
    assert 0.25 < (near[3] > 0).mean() < 0.6, "about half of a surface faces the camera"
    assert 0 < (far[3] > 0).mean() < 0.6 * (near[3] > 0).mean()
    seen = far[:3][:, far[3] > 0]
    red_shirt = (seen[0] - seen[1] > 0.35).mean()
    assert red_shirt < 0.02
    assert (near[0] - near[1] > 0.35).mean() > 0.05


def test_looks_from_vectors_put_one_person_together(film):
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(2, 4096)) * 3
    vectors = centres[film.person] + 0.3 * rng.normal(size=(len(film.person), 4096))
    vectors[4] = np.nan
    looks = looks_from_embeddings(vectors.astype(np.float16), film.detections.frame_index)
    assert np.isnan(looks[4]).all() and np.isfinite(np.delete(looks, 4, axis=0)).all()
    rows = np.delete(np.arange(len(looks)), 4)
    gap = np.linalg.norm(looks[rows][:, None] - looks[rows][None], axis=-1)
    same = film.person[rows][:, None] == film.person[rows][None]
    assert gap[~same].min() > 3 * gap[same].max()


def test_no_vectors_are_no_looks():
    looks = looks_from_embeddings(np.full((3, 4096), np.nan, np.float16), np.arange(3))
    assert looks.shape == (3, 15) and np.isnan(looks).all()
    one = looks_from_embeddings(np.ones((1, 4096), np.float16), np.zeros(1, np.int64))
    assert np.isfinite(one).all()


def test_without_its_files_the_encoder_is_missed_with_the_way_to_get_it(cache, body_path):
    with pytest.raises(MissingError, match="humans4d models add phalp-appearance FILE"):
        chosen_source("encoder", "landmarks", str(body_path))
    assert chosen_source("auto", "landmarks", str(body_path)).name == "mesh"


def test_a_run_says_so_before_it_begins(cache, tmp_path, humans4d, film, body_path):
    clip = write_clip(tmp_path / "clip.mp4", film.pictures[:2])
    words = ("regression.backend=landmarks", "appearance.source=encoder")
    code, printed = humans4d("run", clip, "-o", tmp_path / "x", *words)
    assert code == 2 and "body.model=FILE" in printed
    code, printed = humans4d("run", clip, "-o", tmp_path / "x", *words, f"body.model={body_path}")
    assert code == MissingError("").exit_code and "models add phalp-appearance" in printed


def test_the_embedded_bodys_mesh_is_not_smpls(with_weights):
    with pytest.raises(SettingsError, match=r"body\.model=FILE"):
        chosen_source("encoder", "landmarks", EMBEDDED)
    assert chosen_source("auto", "landmarks", EMBEDDED).name == "mesh"


def test_maps_of_something_else_are_refused(with_weights, body_path):
    context = Context(body_model=str(body_path))
    file = weights.location(weights.row("phalp-fmap"))
    np.save(file, np.full((256, 256), 99_999))
    with pytest.raises(InputError, match="99999"):
        TextureReader(context)
    np.save(file, np.zeros((32, 32)))
    with pytest.raises(InputError, match="has the shape"):
        TextureReader(context)


def test_other_weights_are_another_choice(with_weights):
    before = LookSource("encoder").made_by
    file = weights.location(weights.row("phalp-fmap"))
    np.save(file, np.zeros((8, 8)))
    assert LookSource("encoder").made_by != before
    assert LookSource("mesh").made_by == ["mesh"]


def test_a_body_without_place_has_no_vector(film, body_path, with_weights):
    from tests.pipeline.test_appearance_mesh import frames_of

    t_m = film.bodies.t_camera_m.copy()
    t_m[0, 2], t_m[1] = -1.0, np.inf
    looks = LookSource("encoder").make(Context(body_model=str(body_path)))
    bodies = replace(film.bodies, t_camera_m=t_m)
    found = looks(frames_of(film.pictures[:2]), film.detections, bodies, CAMERA)
    assert np.isnan(found[:2]).all() and np.isfinite(found[2:4]).all()
