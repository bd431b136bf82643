"""What fuzzing found once: each a file that made a traceback, and is refused in words now."""

import io
import json
import pickle
import shutil
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.format_readers.truth import write_made_up_result
from pipeline import storage
from pipeline.body_file import EMBEDDED_PATH, read_body_file
from pipeline.chunk_file import Chunk, _chunk_from, save_chunk, saved_chunks
from pipeline.config import load_settings
from pipeline.errors import EXIT_INPUT, InputError, OutputError, SettingsError
from pipeline.foreign.joblib_file import read_joblib
from pipeline.identities import read_identities
from pipeline.mot_text import read_mot
from pipeline.npz_file import NpzError, read_npz_file
from pipeline.result import ResultFolder
from pipeline.shots import SIGNATURE
from pipeline.text_files import TextError, parse_json, parse_yaml
from pipeline.torch_file import open_torch_file
from pipeline.types import Detections
from tests.pipeline.nouns import a_person, a_video, some_bodies, some_detections


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    return write_made_up_result(tmp_path_factory.mktemp("found") / "result")


@pytest.fixture
def result(made_up, tmp_path):
    return ResultFolder(shutil.copytree(made_up.path, tmp_path / "result"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: r.update(people="text"), "people"),
        (lambda r: r["people"][0].update(file="../../etc/passwd"), "file"),
        (lambda r: r["people"][0].update(file="/etc/passwd"), "file"),
        (lambda r: r["people"][0].update(id=10**30), "id"),
        (lambda r: r["people"][0].pop("confidence"), "confidence"),
        (lambda r: r["video"].update(fps=0), "fps"),
        (lambda r: r["video"].update(frame_count=-1), "frame_count"),
        (lambda r: r["camera"].update(K_px=[[1, 2], [3]]), "K_px"),
        (lambda r: r["settings"].update(body=[1]), "settings"),
        (lambda r: r["settings"].update(tracking={"backend": 3}), "tracking"),
        (lambda r: r.update(events=[{"stage": "x"}]), "events"),
        (lambda r: r.update(licences=None), "licences"),
        (lambda r: r["made"]["people"].update(files={"../x": 3}), "files"),
        (lambda r: r["people"].append(r["people"][0]), "people"),
        (lambda r: r.pop("camera"), "camera"),
    ],
)
def test_a_report_of_another_form_is_refused(result, change, word):
    report = json.loads(result.report_path.read_text())
    change(report)
    result.report_path.write_text(json.dumps(report))
    with pytest.raises(OutputError, match=word):
        result.read_report()


def test_broken_deflate_in_an_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(1000))
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    with pytest.raises(OutputError, match=r"not a whole \.npz"):
        storage.read_npz(path)


@pytest.mark.parametrize("kind", ["M8[s]", "V8", "O"])
def test_arrays_that_are_no_numbers(tmp_path, kind):
    array = np.array([None]) if kind == "O" else np.zeros(3, kind)
    np.savez(tmp_path / "a.npz", a=array)
    with pytest.raises(NpzError, match="only numbers and text"):
        read_npz_file(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", [(10**12,), (2**62, 2**62), (-1,), (0, 10**12)])
def test_a_claimed_shape_is_held_against_the_bytes(tmp_path, shape):
    content = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content.getvalue() + bytes(64))
    with pytest.raises(NpzError, match="claims"):
        read_npz_file(tmp_path / "a.npz")


def test_a_header_that_python_cannot_tokenize(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L,\\x00\n" + b"'" * 3 + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
        archive.writestr("a.npy", magic + header + bytes(12))
    with pytest.raises(NpzError):
        read_npz_file(tmp_path / "a.npz")


def test_a_bomb_is_not_unpacked(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as file,
    ):
        for _ in range(40):
            file.write(bytes(1 << 23))
    with pytest.raises(NpzError, match="would unpack to 336 MB"):
        read_npz_file(tmp_path / "a.npz")


def test_kept_arrays_of_another_form_are_no_noun():
    arrays = storage.arrays_of(some_detections([0, 1]))
    assert len(storage.noun_from(Detections, arrays)) == 2
    for change in (
        {"boxes_xyxy_px": arrays["boxes_xyxy_px"][:1]},
        {"score": np.float32(3)},
        {"frame_index": arrays["frame_index"].astype(np.float64)},
        {"score": np.full(2, np.nan, np.float32)},
        {"boxes_xyxy_px": np.full((2, 4), np.inf, np.float32)},
        {"landmarks_px": np.full_like(arrays["landmarks_px"], -np.inf)},
    ):
        with pytest.raises(OutputError):
            storage.noun_from(Detections, {**arrays, **change})


@pytest.mark.parametrize("key", ["id", "first_row", "betas", "frame_index", "status", "time_s"])
@pytest.mark.parametrize("value", [np.array(5), np.zeros(0), np.zeros((1, 2, 3)), None])
def test_kept_people_of_another_form_are_nobody(key, value):
    people = storage.people_arrays((a_person(1), a_person(2, 4, 3)))
    arrays = {name: np.asarray(array) for name, array in people.items()}
    assert len(storage.people_from(arrays)) == 2
    changed = {k: v for k, v in {**arrays, key: value}.items() if v is not None}
    with pytest.raises(OutputError):
        storage.people_from(changed)


def test_a_video_without_time_is_none():
    arrays = {key: np.asarray(value) for key, value in storage.video_arrays(a_video()).items()}
    for change in (
        {"time_s": arrays["time_s"][::-1]},
        {"width_px": np.array(-1)},
        {"codec": np.zeros(3)},
        {"codec": np.array(5)},
        {"has_audio": np.array("yes")},
        {"rotation_deg": np.array(0.5)},
    ):
        with pytest.raises(OutputError):
            storage.video_from({**arrays, **change}, a_video().path)
    for name in ("codec", "width_px", "time_s"):
        with pytest.raises(OutputError, match=name):
            storage.video_from({k: v for k, v in arrays.items() if k != name}, a_video().path)


def test_chunks_from_a_damaged_one_on_are_made_again(tmp_path):
    (tmp_path / "000000.npz").write_bytes(b"PK\x03\x04 not an archive")
    assert list(saved_chunks(tmp_path, 0)) == []
    with pytest.raises(OutputError, match="signatures"):
        _chunk_from({"time_s": np.zeros(2), "looks": np.zeros((2, 1))})


@pytest.mark.parametrize("frames", [[-(2**31), 1], [1, 0], [1, 4]])
def test_people_of_a_chunk_are_in_its_frames(tmp_path, frames):
    detections, bodies = some_detections([0, 1]), some_bodies(2)
    looks, signatures = np.zeros((2, 1), np.float32), np.zeros((4, SIGNATURE), np.float16)
    chunk = Chunk(np.arange(4) / 30, detections, bodies, looks, signatures, [])
    save_chunk(tmp_path / "000000.npz", chunk)
    assert len(list(saved_chunks(tmp_path, 0))) == 1
    narrow = replace(chunk, signatures=signatures[:, :-1])
    save_chunk(tmp_path / "000000.npz", narrow)
    assert list(saved_chunks(tmp_path, 0)) == []
    moved = replace(detections, frame_index=np.array(frames, np.int32))
    save_chunk(tmp_path / "000000.npz", replace(chunk, detections=moved))
    assert list(saved_chunks(tmp_path, 0)) == []


def test_a_motion_without_a_finite_body(tmp_path, humans4d):
    poses = np.full((5, 72), np.nan)
    np.savez(tmp_path / "a.npz", poses=poses, trans=np.zeros((5, 3)), mocap_framerate=30.0)
    code, text = humans4d("import", tmp_path / "a.npz", "-o", tmp_path / "out")
    assert code == EXIT_INPUT
    assert "no body in it can be used" in text


@pytest.mark.parametrize("line", ["inf,1,0,0,1,1,1", "1e300,1,0,0,1,1,1", "1,1,nan,0,1,1,1"])
def test_lists_of_boxes_within_bounds(tmp_path, line):
    (tmp_path / "boxes.txt").write_text(line)
    with pytest.raises(InputError, match="line 1"):
        read_mot(tmp_path / "boxes.txt")


def test_a_joblib_file_cut_in_a_number(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04J\x01\x02")
    with pytest.raises(InputError, match="cannot be read"):
        read_joblib(tmp_path / "a.pkl")


def test_a_torch_archive_whose_index_points_nowhere(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.zeros(3)}, path)
    data = bytearray(path.read_bytes())
    entry = data.find(b"PK\x01\x02")
    while entry >= 0:
        data[entry + 42 : entry + 46] = struct.pack("<I", 0xFFFFFFF0)
        entry = data.find(b"PK\x01\x02", entry + 4)
    path.write_bytes(data)
    with pytest.raises(InputError):
        open_torch_file(path)


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04]r\xff\xff\xff\xff.",  # LONG_BINPUT: a memo of four thousand million places
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 44) + b"x.",  # BYTEARRAY8 of 16 TiB
        b"\x80\x04K\x01\x85" + b"2\x86" * 60 + b".",  # a tuple of the same tuple, 60 times over
    ],
)
def test_pickles_that_claim_more_than_they_hold(tmp_path, program):
    (tmp_path / "a.pkl").write_bytes(program)
    try:
        assert read_joblib(tmp_path / "a.pkl") == []
    except InputError as error:
        assert "cannot be read" in str(error)


def test_a_pickle_that_names_one_list_again_and_again(tmp_path):
    nested = [1.0]
    for _ in range(100):
        nested = [nested, nested]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(nested))
    content = read_joblib(tmp_path / "a.pkl")
    assert content[0] is content[1]


def test_a_body_whose_template_is_one_number(tmp_path):
    arrays = read_npz_file(EMBEDDED_PATH)
    np.savez(tmp_path / "body.npz", **{**arrays, "v_template": np.array(3.0)})
    with pytest.raises(InputError, match="v_template has shape"):
        read_body_file(tmp_path / "body.npz")


@pytest.mark.parametrize("text", ["video: {1: 2}", "tracking: {backend: sort, sort: {null: 1}}"])
def test_settings_have_words_for_keys(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SettingsError, match="a key must be a word"):
        load_settings(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["a: &a [x, x]", "b: &b [*a, *a]", "c: [*b, *b]"]),
        "[" * 20_000,
        "&a [*a]",
        "!!python/object/apply:os.system ['true']",
        "2026-13-45",
        "9" * 5000,
    ],
)
def test_yaml_that_multiplies_nests_or_asks_for_more(tmp_path, text):
    with pytest.raises(TextError):
        parse_yaml(text)
    (tmp_path / "identities.yaml").write_text(f"edits: {text}" if "\n" not in text else text)
    with pytest.raises(InputError):
        read_identities(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, "NaN", "[1e999]", "{", "", '{"a": Infinity}'])
def test_json_that_nests_or_is_no_number(text):
    with pytest.raises(TextError):
        parse_json(text)
