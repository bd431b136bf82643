"""Write, read back with an independent reader, compare with truth written out separately."""

import csv
import importlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.format_readers.reading import off
from benchmarks.format_readers.truth import (
    CAMERA,
    made_up_people,
    made_up_video,
    rotmats,
    truths,
    write_made_up_result,
)
from pipeline import backends
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.exporting import Part, export, read_take
from pipeline.judging.floor import Floor
from pipeline.judging.posed import sole_vertices
from pipeline.levelling import floor_of, on_floor
from pipeline.skeletons import COCO17, skeleton_named
from pipeline.take import Take
from tests.pipeline.judged_people import camera_of, found_people, true_scene

CONTEXT = Context()
# Format: largest distance in millimetres, degrees and seconds; whether gaps are filled or left out.
EXPECTED = {
    "amass": (0.001, 1e-4, 1e-9, "filled"),
    "bvh": (0.001, 1e-4, 1e-9, "filled"),
    "glb": (0.002, 1e-4, 1e-6, "left out"),
    "phalp": (0.002, 1e-4, 0, "left out"),
    "obj": (0.002, None, None, "left out"),
    "ply": (0.002, None, None, "left out"),
    "csv": (0.002, None, 0, "left out"),
    "trc": (0.002, None, 0, "left out"),
    "opensim": (0.002, 1e-4, 0, "filled"),
    "c3d": (0.002, None, 1e-6, "left out"),
    "usd": (0.005, 1e-4, 1e-9, "left out"),
}


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    folder = write_made_up_result(tmp_path_factory.mktemp("made") / "made_up")
    return read_take(folder, Part(), CONTEXT)


@pytest.fixture(scope="module")
def truth():
    return truths()


def test_every_format_is_tried_and_described():
    tried = {*EXPECTED, "coco", "motchallenge"}
    assert tried == set(backends.names("export"))
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert not [name for name in tried if f"`{name}`" not in page or f"| {name} |" not in page]


def reader_of(name):
    pytest.importorskip({"usd": "pxr", "c3d": "ezc3d", "glb": "pygltflib"}.get(name, "numpy"))
    return importlib.import_module(f"benchmarks.format_readers.{name}")


def check(reading, truth, expected):
    most_mm, most_deg, most_s, gaps = expected
    distance = off(reading, truth)
    drawn = truth.person.drawn
    rows = np.arange(len(drawn)) if gaps == "filled" else np.flatnonzero(drawn)
    np.testing.assert_array_equal(reading.rows, rows)
    assert distance.position_mm <= most_mm
    assert (reading.rotmat is None) == (most_deg is None)
    assert most_deg is None or distance.rotation_deg <= most_deg
    assert (reading.time_s is None) == (most_s is None)
    assert most_s is None or distance.time_s <= most_s


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.filterwarnings("ignore:No analog data")
def test_every_body_is_where_it_was_when_it_was(take, truth, tmp_path, name):
    reader = reader_of(name)
    readings = reader.read(export(take, [name], tmp_path, CONTEXT)[name])
    assert [reading.person_id for reading in readings] == [1, 2]
    for reading in readings:
        check(reading, truth[reading.person_id], EXPECTED[name])


@pytest.mark.parametrize("name", ["bvh", "usd"])
def test_skeletons_stand_upright_in_z_up_axes_too(take, truth, tmp_path, name):
    reader = reader_of(name)
    paths = export(take, [name], tmp_path, CONTEXT, up="z")[name]
    readings = reader.read(paths, up="z") if name == "bvh" else reader.read(paths)
    for reading in readings:
        assert reading.up == "z"
        check(reading, truth[reading.person_id], EXPECTED[name])


def test_a_format_with_one_up_axis_keeps_it_and_says_so(take, tmp_path):
    context = Context()
    export(take, ["glb"], tmp_path, context, up="z")
    assert [event.kind for event in context.events.events] == ["info"]
    assert "y up by its standard" in context.events.events[0].message


LEVELLED = ("amass", "bvh", "glb", "csv", "trc", "opensim", "c3d", "usd")


def a_tilted_floor() -> Floor:
    """The camera looks 20 degrees down and is rolled by 8; told by standing feet."""
    tilt, roll = np.radians(20), np.radians(8)
    down = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    over = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return Floor(np.array([0.4, 1.7, 5.0]), over @ down @ [0.0, -1.0, 0.0], {}, "standing feet")


def on_the_floor(truth, floor: Floor, origin_m: np.ndarray):
    """The truth as if a level camera had seen it from above the origin; formulas of its own."""
    up = floor.up / np.linalg.norm(floor.up)
    right = np.array([1.0, 0, 0]) - up[0] * up
    right /= np.linalg.norm(right)
    turn = np.diag([1.0, -1, -1]) @ np.stack([right, up, np.cross(right, up)])
    place_m = origin_m - up * ((origin_m - floor.point_m) @ up)
    return replace(
        truth,
        joints_m=(truth.joints_m - place_m) @ turn.T,
        vertices_m=(truth.vertices_m - place_m) @ turn.T,
        rotmat=turn @ truth.rotmat,
    )


@pytest.mark.parametrize("name", LEVELLED)
@pytest.mark.filterwarnings("ignore:No analog data")
def test_a_tilted_floor_is_level_in_the_file(take, truth, tmp_path, name):
    floor, reader = a_tilted_floor(), reader_of(name)
    readings = reader.read(export(take, [name], tmp_path, CONTEXT, floor=floor)[name])
    origin_m = truth[1].joints_m[0, 0]
    for reading in readings:
        check(reading, on_the_floor(truth[reading.person_id], floor, origin_m), EXPECTED[name])


def test_the_glb_camera_sees_the_people_where_the_picture_had_them(take, tmp_path):
    gltf = pytest.importorskip("pygltflib")
    path = export(take, ["glb"], tmp_path, CONTEXT, floor=a_tilted_floor())["glb"][0]
    node = next(node for node in gltf.GLTF2().load(str(path)).nodes if node.name == "camera")
    x, y, z, w = node.rotation
    turn = rotmats(2 * np.arctan2(np.linalg.norm([x, y, z]), w) * unit(np.array([x, y, z]))[None])
    tilted = on_floor(take.with_up("y"), a_tilted_floor())
    joints_m = tilted.posed(take.people[0]).joints_m.numpy() - node.translation
    seen_m = joints_m @ turn[0] @ np.diag([1.0, -1, -1])
    plain = take.with_up("y")
    true_m = plain.posed(take.people[0]).joints_m.numpy() @ np.diag([1.0, -1, -1])
    np.testing.assert_allclose(seen_m, true_m, atol=1e-6)


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def test_where_no_feet_stand_the_lowest_sole_touches_height_zero(take, tmp_path):
    floor = replace(a_tilted_floor(), source="lowest feet")
    context = Context()
    paths = export(take, ["ply"], tmp_path, context, floor=floor)["ply"]
    lowest_m = min(reading.vertices_m[..., 1].min() for reading in reader_of("ply").read(paths))
    assert -0.1 < lowest_m < 0.001  # knees and hands may be below the soles
    (event,) = context.events.events
    assert event.kind == "assumption"
    assert "looked 20.0 degrees down and was rolled by 8.0" in event.message


def test_the_floor_is_found_before_a_tilted_camera():
    """Two who walk, filmed by a camera that looks down: what they walk on is level afterwards."""
    scene = true_scene(2.0)
    found = found_people(scene)
    take = Take(
        "x", found, load_body(), camera_of(scene), 960, 540, found[0].frame_index, scene.time_s, ""
    )
    floor = floor_of(take)
    assert floor.source == "standing feet"
    tilted = on_floor(take, floor)
    soles_m = np.concatenate(
        [
            tilted.posed(p).vertices(torch.from_numpy(sole_vertices(take.body).ravel()))
            for p in found
        ]
    )[..., 1]
    lowest_m = soles_m.min(axis=1)
    assert abs(np.median(lowest_m)) < 0.02 and lowest_m.min() > -0.08
    # Upright in the true world: so are they in the file, within the floor's own error.
    up = scene.rotmat_camera_world[0] @ [0.0, 1.0, 0.0]
    assert np.degrees(np.arccos(np.clip(up @ floor.up, -1, 1))) < 1.5


def test_smplh_poses_have_the_hands_at_rest(take, tmp_path):
    options = {"amass": {"joints": "smplh"}}
    path = export(take, ["amass"], tmp_path, CONTEXT, options=options)["amass"][0]
    with np.load(path) as file:
        assert file["poses"].shape == (14, 156)
        assert not file["poses"][:, 66:].any()
        assert file["gender"] == "neutral"


def test_bvh_in_metres_is_a_hundredth(take, truth, tmp_path):
    reader = reader_of("bvh")
    paths = export(take, ["bvh"], tmp_path, CONTEXT, options={"bvh": {"unit": "m"}})["bvh"]
    for reading in reader.read(paths, unit_m=1.0):
        check(reading, truth[reading.person_id], (0.01, 1e-4, 1e-9, "filled"))


def test_boxes_are_those_of_the_detector(take, tmp_path):
    path = export(take, ["motchallenge"], tmp_path, CONTEXT)["motchallenge"][0]
    rows = [[float(cell) for cell in row] for row in csv.reader(path.open())]
    assert rows == sorted(rows, key=lambda row: row[:2])
    for person in made_up_people():
        mine = np.array([row for row in rows if row[1] == person.id])
        np.testing.assert_array_equal(mine[:, 0], person.frame_index[person.drawn] + 1)
        boxes = person.boxes_xyxy_px[person.drawn]
        read = np.concatenate([mine[:, 2:4], mine[:, 2:4] + mine[:, 4:6]], axis=1)
        np.testing.assert_allclose(read, boxes, atol=2e-4)
        assert (mine[:, 7:] == -1).all() and mine.shape[1] == 10


@pytest.mark.parametrize("source", ["detected", "body"])
def test_coco_tools_find_the_keypoints(take, truth, tmp_path, source):
    coco = pytest.importorskip("pycocotools.coco")
    options = {"coco": {"keypoints": source}}
    path = export(take, ["coco"], tmp_path, CONTEXT, options=options)["coco"][0]
    read = coco.COCO(str(path))
    assert [image["time_s"] for image in read.dataset["images"]] == list(made_up_video().time_s)
    for person in made_up_people():
        mine = [a for a in read.dataset["annotations"] if a["track_id"] == person.id]
        assert [a["image_id"] for a in mine] == list(person.frame_index[person.drawn])
        points = np.array([a["keypoints"] for a in mine]).reshape(len(mine), 17, 3)
        if source == "detected":
            chosen = skeleton_named("blazepose33").indices(*COCO17.points)
            true = person.keypoints_px[person.drawn][:, chosen]
            np.testing.assert_allclose(points[..., :2], true[..., :2], atol=6e-4)
            np.testing.assert_array_equal(points[..., 2] == 2, true[..., 2] > 0.5)
        else:
            elbow_m = truth[person.id].joints_m[person.drawn, 18]
            elbow_px = (elbow_m / elbow_m[:, 2:]) @ CAMERA.K_px[:2].T
            off_px = np.linalg.norm(points[:, 7, :2] - elbow_px, axis=-1)
            assert off_px.max() < 10  # the mark on the elbow lies 10 mm beside the joint


def test_phalp_pickles_name_only_what_old_numpy_knows(take, tmp_path):
    path = export(take, ["phalp"], tmp_path, CONTEXT)["phalp"][0]
    content = path.read_bytes()
    assert b"numpy._core" not in content and b"numpy.core.multiarray" in content
    frames = list(pickle.loads(content).values())
    assert [frame["time"] for frame in frames] == list(range(15, 29))
    lengths = {len(frame[key]) for frame in frames for key in ("tid", "smpl", "mask", "2d_joints")}
    assert lengths == {1, 2}
    first = frames[0]
    np.testing.assert_allclose(first["bbox"][0], [235, 65, 200, 550])
    seen = first["2d_joints"][0].reshape(45, 2)[[2, 5, 8]] * 1280 - (0, (1280 - 720) / 2)
    true_m = truths()[1].joints_m[0, [17, 16, 0]]
    true_px = (true_m / true_m[:, 2:]) @ CAMERA.K_px[:2].T
    assert np.linalg.norm(seen - true_px, axis=1).max() < 60  # a far camera flattens perspective
    s = first["camera_bbox"][0][0]
    side = first["scale"][0] * 1280
    assert 5000 / 256 * 1280 * 2 / (side * s) == pytest.approx(first["camera"][0][2], rel=1e-5)


def test_frames_of_an_earlier_sequence_do_not_stay(take, tmp_path):
    export(take, ["ply"], tmp_path, CONTEXT)
    person = take.people[0]
    part = {
        key: getattr(person, key)[:3]
        for key in (
            *("frame_index", "time_s", "status", "confidence", "pose_rotvec", "t_camera_m"),
            *("boxes_xyxy_px", "keypoints_px"),
        )
    }
    short = replace(take, people=(replace(person, **part),))
    paths = export(short, ["ply"], tmp_path, CONTEXT)["ply"]
    assert sorted(paths[0].parent.iterdir()) == sorted(paths)


def test_uneven_frames_are_told_where_one_rate_is_all_there_is(take, tmp_path):
    person = take.people[0]
    time_s = person.time_s + np.where(np.arange(len(person)) % 2, 0.01, 0)
    uneven, context = replace(take, people=(replace(person, time_s=time_s),)), Context()
    export(uneven, ["bvh", "csv"], tmp_path, context)
    told = [event.message for event in context.events.events]
    assert len(told) == 1 and "bvh has one frame rate" in told[0]
    rows = list(csv.DictReader((tmp_path / "csv" / "made_up_joints.csv").open()))
    assert [float(row["time_s"]) for row in rows] == list(time_s)


def test_glb_holds_what_a_viewer_needs(take, tmp_path):
    reader = reader_of("glb")
    path = export(take, ["glb"], tmp_path, CONTEXT)["glb"][0]
    assert reader.declared_length(path) == path.stat().st_size
    scene = reader.Scene(path).gltf
    view = scene.cameras[0].perspective
    assert view.aspectRatio == pytest.approx(1280 / 720)
    assert np.tan(view.yfov / 2) == pytest.approx(360 / 890)
    assert [material.name for material in scene.materials] == ["person_001", "person_002"]
    split = export(take, ["glb"], tmp_path, CONTEXT, options={"glb": {"split": True}})["glb"]
    assert [len(reader.Scene(path).people()) for path in split] == [1, 1]
    json.dumps(scene.asset.extras)
