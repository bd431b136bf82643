"""Poses people take, as SMPLify knows them: a mixture of Gaussians over joints 1 to 23."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.errors import InputError, MissingError
from pipeline.unpickle import read_pickle

PRIOR_PATH = Path(__file__).parent / "data" / "pose_prior.npz"
"""Trained on CMU's motion by `python -m stages.refinement.smplify.train_prior`."""
ANGLES = 69
"""Axis-angle numbers of joints 1 to 23."""
SIZES = {"means": (ANGLES,), "covars": (ANGLES, ANGLES), "weights": ()}


@dataclass(frozen=True)
class PosePrior:
    """A mixture; its energy is that of the best component (Bogo et al. 2016, eq. 5)."""

    means: Float[Tensor, "c 69"]
    precisions: Float[Tensor, "c 69 69"]
    log_weights: Float[Tensor, " c"]
    """Of each component, with the size of its covariance against the smallest one."""

    def energies(self, body_pose: Float[Tensor, "*n 69"]) -> Float[Tensor, "*n c"]:
        """0.5 d' P d - log w of every component."""
        away = body_pose[..., None, :] - self.means
        squared = torch.einsum("...ci,cij,...cj->...c", away, self.precisions, away)
        return 0.5 * squared - self.log_weights

    def energy(self, body_pose: Float[Tensor, "*n 69"]) -> Float[Tensor, "*n"]:
        """That of the component that says least."""
        return self.energies(body_pose).amin(-1)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "PosePrior":
        """The same prior on another device or in another precision."""
        parts = (self.means, self.precisions, self.log_weights)
        return PosePrior(*(part.to(device=device, dtype=dtype) for part in parts))


def make_pose_prior(
    means: Float[np.ndarray, "c 69"],
    covars: Float[np.ndarray, "c 69 69"],
    weights: Float[np.ndarray, " c"],
) -> PosePrior:
    """The prior of a mixture, in float64; `to(dtype=...)` gives another precision."""
    covars = np.asarray(covars, dtype=np.float64)
    _, log_det = np.linalg.slogdet(covars)
    # Published with determinants relative to the smallest: only differences matter.
    log_size = 0.5 * (log_det - log_det.min()) + ANGLES / 2 * math.log(2 * math.pi)
    return PosePrior(
        torch.tensor(np.asarray(means, dtype=np.float64)),
        torch.tensor(np.linalg.inv(covars)),
        torch.tensor(np.log(np.asarray(weights, dtype=np.float64)) - log_size),
    )


@cache
def shipped_pose_prior() -> PosePrior:
    """The prior that comes with the project, in SMPLify's form."""
    with np.load(PRIOR_PATH, allow_pickle=False) as file:
        return make_pose_prior(**{key: file[key] for key in SIZES})


def read_pose_prior(path: Path) -> PosePrior:
    """The prior of a user's `gmm_08.pkl` (SMPLify, SPIN): means, covars, weights.

    Raises:
        MissingError: there is no such file.
        InputError: it is no such mixture.
    """
    if not path.is_file():
        raise MissingError(f"{path}: no such file; a pose prior is a file like gmm_08.pkl")
    content: Any = read_pickle(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no mixture; expected {', '.join(SIZES)} by name")
    arrays = {key: _array(path, content, key) for key in SIZES}
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1:
        raise InputError(f"{path}: means, covars and weights differ in their number of components")
    _check(path, arrays)
    return make_pose_prior(**arrays)


def _array(path: Path, content: dict[Any, Any], key: str) -> np.ndarray:
    if key not in content:
        raise InputError(f"{path}: '{key}' is missing; expected {', '.join(SIZES)}")
    array = np.asarray(content[key])
    if array.dtype.kind not in "fiu" or array.shape != (*array.shape[:1], *SIZES[key]):
        want = " x ".join(("components", *map(str, SIZES[key])))
        raise InputError(f"{path}: '{key}' is {array.dtype} {array.shape}; expected {want} numbers")
    return array.astype(np.float64)


def _check(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for key, array in arrays.items():
        if not (array.size and np.isfinite(array).all()):
            raise InputError(f"{path}: '{key}' is empty or not finite")
    if not (arrays["weights"] > 0).all():
        raise InputError(f"{path}: 'weights' must be above 0")
    if not (np.linalg.eigvalsh(arrays["covars"]) > 0).all():
        raise InputError(f"{path}: 'covars' must be positive definite")
