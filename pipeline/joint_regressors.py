"""Regressors of extra joints from SMPL's vertices, read from files that the user brings.

Each row weighs the 6890 vertices of a posed SMPL body into one point. They hold for SMPL's mesh
alone: on another mesh the same vertex numbers lie elsewhere, so other bodies are refused.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline import weights as kept
from pipeline.body import BodyModel, PosedBody
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.skeletons import EXTRA19, H36M17, Skeleton
from pipeline.unpickle import read_pickle

VERTEX_COUNT = 6890
_NPY_MAGIC = b"\x93NUMPY"

EXTRA9 = Skeleton(
    "extra9",
    (
        *("right_hip", "left_hip", "neck_lsp", "head_top_lsp", "pelvis_mpii"),
        *("thorax_mpii", "spine_h36m", "jaw_h36m", "head_h36m"),
    ),
    (),
)
"""Rows of `J_regressor_extra.npy`: what SPIN does not take from the skeleton."""

KINDS: dict[str, Skeleton] = {
    "j-regressor-extra": EXTRA9,
    "smpl-to-j19": EXTRA19,
    "j-regressor-h36m": H36M17,
}
"""What each file gives, by its name in the table of weights."""


@dataclass(frozen=True)
class JointRegressor:
    """Points as weighted sums of a SMPL body's vertices."""

    skeleton: Skeleton
    """What each row is."""
    rows: Float[Tensor, "k v"]

    @cached_property
    def _used(self) -> Tensor:
        """Vertices with a weight in any row."""
        return self.rows.any(0).nonzero()[:, 0]

    def points_m(self, posed: PosedBody) -> Float[Tensor, "*n k 3"]:
        """The points on a body, in its precision and on its device.

        Rows need not sum to one, so the body is weighed where it stands at the origin, as the
        official programs do, and moved afterwards.

        Raises:
            SettingsError: the body is not SMPL.
            InputError: it has another number of vertices than the regressor.
        """
        self._check(posed.shaped.model)
        used = self._used.to(posed.pose_rotmat.device)
        vertices_m = replace(posed, t_m=None).vertices(used)
        points_m = self.rows[:, self._used].to(vertices_m) @ vertices_m
        return points_m if posed.t_m is None else points_m + posed.t_m[..., None, :]

    def _check(self, body: BodyModel) -> None:
        if not body.name.startswith("smpl-"):
            raise SettingsError(
                f"{self.skeleton.name}: a regressor made for SMPL's vertices means nothing on the "
                f"body '{body.name}'. Set body.model to a SMPL file, or leave the regressor out"
            )
        if (here := len(body.v_template_m)) != (wanted := self.rows.shape[1]):
            raise InputError(
                f"{self.skeleton.name}: the regressor weighs {wanted} vertices, the body "
                f"'{body.name}' has {here}. Use the two for the same SMPL"
            )


def read_regressor(name: str, given: str | Path | None = None) -> JointRegressor:
    """Read and check one of `KINDS`; nothing in the file is executed.

    Args:
        name: Which; it says how many rows there must be and what they are.
        given: The file, as `.npy` or pickle; None: the one in the cache folder.

    Raises:
        SettingsError: no such kind.
        MissingError: there is no such file; the text says how to get it.
        InputError: it does not hold that regressor. The first thing wrong is named.
    """
    if name not in KINDS:
        raise SettingsError(f"unknown regressor '{name}'. Known: {', '.join(KINDS)}")
    if given is not None and not Path(given).expanduser().is_file():
        raise MissingError(f"{name}: {given} is no file. Give one, or none for that in the cache")
    path = kept.path(name) if given is None else Path(given).expanduser()
    return JointRegressor(KINDS[name], torch.from_numpy(_checked(_read(path), name, path)))


def find_regressor(name: str) -> JointRegressor | None:
    """The one in the cache folder, if there is one there.

    Raises:
        SettingsError, InputError: as for `read_regressor`.
    """
    if name in KINDS and not kept.is_present(kept.row(name)):
        return None
    return read_regressor(name)


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        is_npy = file.read(len(_NPY_MAGIC)) == _NPY_MAGIC
    if not is_npy:
        return read_pickle(path)
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable .npy file ({reason})") from error


def _checked(array: Any, name: str, path: Path) -> Float[np.ndarray, "k v"]:
    wanted = (len(KINDS[name]), VERTEX_COUNT)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise InputError(f"{path}: {name} is an array of numbers, this is {_described(array)}")
    if array.shape != wanted:
        raise InputError(f"{path}: {name} has shape {wanted}, this has {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{path}: {name} holds numbers that are not finite")
    if not array.any(1).all():
        row = KINDS[name].points[int(np.argmin(array.any(1)))]
        raise InputError(f"{path}: {name} has a row of zeros for {row}")
    return np.ascontiguousarray(array, np.float32 if array.dtype != np.float64 else np.float64)


def _described(value: Any) -> str:
    return f"one of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
