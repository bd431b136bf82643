import json

import av
import numpy as np
import pytest

from pipeline.context import Context
from pipeline.errors import InputError, UserError
from pipeline.frame import Frame
from stages.detection._box_file import read_boxes
from stages.detection.given import Backend, Config, upright_region

BOX = [10.0, 20.0, 40.0, 100.0]


def frames(count, size=(64, 48)):
    rgb = np.zeros((size[1], size[0], 3), np.uint8)
    return [Frame(i, i / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24")) for i in range(count)]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_three_forms_say_the_same(write):
    csv = write("a.csv", "frame, score, left, top, right, bottom, note\n2,0.5,10,20,40,100,x\n")
    record = dict(zip(("frame", "left", "top", "right", "bottom"), [2, *BOX], strict=True))
    js = write("a.json", json.dumps([record | {"score": 0.5}]))
    mot = write("a.txt", "3,-1,10,20,30,80,0.5,-1,-1,-1\n")
    for path in (csv, js, mot):
        table = read_boxes(path)
        assert table.frame_index.tolist() == [2]
        np.testing.assert_allclose(table.boxes_xyxy_px, [BOX])
        np.testing.assert_allclose(table.score, [0.5])


def test_mot_without_score_and_in_any_order(write):
    table = read_boxes(write("det.txt", "7,1,0,0,5,5\n\n2,1,1,1,5,5,-1\n"))
    assert table.frame_index.tolist() == [1, 6]
    np.testing.assert_allclose(table.score, [1, 1])
    np.testing.assert_allclose(table.boxes_xyxy_px, [[1, 1, 6, 6], [0, 0, 5, 5]])


def test_frame_base_can_be_set(write):
    path = write("a.csv", "frame,left,top,right,bottom\n100,0,0,1,1\n")
    assert read_boxes(path, 100).frame_index.tolist() == [0]
    with pytest.raises(InputError, match=r"frame 100 comes before the first, which is 101"):
        read_boxes(path, 101)


HEAD = "frame,left,top,right,bottom\n"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", HEAD + "0,0,0,1,1\n0,0,x,1,1\n", "line 3: top must be a number"),
        ("a.csv", HEAD + "0,0,0,1\n", "line 2: bottom must be a number"),
        ("a.csv", HEAD + "0,5,0,5,1\n", "line 2: the box is empty"),
        ("a.csv", HEAD + "0.5,0,0,1,1\n", "line 2: frame must be a whole number"),
        ("a.csv", HEAD + "0,0,0,nan,1\n", "line 2: right must be a number"),
        ("a.csv", "frame,left,top,width\n", "the heading lacks right, bottom"),
        ("a.csv", HEAD, "holds no boxes"),
        ("a.txt", "", "holds no boxes"),
        ("a.txt", "1,1,0,0,5,5\n1,1,0,0\n", "line 2: a MOT line has"),
        ("a.txt", "1,1,0,0,5,-5\n", "line 1: the box is empty"),
        ("a.txt", "1;1;0;0;5;5\n", "line 1: a MOT line has"),
        ("a.json", "[\n{]\n", "line 2 column 2"),
        ("a.json", "{}", "must be a list"),
        ("a.json", "[3]", "item 0: is not an object"),
        ("a.json", '[{"frame": true}]', "item 0: frame must be a number"),
    ],
)
def test_malformed_files_are_named_by_line(write, name, text, says):
    path = write(name, text)
    with pytest.raises(InputError) as caught:
        read_boxes(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_boxes(tmp_path / "none.csv")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="not a text file"):
        read_boxes(binary)


def test_boxes_come_out_per_frame_scaled_and_filtered(write):
    path = write(
        "a.csv", "frame,left,top,right,bottom,score\n1,0,0,2,4,.9\n1,2,2,4,4,.2\n3,0,0,2,2,.8\n"
    )
    backend = Backend(Config(path=path, scale=2.5, min_score=0.5, landmarks=False), Context())
    found = backend(frames(3))
    assert found.frame_index.tolist() == [1]
    np.testing.assert_allclose(found.boxes_xyxy_px, [[0, 0, 5, 10]])
    assert found.landmarks_px is None
    assert len(backend(frames(1))) == 0


def test_score_that_nothing_reaches(write):
    path = write("a.csv", HEAD + "0,0,0,1,1\n")
    with pytest.raises(UserError, match="no boxes with a score"):
        Backend(Config(path=path, min_score=2, landmarks=False), Context())


def test_landmarks_inside_the_boxes(write):
    path = write("a.csv", HEAD + "0,10,5,30,45\n1,10,5,30,45\n1,0,0,20,40\n")
    found = Backend(Config(path=path), Context())(frames(2))
    assert found.skeleton == "blazepose33"
    assert found.landmarks_px.shape == found.landmarks_m.shape == (3, 33, 3)
    hips = found.landmarks_m[:, [23, 24]].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=1e-6)


def test_region_is_a_square_around_the_box():
    region = upright_region(np.array([10.0, 20.0, 30.0, 100.0]))
    assert (region.x_px, region.y_px, region.size_px, region.angle_rad) == (20, 60, 100, 0)
