"""Body files of users: SMPL's own form with chumpy inside, and everything that can be wrong."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.body_file import EMBEDDED_PATH, body_fingerprint, read_body_file
from pipeline.errors import InputError, MissingError

Content = dict[str, Any]


@pytest.fixture(scope="module")
def content() -> Content:
    """A small body in SMPL's form: 24 joints, 60 vertices."""
    random = np.random.default_rng(0)
    parents = [
        4294967295,
        0,
        0,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        9,
        9,
        12,
        13,
        14,
        16,
        17,
        18,
        19,
        20,
        21,
    ]
    weights, regressor = random.random((60, 24)), random.random((24, 60))
    return {
        "v_template": random.normal(size=(60, 3)),
        "shapedirs": random.normal(size=(60, 3, 12)),
        "posedirs": random.normal(size=(60, 3, 207)),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.array([parents, range(24)], dtype=np.uint32),
        "f": random.integers(0, 60, (116, 3)).astype(np.uint32),
    }


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Classes that pickle as chumpy's do, without chumpy."""
    module, reordering = ModuleType("chumpy.ch"), ModuleType("chumpy.reordering")
    for home, name in ((module, "Ch"), (reordering, "Select")):
        setattr(home, name, type(name, (), {"__module__": home.__name__}))
        monkeypatch.setitem(sys.modules, home.__name__, home)
    monkeypatch.setitem(sys.modules, "chumpy", ModuleType("chumpy"))
    module.Select = reordering.Select  # type: ignore[attr-defined]
    return module


def instance_of(kind: type, **state: Any) -> Any:
    made = kind()
    made.__dict__.update(state)
    return made


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_a_pickle_with_chumpy_and_sparse_parts_is_read(
    content: Content, chumpy: Any, tmp_path: Path, protocol: int
) -> None:
    flat = content["shapedirs"].ravel()
    shuffled = np.random.default_rng(1).permutation(len(flat))
    back = np.argsort(shuffled)
    told = {
        **content,
        "v_template": instance_of(chumpy.Ch, x=content["v_template"], dterms=["x"]),
        "shapedirs": instance_of(
            chumpy.Select,
            a=instance_of(chumpy.Ch, x=flat[shuffled]),
            idxs=back,
            preferred_shape=(60, 3, 12),
        ),
        "J_regressor": sp.csc_matrix(content["J_regressor"]),
        "bs_style": "lbs",
    }
    path = tmp_path / "basicmodel.pkl"
    path.write_bytes(pickle.dumps(told, protocol))
    arrays = read_body_file(path)
    np.testing.assert_allclose(arrays.v_template_m, content["v_template"], rtol=1e-6)
    np.testing.assert_allclose(arrays.shapedirs, content["shapedirs"][:, :, :10], rtol=1e-6)
    np.testing.assert_allclose(arrays.J_regressor, content["J_regressor"], rtol=1e-6)
    np.testing.assert_array_equal(arrays.faces, content["f"])
    assert arrays.parents[:4] == (-1, 0, 0, 0)
    assert arrays.posedirs is not None


def test_npz_is_read_and_zero_pose_corrections_are_left_out(
    content: Content, tmp_path: Path
) -> None:
    path = tmp_path / "body.npz"
    np.savez(path, **{**content, "posedirs": np.zeros((60, 3, 207), np.int8)})
    arrays = read_body_file(path)
    np.testing.assert_allclose(arrays.weights, content["weights"], rtol=1e-6)
    assert arrays.posedirs is None


def test_a_malicious_body_runs_nothing(content: Content, tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'run'}",)

    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps({**content, "extra": Attack()}))
    with pytest.raises(InputError, match=r"system, which is no container"):
        read_body_file(path)
    hidden = tmp_path / "body.npz"
    np.savez(hidden, **{**content, "f": np.array([Attack()], dtype=object)})
    with pytest.raises(InputError, match="not a readable"):
        read_body_file(hidden)
    assert not (tmp_path / "run").exists()


def without(key: str) -> Callable[[Content], Content]:
    return lambda content: {k: v for k, v in content.items() if k != key}


def with_array(key: str, change: Callable[[np.ndarray], Any]) -> Callable[[Content], Content]:
    return lambda content: {**content, key: change(content[key].copy())}


def with_nan(array: np.ndarray) -> np.ndarray:
    array[0, 0] = np.nan
    return array


def orphaned(kintree: np.ndarray) -> np.ndarray:
    kintree[0, 5] = 9
    return kintree


FAULTS: list[tuple[Callable[[Content], Any], str]] = [
    (without("weights"), "it has no weights"),
    (without("posedirs"), "it has no posedirs"),
    (with_array("shapedirs", lambda a: a[:, :, :8]), r"shapedirs has shape \(60, 3, 8\)"),
    (with_array("weights", lambda a: a[:, :22]), r"weights has shape \(60, 22\).*\(60, 24\)"),
    (with_array("J_regressor", lambda a: a[:, :50]), "J_regressor has shape"),
    (with_array("v_template", np.ravel), r"v_template has shape \(180,\)"),
    (with_array("v_template", with_nan), "v_template holds numbers that are not finite"),
    (with_array("f", lambda a: a + 60), "f names vertices that do not exist"),
    (with_array("f", lambda a: a.astype("U")), "f is not an array of numbers"),
    (with_array("kintree_table", orphaned), "kintree_table does not list parents before"),
    (list, "holds a list"),
]


@pytest.mark.parametrize(("change", "words"), FAULTS)
def test_the_first_fault_is_named_in_one_line(
    content: Content, tmp_path: Path, change: Callable[[Content], Any], words: str
) -> None:
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps(change(content)))
    with pytest.raises(InputError, match=words) as caught:
        read_body_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_bodies_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such file"):
        read_body_file(tmp_path / "nowhere.pkl")
    whole = EMBEDDED_PATH.read_bytes()
    for name, damaged in (
        ("text.npz", b"this is text\n"),
        ("empty.pkl", b""),
        ("half.npz", whole[: len(whole) // 2]),
        ("flipped.npz", whole[:5000] + b"\x00\xff" * 500 + whole[6000:]),
    ):
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="not a readable") as caught:
            read_body_file(path)
        assert "\n" not in str(caught.value)


def test_fingerprints_name_the_file_without_torch(content: Content, tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    np.savez(path, **content)
    name, digest = body_fingerprint(path).split(":")
    assert name == f"smpl-{digest[:8]}"
    code = (
        "import sys; from pipeline.body_file import body_fingerprint as f;"
        "print(f('embedded').split(':')[0], 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["mh24-v1", "False"]
