"""Body files: the seven arrays of a SMPL-format body, read from `.npz` or `.pkl`, and checked.

Free of torch, so that a run with nothing to do can name its body without loading one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from pipeline.errors import InputError, MissingError
from pipeline.files import file_digest
from pipeline.npz_file import NpzError, read_npz_file
from pipeline.unpickle import read_pickle

EMBEDDED = "embedded"
EMBEDDED_NAME = "mh24-v1"
EMBEDDED_PATH = Path(__file__).parent / "data" / "default_body.npz"
JOINT_COUNT = 24
BETA_COUNT = 10
POSEDIR_COUNT = 9 * (JOINT_COUNT - 1)
_ZIP_START = b"PK"


@dataclass(frozen=True)
class BodyArrays:
    """What a body file holds, in SMPL's form: metres, Y up, facing +Z."""

    v_template_m: Float32[np.ndarray, "v 3"]
    shapedirs: Float32[np.ndarray, "v 3 10"]
    posedirs: Float32[np.ndarray, "v 3 207"] | None
    """None where all are zero."""
    J_regressor: Float32[np.ndarray, "24 v"]
    weights: Float32[np.ndarray, "v 24"]
    parents: tuple[int, ...]
    """Parent of every joint, -1 for the root."""
    faces: Int32[np.ndarray, "f 3"]


def body_path(source: str | Path) -> Path:
    """The file behind a body's name or path.

    Raises:
        MissingError: there is no such file.
    """
    path = EMBEDDED_PATH if str(source) == EMBEDDED else Path(source).expanduser()
    if not path.is_file():
        raise MissingError(
            f"body model {source}: no such file. Give a SMPL .pkl or .npz file, or '{EMBEDDED}'"
        )
    return path


def body_name_and_sha256(source: str | Path) -> tuple[str, str]:
    """Name written into results, and digest of the file's bytes."""
    path = body_path(source)
    sha256 = file_digest(path)
    return (EMBEDDED_NAME if path == EMBEDDED_PATH else f"smpl-{sha256[:8]}"), sha256


def body_fingerprint(source: str | Path) -> str:
    """Name and digest of a body in one text, cheap to compute."""
    return ":".join(body_name_and_sha256(source))


def read_body_file(source: str | Path) -> BodyArrays:
    """Read and check a body file; nothing in it is executed.

    Raises:
        MissingError: there is no such file.
        InputError: it is not a body in SMPL's form. The first thing wrong is named.
    """
    path = body_path(source)
    raw = _read_npz(path) if path.open("rb").read(2) == _ZIP_START else read_pickle(path)
    if not isinstance(raw, Mapping):
        raise InputError(f"{path}: holds a {type(raw).__name__}, not SMPL's named arrays")
    return _checked(raw, path)


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        return dict(read_npz_file(path, _SHAPES.__contains__))
    except (NpzError, OSError) as error:
        raise InputError(f"{path}: not a readable .npz file ({error})") from error


_SHAPES: dict[str, tuple[int | str, ...]] = {
    "v_template": ("V", 3),
    "shapedirs": ("V", 3, f">={BETA_COUNT}"),
    "posedirs": ("V", 3, POSEDIR_COUNT),
    "J_regressor": (JOINT_COUNT, "V"),
    "weights": ("V", JOINT_COUNT),
    "kintree_table": (2, JOINT_COUNT),
    "f": ("F", 3),
}


def _checked(raw: Mapping[Any, Any], path: Path) -> BodyArrays:
    arrays = {key: _array(raw, key, path) for key in _SHAPES}
    vertex_count = len(np.atleast_1d(arrays["v_template"]))
    for key, array in arrays.items():
        _check_shape(array, key, vertex_count, path)
    parents = _parents(arrays["kintree_table"], path)
    faces = arrays["f"]
    if not len(faces) or faces.min() < 0 or faces.max() >= vertex_count:
        raise InputError(f"{path}: f names vertices that do not exist (there are {vertex_count})")
    posedirs = arrays["posedirs"]
    return BodyArrays(
        v_template_m=_float32(arrays["v_template"]),
        shapedirs=_float32(arrays["shapedirs"][:, :, :BETA_COUNT]),
        posedirs=_float32(posedirs) if posedirs.any() else None,
        J_regressor=_float32(arrays["J_regressor"]),
        weights=_float32(arrays["weights"]),
        parents=parents,
        faces=np.ascontiguousarray(faces, np.int32),
    )


def _array(raw: Mapping[Any, Any], key: str, path: Path) -> np.ndarray:
    """One array, known to be of finite numbers."""
    if key not in raw:
        raise InputError(f"{path}: not a SMPL body, it has no {key} (all of {', '.join(_SHAPES)})")
    array = raw[key]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise InputError(f"{path}: {key} is not an array of numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{path}: {key} holds numbers that are not finite")
    return array


def _check_shape(array: np.ndarray, key: str, vertex_count: int, path: Path) -> None:
    wanted = _SHAPES[key]
    fits = len(array.shape) == len(wanted) and all(
        size >= BETA_COUNT
        if str(want).startswith(">")
        else size == {"V": vertex_count, "F": size}.get(str(want), want)
        for size, want in zip(array.shape, wanted, strict=True)
    )
    if not fits:
        shape = ", ".join(str(vertex_count if want == "V" else want) for want in wanted)
        raise InputError(f"{path}: {key} has shape {array.shape}, a SMPL body has ({shape})")


def _parents(kintree_table: np.ndarray, path: Path) -> tuple[int, ...]:
    """Parent of every joint; the root's own entry means nothing and differs from file to file."""
    parents = (-1, *(int(parent) for parent in kintree_table[0, 1:]))
    if any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint):
        raise InputError(f"{path}: kintree_table does not list parents before their children")
    return parents


def _float32(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, np.float32)
