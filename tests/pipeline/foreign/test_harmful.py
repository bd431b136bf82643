"""Files that try to run something, or are no results at all: refused in one line, nothing run."""

import builtins
import io
import os
import pickle
import subprocess
import zipfile

import joblib
import numpy as np
import pytest
import torch

from pipeline.errors import InputError
from pipeline.foreign.joblib_file import read_joblib
from pipeline.foreign.reading import read_foreign

REST_M = np.zeros((24, 3))


class Harmful:
    """Asks for a call when it is unpickled."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def calls(mark):
    return [
        Harmful(os.system, f"touch {mark}"),
        Harmful(subprocess.check_output, ["touch", str(mark)]),
        Harmful(builtins.eval, f"open({str(mark)!r}, 'w')"),
        Harmful(builtins.exec, f"open({str(mark)!r}, 'w')"),
        Harmful(builtins.getattr, "text", "upper"),
        Harmful(joblib.load, str(mark)),
        Harmful(np.load, str(mark)),
    ]


@pytest.mark.parametrize("kind", range(7))
@pytest.mark.parametrize("container", ["pickle", "joblib", "zlib", "torch"])
def test_nothing_in_a_file_is_run(tmp_path, kind, container):
    mark, path = tmp_path / "harmed", tmp_path / "result.pkl"
    content = {"frame": {"tid": [1], "smpl": calls(mark)[kind], "camera": np.zeros(3)}}
    if container == "pickle":
        path.write_bytes(pickle.dumps(content))
    elif container == "torch":
        torch.save({"smpl_params_incam": content}, path)
    else:
        joblib.dump(content, path, compress=3 if container == "zlib" else 0)
    with pytest.raises(InputError):
        read_foreign(path, REST_M)
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path):
    mark, path = tmp_path / "harmed", tmp_path / "result.pkl"
    objects = np.array([calls(mark)[0]], dtype=object)
    joblib.dump({"poses": objects}, path)
    with pytest.raises(InputError):
        read_joblib(path)
    np.savez(tmp_path / "result.npz", poses=objects, trans=np.zeros((1, 3)))
    with pytest.raises(InputError):
        read_foreign(tmp_path / "result.npz", REST_M)
    assert not mark.exists()


def test_stand_ins_cannot_be_altered_to_become_harmful(tmp_path):
    # BUILD on a global: a pickle that tries to give the stand-in of a function another state.
    program = b"cnumpy.core.multiarray\n_reconstruct\n}Vx\nI1\nsb."
    path = tmp_path / "result.pkl"
    path.write_bytes(program)
    with pytest.raises(InputError, match="may not alter"):
        read_joblib(path)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_joblib_files_of_every_compression_are_read_exactly(tmp_path, compress):
    rng = np.random.default_rng(0)
    content = {
        1: {
            "pose": rng.normal(size=(5, 72)),
            "by column": np.asfortranarray(rng.normal(size=(3, 4)).astype(np.float32)),
            "flags": np.array([True, False]),
            "scalar": np.float32(1.5),
            "big endian": np.arange(4, dtype=">i4"),
            "empty": np.zeros((0, 3)),
            "text": "a",
            "list": [np.arange(2), (1, None, 2.5)],
        }
    }
    path = tmp_path / "content.pkl"
    joblib.dump(content, path, compress=compress)
    read = read_joblib(path)[1]
    for key, value in content[1].items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(read[key], value)
            assert read[key].dtype.kind == value.dtype.kind
    assert (read["scalar"], read["text"], read["list"][1]) == (1.5, "a", (1, None, 2.5))


def truncated_pickle(path):
    joblib.dump({"pose": np.zeros((50, 72))}, path)
    path.write_bytes(path.read_bytes()[:-200])


def huge_claim(path):
    joblib.dump(np.zeros((3, 4)), path)
    path.write_bytes(path.read_bytes().replace(b"K\x03K\x04\x86", b"J\xff\xff\xff\x7fK\x04\x86"))


def text_file(path):
    path.write_text("not a result\n" * 20)


def empty_file(path):
    path.write_bytes(b"")


def folder(path):
    path.mkdir()


def other_pickle(path):
    joblib.dump({"weights": np.zeros(3)}, path)


def list_pickle(path):
    path.write_bytes(pickle.dumps([1, 2]))


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def damaged_zip(path):
    file = io.BytesIO()
    np.savez(file, poses=np.zeros((5, 72)), trans=np.zeros((5, 3)))
    path.write_bytes(file.getvalue()[:300])


def amass_without_rate(path):
    with path.open("wb") as file:
        np.savez(file, poses=np.zeros((5, 72)), trans=np.zeros((5, 3)))


def amass_of_odd_width(path):
    with path.open("wb") as file:
        np.savez(file, poses=np.zeros((5, 70)), trans=np.zeros((5, 3)), mocap_framerate=30.0)


def amass_of_two_lengths(path):
    with path.open("wb") as file:
        np.savez(file, poses=np.zeros((5, 72)), trans=np.zeros((4, 3)), mocap_framerate=30.0)


def bvh_cut_off(path):
    path.write_text("HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Xrotation")


def bvh_of_a_table(path):
    joint = "ROOT Top\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
    path.write_text(f"HIERARCHY\n{joint}MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n")


@pytest.mark.parametrize(
    "make",
    [
        *(truncated_pickle, huge_claim, text_file, empty_file, folder, other_pickle, list_pickle),
        *(other_zip, damaged_zip, amass_without_rate, amass_of_odd_width, amass_of_two_lengths),
        *(bvh_cut_off, bvh_of_a_table),
    ],
    ids=lambda make: make.__name__,
)
def test_what_is_no_result_is_refused_in_words(tmp_path, make):
    path = tmp_path / "result"
    make(path)
    with pytest.raises(InputError, match="result"):
        read_foreign(path, REST_M)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_foreign(tmp_path / "none.pkl", REST_M)
