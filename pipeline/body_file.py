"""Body files: the seven arrays of a SMPL-format body, read from `.npz` or `.pkl`, and checked.

Free of torch, so that a run with nothing to do can name its body without loading one.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from pipeline.errors import MissingError

EMBEDDED = "embedded"
EMBEDDED_NAME = "mh24-v1"
EMBEDDED_PATH = Path(__file__).parent / "data" / "default_body.npz"
JOINT_COUNT = 24
BETA_COUNT = 10
POSEDIR_COUNT = 9 * (JOINT_COUNT - 1)


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
        raise MissingError(f"body model {source}: no such file; give a SMPL .pkl or .npz file")
    return path


def body_name_and_sha256(source: str | Path) -> tuple[str, str]:
    """Name written into results, and digest of the file's bytes."""
    path = body_path(source)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return (EMBEDDED_NAME if path == EMBEDDED_PATH else f"smpl-{sha256[:8]}"), sha256


def body_fingerprint(source: str | Path) -> str:
    """Name and digest of a body in one string, cheap to compute."""
    return ":".join(body_name_and_sha256(source))


def read_body_file(source: str | Path) -> BodyArrays:
    """Read and check a body file."""
    path = body_path(source)
    with np.load(path) as arrays:
        return checked_arrays(dict(arrays), path)


def checked_arrays(raw: Mapping[str, Any], path: Path) -> BodyArrays:
    """Turn a file's content into `BodyArrays`."""
    posedirs = np.asarray(raw["posedirs"])
    kintree = np.asarray(raw["kintree_table"]).astype(np.int64)
    return BodyArrays(
        v_template_m=np.asarray(raw["v_template"], np.float32),
        shapedirs=np.asarray(raw["shapedirs"][:, :, :BETA_COUNT], np.float32),
        posedirs=np.asarray(posedirs, np.float32) if posedirs.any() else None,
        J_regressor=np.asarray(raw["J_regressor"], np.float32),
        weights=np.asarray(raw["weights"], np.float32),
        parents=(-1, *(int(p) for p in kintree[0, 1:])),
        faces=np.asarray(raw["f"]).astype(np.int32),
    )
