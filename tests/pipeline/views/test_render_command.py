"""What a user of `humans4d render` and `body show` types, and the pictures that come of it."""

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pipeline import storage
from pipeline.body import load_body
from pipeline.camera import project
from pipeline.errors import EXIT_INPUT, EXIT_OUTPUT, EXIT_SETTINGS
from pipeline.files import write_json, write_npz
from pipeline.judging.floor import Floor
from pipeline.judging.posed import pose_person
from pipeline.palette import colour_of
from pipeline.person_file import write_people
from pipeline.quality import person_summary
from pipeline.result import ResultFolder
from pipeline.types import Status, Video
from pipeline.views.canvas import words_height_px
from pipeline.views.heads import HEAD
from pipeline.views.one_body import legible
from pipeline.views.rendering import spread
from tests.pipeline.judged_people import camera_of, found_people, true_scene

FRAMES, FPS = 20, 30.0
WIDTH, HEIGHT = 480, 270
GREY = 90


@pytest.fixture(scope="module")
def truth():
    whole = true_scene(4.0)
    truth = whole.every(6, 0)
    scale = np.diag([0.5, 0.5, 1.0])  # the scene is filmed at 960 x 540
    return replace(truth, K_px=scale @ truth.K_px, time_s=np.arange(FRAMES) / FPS)


@pytest.fixture(scope="module")
def people(truth):
    first, second = found_people(truth)
    status = second.status.copy()
    status[8:11], status[14:16] = Status.INTERPOLATED, Status.MISSING
    unseen = status != Status.OBSERVED
    nan = np.where(unseen[:, None], np.nan, second.boxes_xyxy_px).astype(np.float32)
    marks = np.where(unseen[:, None, None], np.nan, second.keypoints_px).astype(np.float32)
    confidence = np.where(status == Status.MISSING, 0, 0.9).astype(np.float32)
    changed = {"status": status, "boxes_xyxy_px": nan, "keypoints_px": marks}
    return first, replace(second, **changed, confidence=confidence)


@pytest.fixture(scope="module")
def result(tmp_path_factory, truth, people):
    """A result folder and its source: plain grey frames."""
    path = tmp_path_factory.mktemp("render")
    source = path / "grey.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(FRAMES):
            picture = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    folder, camera = ResultFolder(path / "result"), camera_of(truth)
    video = Video(source, WIDTH, HEIGHT, 0, truth.time_s, 0, False, "h264")
    write_people(folder.path, people, camera, load_body(), source)
    storage.write_noun(folder.stage_path("video"), storage.video_arrays(video), "made up")
    listed = [person_summary(p, folder, camera, load_body()) for p in people]
    folder.write_report(
        {
            "status": "complete",
            "settings": {"body": {"model": "embedded"}, "rendering": {"backend": "raster"}},
            "licences": {"verdict": "made up", "used": []},
            "made": {},
            "video": {
                "path": str(source),
                "width_px": WIDTH,
                "height_px": HEIGHT,
                "first_frame": 0,
                "frame_count": FRAMES,
                "fps": FPS,
                "duration_s": (FRAMES - 1) / FPS,
                "has_audio": False,
                "codec": "h264",
            },
            "camera": {"K_px": camera.K_px.tolist(), "origin": "given"},
            "people": listed,
            "events": [],
        }
    )
    return folder.path


def frame_of(folder: Path, mode: str, index: int) -> np.ndarray:
    """RGB or RGBA of a written PNG."""
    picture = cv2.imread(str(folder / f"{mode}_{index:06d}.png"), cv2.IMREAD_UNCHANGED)
    return picture[..., [2, 1, 0, 3][: picture.shape[2]]].astype(int)


def near(picture: np.ndarray, rgb, tolerance=30) -> np.ndarray:
    """(h, w) where the hue is that of a colour, however it is lit."""
    lit = picture[..., :3] / np.maximum(picture[..., :3].max(axis=2, keepdims=True), 1)
    wanted = np.array(rgb) / max(rgb)
    return (np.abs(lit - wanted).max(axis=2) < tolerance / 255) & (
        picture[..., :3].max(axis=2) > 60
    )


def pixels_of(people, truth, row):
    """Joints of both people in the picture of a frame."""
    return [project(pose_person(p, load_body()).joints_m[row], truth.K_px) for p in people]


def test_a_mask_covers_the_joints_and_nothing_else(humans4d, result, people, truth, tmp_path):
    code, text = humans4d("render", result, "--mode", "silhouette", "--png", "-q", "-o", tmp_path)
    assert code == 0, text
    assert len(list(tmp_path.glob("*.png"))) == FRAMES
    picture = frame_of(tmp_path, "silhouette", 2)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    for person, joints in zip(people, pixels_of(people, truth, 2), strict=True):
        mask = np.abs(picture - colour_of(person.id).astype(int)).max(axis=2) < 20
        inner = joints[[0, 3, 6, 9, 4, 5]].astype(int)
        assert mask[inner[:, 1], inner[:, 0]].all()
        low, high = joints.min(axis=0) - 12, joints.max(axis=0) + 12
        rows, columns = np.nonzero(mask)
        assert columns.min() > low[0]
        assert columns.max() < high[0]
        assert rows.min() > low[1] - 12
        assert rows.max() < high[1] + 5
    assert (picture[0] == 0).all()


def test_gaps_are_drawn_fainter_and_lost_people_not_at_all(humans4d, result, tmp_path):
    arguments = ("--mode", "silhouette", "--png", "--transparent", "--people", 2, "-q")
    assert humans4d("render", result, *arguments, "-o", tmp_path)[0] == 0
    strongest = [frame_of(tmp_path, "silhouette", k)[..., 3].max() for k in (7, 9)]
    assert strongest[0] == 255
    assert strongest[1] == pytest.approx(0.55 * 255, abs=2)
    lost = cv2.imread(str(tmp_path / "silhouette_000014.png"), cv2.IMREAD_UNCHANGED)
    assert lost[..., 3].max() == 0


@pytest.mark.parametrize("mode", ["overlay", "skeleton", "wireframe"])
def test_modes_over_the_video_keep_the_picture_beside_people(humans4d, result, tmp_path, mode):
    large = f"{4 * WIDTH}x{4 * HEIGHT}"
    arguments = ("--mode", mode, "--stills", 2, "--no-labels", "--size", large, "-q")
    arguments += ("-o", tmp_path)
    assert humans4d("render", result, *arguments)[0] == 0
    files = sorted(tmp_path.glob("*.png"))
    assert len(files) == 2
    picture = frame_of(tmp_path, mode, int(files[0].stem.split("_")[1]))
    ground = GREY // 2 if mode == "wireframe" else GREY
    assert np.abs(picture[:8] - ground).max() <= 4
    assert near(picture, colour_of(1)).sum() > 100
    assert near(picture, colour_of(2)).sum() > 100


@pytest.mark.parametrize("mode", ["overlay", "mesh", "skeleton", "wireframe", "side", "birdseye"])
def test_every_view_but_the_mask_has_labels_unless_told_not_to(humans4d, result, tmp_path, mode):
    pictures = []
    for word in ("--labels", "--no-labels"):
        arguments = ("--mode", mode, "--stills", 1, word, "-q", "-o", tmp_path / word)
        assert humans4d("render", result, *arguments)[0] == 0
        pictures.append(frame_of(tmp_path / word, mode, 10))
    changed = np.abs(pictures[0] - pictures[1]).max(axis=2) > 8
    plate = 0.72 * colour_of(1).astype(float)
    of_first = np.abs(pictures[0] - plate).max(axis=2) < 30
    assert (changed & of_first).sum() > 40
    assert changed.mean() < 0.03, "the rest is the same"


def test_mesh_stands_beside_an_untouched_input(humans4d, result, tmp_path):
    assert humans4d("render", result, "--mode", "mesh", "--stills", 1, "-q", "-o", tmp_path)[0] == 0
    picture = frame_of(tmp_path, "mesh", 10)
    assert picture.shape == (HEIGHT, 2 * WIDTH, 3)
    assert np.abs(picture[:, :WIDTH] - GREY).max() <= 4
    assert near(picture[:, WIDTH:], colour_of(1)).sum() > 300


def test_without_an_input_the_mesh_stands_alone(humans4d, result, tmp_path):
    folder = tmp_path / "moved"
    copy_result(result, folder, lambda report: report["video"].update(path="gone.mp4"))
    code, _ = humans4d("render", folder, "--mode", "mesh", "--stills", 1, "-q", "-o", tmp_path)
    picture = frame_of(tmp_path, "mesh", 10)
    assert code == 0 and picture.shape == (HEIGHT, WIDTH, 3)
    assert near(picture, colour_of(1)).sum() > 300


def test_no_blurred_head_is_claimed_where_there_is_no_picture(humans4d, result, tmp_path):
    folder = tmp_path / "moved"
    copy_result(result, folder, lambda report: report["video"].update(path="gone.mp4"))
    for source, told in ((folder, False), (result, True)):
        out = tmp_path / source.name
        code, text = humans4d("render", source, "--blur-faces", "--stills", 1, "-q", "-o", out)
        assert code == 0 and ("are blurred" in text) == told


@pytest.mark.parametrize(("asked", "rows"), [(1, [10]), (2, [5, 15]), (20, None), (99, None)])
def test_stills_are_evenly_spread_and_at_most_all(asked, rows):
    assert spread(FRAMES, asked).tolist() == (rows or list(range(FRAMES)))


def test_the_output_may_be_one_picture_but_no_other_kind_of_film(humans4d, result, tmp_path):
    one = tmp_path / "one.png"
    assert humans4d("render", result, "--stills", 1, "-q", "-o", one)[0] == 0
    assert cv2.imread(str(one)).shape == (HEIGHT, WIDTH, 3)
    for arguments in (("--stills", 2, "-o", tmp_path / "two.png"), ("-o", tmp_path / "x.gif")):
        code, text = humans4d("render", result, "-q", *arguments)
        assert code == EXIT_SETTINGS and str(arguments[-1]) in text
        assert not arguments[-1].exists()


def test_the_grid_fills_the_view_from_above(humans4d, result, tmp_path):
    arguments = ("--mode", "birdseye", "--stills", 1, "-q", "--no-labels", "-o", tmp_path)
    assert humans4d("render", result, *arguments, "--size", "300x900")[0] == 0
    bars = np.abs(frame_of(tmp_path, "birdseye", 10) - (214, 219, 226)).max(axis=2) < 12
    along = np.flatnonzero(bars.mean(axis=1) > 0.6)
    across = np.flatnonzero(bars.mean(axis=0) > 0.6)
    metre = np.median(np.diff(along)[np.diff(along) > 3])
    assert along[0] <= metre and along[-1] >= 900 - metre
    assert across[0] <= metre and across[-1] >= 300 - metre


@pytest.mark.parametrize("mode", ["side", "birdseye"])
def test_everybody_is_in_views_from_elsewhere(humans4d, result, tmp_path, mode):
    arguments = ("--mode", mode, "--png", "--size", "400x300", "--no-labels", "-q", "-o", tmp_path)
    assert humans4d("render", result, *arguments)[0] == 0
    for index in (0, FRAMES - 1):
        picture = frame_of(tmp_path, mode, index)
        assert picture.shape == (300, 400, 3)
        for person_id in (1, 2):
            rows, columns = np.nonzero(near(picture, colour_of(person_id)))
            assert len(rows) > 40
            assert 4 < columns.min() <= columns.max() < 396
            assert 4 < rows.min() <= rows.max() < 296


def test_birdseye_is_true_to_scale(humans4d, result, people, tmp_path):
    """Two people's distance on the floor, against the grid's own metre."""
    arguments = ("--mode", "birdseye", "--stills", 1, "--no-labels", "-q", "-o", tmp_path)
    assert humans4d("render", result, *arguments, "--size", "900x900", "--transparent")[0] == 0
    picture = frame_of(tmp_path, "birdseye", 10)
    middles = []
    for person_id in (1, 2):
        rows, columns = np.nonzero(near(picture, colour_of(person_id)) & (picture[..., 3] > 240))
        middles.append(np.array([np.median(columns), np.median(rows)]))
    bars = (np.abs(picture[..., :3] - (214, 219, 226)).max(axis=2) < 12) & (picture[..., 3] > 60)
    upright = np.flatnonzero(bars.sum(axis=0) > 0.5 * bars.sum(axis=0).max())
    metre_px = np.median(np.diff(upright)[np.diff(upright) > 20])
    joints = [pose_person(p, load_body()).joints_m[10, 0] for p in people]
    apart_m = np.linalg.norm((joints[0] - joints[1])[[0, 2]])
    assert np.linalg.norm(middles[0] - middles[1]) / metre_px == pytest.approx(apart_m, rel=0.15)


def test_a_part_as_video_has_the_frames_and_times(humans4d, result, tmp_path):
    out = tmp_path / "part.mp4"
    arguments = ("--mode", "skeleton", "--start", 0.2, "--end", 0.4, "--size", "320x180")
    assert humans4d("render", result, *arguments, "-q", "-o", out)[0] == 0
    with av.open(str(out)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == 6
    assert (frames[0].width, frames[0].height) == (320, 180)
    assert np.diff([float(f.time) for f in frames]) == pytest.approx(1 / FPS, abs=1e-3)


def test_heads_of_all_are_blurred_whoever_is_drawn(humans4d, result, people, truth, tmp_path):
    """On noise: what is blurred has no contrast left."""
    noise = tmp_path / "noise.mkv"
    rng = np.random.default_rng(0)
    with av.open(str(noise), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for _ in range(FRAMES):
            picture = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    arguments = ("--mode", "mesh", "--stills", 1, "--people", 1, "--blur-faces", "--video", noise)
    code, text = humans4d("render", result, *arguments, "-q", "-o", tmp_path / "out")
    assert code == 0, text
    assert "heads of 2 tracked people" in text
    picture = frame_of(tmp_path / "out", "mesh", 10)[:, :WIDTH]
    for joints in pixels_of(people, truth, 10):
        x, y = joints[HEAD].astype(int)
        assert picture[y - 2 : y + 3, x - 2 : x + 3].std(axis=(0, 1)).max() < 25
        pelvis_x, pelvis_y = joints[0].astype(int)
        assert picture[pelvis_y - 4 : pelvis_y + 5, pelvis_x - 4 : pelvis_x + 5].std() > 50


def test_without_its_video_a_result_is_drawn_and_that_is_said(humans4d, result, tmp_path):
    folder = tmp_path / "moved"
    copy_result(result, folder, lambda report: report["video"].update(path="gone.mp4"))
    code, text = humans4d("render", folder, "--stills", 1, "-q")
    assert code == 0
    assert "fallback: the source video gone.mp4 is not there" in text
    picture = frame_of(folder / "views" / "overlay", "overlay", 10)
    assert near(picture, colour_of(1)).sum() > 300


def copy_result(result, folder, change):
    """A copy with another run.json."""
    import shutil

    shutil.copytree(result, folder, ignore=shutil.ignore_patterns("views"))
    report = json.loads((folder / "run.json").read_text())
    change(report)
    write_json(folder / "run.json", report)


def test_an_older_schema_is_refused_with_the_way_out(humans4d, result, tmp_path):
    folder = tmp_path / "old"
    copy_result(result, folder, lambda report: report.update(schema_version=0))
    for command in ("render", "inspect"):
        code, text = humans4d(command, folder)
        assert code == EXIT_OUTPUT
        assert "schema version 0" in text
        assert "Run the video again" in text


def test_a_result_without_people_says_so_in_its_own_words(humans4d, tmp_path):
    from benchmarks.format_readers.truth import write_made_up_result

    empty = write_made_up_result(tmp_path / "empty", people=()).path
    for command, words in ((("render", empty), "draw"), (("view", empty), "view")):
        code, text = humans4d(*command)
        assert code == EXIT_INPUT
        assert f"there is nobody in this result, so nothing to {words}" in text
    assert not (empty / "views").exists() and not (empty / "viewer.html").exists()


def test_a_result_that_never_had_a_video_is_drawn_without_one(humans4d, result, tmp_path):
    """As after `humans4d import`: the path in run.json names the imported file, which is there."""
    folder, imported = tmp_path / "imported", tmp_path / "motion.npz"
    imported.write_bytes(b"not a film")
    facts = {"path": str(imported), "codec": "none", "has_audio": False}
    copy_result(result, folder, lambda report: report["video"].update(facts))
    for mode, told in (("side", False), ("overlay", True)):
        code, text = humans4d("render", folder, "--mode", mode, "--stills", "1")
        assert code == 0, text
        assert ("this result has no video" in text) == told
    code, text = humans4d("view", folder, "--export", tmp_path / "x.html")
    assert code == 0 and "this result has no video" in text


def thrown(trans):
    """One frame far outside the world."""
    return np.concatenate([trans[:5], trans[5:6] + 1e9, trans[6:]])


@pytest.mark.parametrize(
    ("field", "change", "words"),
    [
        ("confidence", lambda values: values * 7, "confidence leaves 0..1"),
        ("trans", thrown, "trans puts the body 1e+09 m away (first in row 5)"),
        ("trans", lambda values: -values, "joints_camera_m do not lie where trans"),
        ("joints_camera_m", lambda values: values + 1, "joints_camera_m do not lie where trans"),
        ("trans", lambda values: values * 1.01, "joints_camera_m do not lie where trans"),
    ],
)
def test_a_file_edited_into_nonsense_is_named(humans4d, result, tmp_path, field, change, words):
    folder = tmp_path / "bad"
    copy_result(result, folder, lambda report: None)
    path = folder / "people" / "person_002.npz"
    arrays = storage.read_npz(path)
    write_npz(path, {**arrays, field: change(arrays[field]).astype(np.float32)})
    for command in (("render", folder), ("inspect", path), ("validate", folder)):
        code, text = humans4d(*command)
        assert code == EXIT_OUTPUT
        assert f"person_002.npz: {words}" in text


def test_a_file_under_anothers_number_is_named(humans4d, result, tmp_path):
    folder = tmp_path / "bad"
    copy_result(result, folder, lambda report: None)
    path = folder / "people" / "person_002.npz"
    write_npz(path, {**storage.read_npz(path), "person_id": np.array(7)})
    code, text = humans4d("validate", folder)
    assert code == EXIT_OUTPUT
    assert "person_002.npz: person_id is 7, run.json lists it as person 2" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--people", "7"), EXIT_SETTINGS, "It has: 1,2"),
        (("--people", "a"), EXIT_SETTINGS, "write ids with commas"),
        (("--size", "big"), EXIT_SETTINGS, "1280x720"),
        (("--size", "8x8"), EXIT_SETTINGS, "16 to 16384"),
        (("--start", "9"), EXIT_SETTINGS, "no frame there"),
        (("--transparent",), EXIT_SETTINGS, "--png"),
        (("--mode", "xray"), EXIT_SETTINGS, "xray"),
        (("--renderer", "crayon"), EXIT_SETTINGS, "Known: auto, pyrender, raster"),
        (("--video", "nowhere.mp4"), EXIT_INPUT, "no such file"),
    ],
)
def test_wrong_words_are_one_line(humans4d, result, arguments, code, words):
    assert humans4d("render", result, *arguments)[0] == code
    assert words in humans4d("render", result, *arguments)[1]


def test_another_video_is_refused(humans4d, result, tmp_path):
    from tests.pipeline.test_cli import write_clip

    other = write_clip(tmp_path / "other.mp4")
    code, text = humans4d("render", result, "--video", other)
    assert code == EXIT_INPUT
    assert "480x270" in text


def test_inspect_explains_a_file(humans4d, result):
    code, text = humans4d("inspect", result / "people" / "person_002.npz")
    assert code == 0
    assert "15 observed, 3 interpolated" in text
    assert "2 missing" in text


def test_every_array_of_the_schema_has_a_meaning():
    from pipeline.person_words import MEANING
    from pipeline.schema import PERSON_ENTRIES

    assert set(MEANING) == set(PERSON_ENTRIES)


def test_body_show_draws_shape_and_pose(humans4d, tmp_path):
    plain, tall = tmp_path / "plain.png", tmp_path / "tall.png"
    assert humans4d("body", "show", "--no-joints", "--transparent", "-o", plain)[0] == 0
    bent = np.zeros(72)
    bent[3 * 16 + 2] = -1.2  # the left arm goes down
    pose = ",".join(f"{v:g}" for v in bent)
    arguments = ("--pose", pose, "--betas", "2", "--no-joints", "--transparent", "-o", tall)
    assert humans4d("body", "show", *arguments)[0] == 0
    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 3] > 127 for path in (plain, tall)]
    assert all(picture.shape == (800, 1200) for picture in pictures)
    # The front view's arms: even on both sides at rest, not with one arm down.
    reach = [np.flatnonzero(picture[:, :600].any(axis=0)) for picture in pictures]
    at_rest, with_arm_down = (abs((x.min() + x.max()) / 2 - 300) for x in reach)
    assert at_rest < 8
    assert pictures[0].any()
    assert np.abs(pictures[0].sum() - pictures[1].sum()) > 1000
    assert with_arm_down < 8  # still in the middle


def test_numbers_of_joints_do_not_lie_on_one_another():
    """From the side an arm's joints lie on a heap: one number for them; from the front most."""
    shape = (800, 600)
    width, height = 1.6 * words_height_px(shape), 1.1 * words_height_px(shape)
    generator = np.random.default_rng(0)
    points = generator.uniform(200, 500, (24, 2))
    points[10:14] = points[10] + generator.uniform(-2, 2, (4, 2))
    shown = dict(legible(points, shape))
    assert 8 < len(shown) < 22 and not {11, 12, 13} & set(shown)
    places = list(shown.values())
    for k, (x, y) in enumerate(places):
        assert all(abs(x - a) >= width or abs(y - b) >= height for a, b in places[k + 1 :])


def test_body_show_reads_a_persons_file_as_its_camera_saw_it(humans4d, result, tmp_path):
    out = tmp_path / "body.png"
    path = result / "people" / "person_001.npz"
    assert humans4d("body", "show", path, "--frame", 3, "-o", out)[0] == 0
    assert cv2.imread(str(out)).shape == (800, 1200, 3)
    code, text = humans4d("body", "show", path, "--frame", 99)
    assert (code, "frames 0 to 19" in text) == (EXIT_SETTINGS, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"betas": [1]}', "neither 'poses' nor 'pose'"),
        ('{"pose": [1, 2]}', "72 are needed"),
        ('{"pose": "x"}', "does not hold numbers"),
        ("[1", "is not JSON"),
    ],
)
def test_body_show_refuses_nonsense(humans4d, tmp_path, content, words):
    path = tmp_path / "body.json"
    path.write_text(content)
    code, text = humans4d("body", "show", path)
    assert code == EXIT_INPUT
    assert words in text


def test_a_shadow_lies_right_below_a_body(truth):
    """Grey where the floor below somebody is, no darker where two shadows meet."""
    from pipeline import backends
    from pipeline.context import Context
    from pipeline.posing import Poser
    from pipeline.views.canvas import blank
    from pipeline.views.scene import Scene
    from pipeline.views.shadow import STRENGTH, draw_shadows

    people = tuple(pose_person(person, load_body()) for person in found_people(truth))
    up = truth.rotmat_camera_world[0] @ [0.0, 1.0, 0.0]
    floor = Floor(people[0].soles_m.reshape(-1, 3).mean(axis=0), up, {}, "standing feet")
    config = backends.make_config("rendering", "raster", {"alpha": 1.0})
    renderer = backends.make("rendering", "raster", config, Context())
    scene = Scene(
        people, people, floor, camera_of(truth), (WIDTH, HEIGHT), load_body(), renderer, FPS
    )
    meshes = Poser(tuple(one.person for one in people), load_body()).meshes(0, 1)[0]
    size_px = (WIDTH, HEIGHT)
    canvas = blank(size_px, (255, 255, 255))
    draw_shadows(canvas, scene, [meshes[0]], np.eye(3), np.zeros(3), truth.K_px)
    feet_m = people[0].joints_m[0, [10, 11]]
    feet_px = project(feet_m - floor.height_m(feet_m)[:, None] * floor.up, truth.K_px)
    dark = 255 - canvas[..., 0].astype(int)
    rows, columns = np.nonzero(dark > 10)
    assert len(rows) > 30 and dark.max() <= round(255 * STRENGTH) + 1
    for x, y in feet_px:
        assert np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() < 4
    twice = blank(size_px, (255, 255, 255))
    draw_shadows(twice, scene, [meshes[0], meshes[0]], np.eye(3), np.zeros(3), truth.K_px)
    assert np.abs(twice.astype(int) - canvas).max() < 20  # soft rims only
