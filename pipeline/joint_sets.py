"""Joints of a posed body as the official programs name and order them: 45, 44 and 49 of them.

Indices as in SPIN (Kolotouros et al. 2019), kept by HMR2.0, PHALP and TokenHMR: 24 joints of the
skeleton, 21 vertices, 9 points of `J_regressor_extra.npy`, and selections among these 54. Where
the user has no such file, the points that need it are NaN; none is ever guessed.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.body import PosedBody
from pipeline.errors import InputError
from pipeline.joint_regressors import EXTRA9, JointRegressor
from pipeline.skeletons import COMMON14, COMMON17, EXTRA19, HMR2_44

SMPL_VERTEX_IDS = (
    *(332, 6260, 2800, 4071, 583),
    *(3216, 3226, 3387, 6617, 6624, 6787),
    *(2746, 2319, 2445, 2556, 2673),
    *(6191, 5782, 5905, 6016, 6133),
)
"""Nose, eyes and ears; toes and heels; finger tips. The embedded body has them at these, too."""

OPENPOSE25_OF_54 = (
    *(24, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7),
    *(25, 26, 27, 28, 29, 30, 31, 32, 33, 34),
)
DATA24_OF_54 = (
    *(8, 5, 45, 46, 4, 7, 21, 19, 17, 16, 18, 20),
    *(47, 48, 49, 50, 51, 52, 53, 24, 26, 25, 28, 27),
)
HMR2_44_OF_54 = (*OPENPOSE25_OF_54, *DATA24_OF_54[: len(EXTRA19)])
SPIN49_OF_54 = (*OPENPOSE25_OF_54, *DATA24_OF_54)

COMMON17_OF_H36M17 = (6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10, 0, 7, 9)
COMMON14_OF_H36M17 = COMMON17_OF_H36M17[: len(COMMON14)]
COMMON14_OF_HMR2_44 = tuple(int(i) for i in HMR2_44.indices(*COMMON14.points))
"""25 to 37, and 43."""
COMMON17_OF_DATA24 = tuple(int(i) for i in EXTRA19.indices(*COMMON17.points))
"""0 to 12, 18, 14, 16, 17."""


def joints45_m(
    posed: PosedBody, vertex_ids: tuple[int, ...] = SMPL_VERTEX_IDS
) -> Float[Tensor, "*n 45 3"]:
    """`SMPL45`: the skeleton's joints and the 21 vertices; on SMPL and on the embedded body.

    Raises:
        InputError: the body has too few vertices to be one of these.
    """
    body = posed.shaped.model
    if (count := len(body.v_template_m)) <= max(vertex_ids):
        raise InputError(
            f"the body '{body.name}' has {count} vertices, too few for the points of SMPL's "
            f"surface (up to number {max(vertex_ids)}). Use a body with SMPL's 6890"
        )
    picked: Int[Tensor, " k"] = torch.tensor(vertex_ids, device=posed.joints_m.device)
    return torch.cat([posed.joints_m, posed.vertices(picked)], -2)


def joints44_m(
    posed: PosedBody,
    extra: JointRegressor | None = None,
    vertex_ids: tuple[int, ...] = SMPL_VERTEX_IDS,
) -> Float[Tensor, "*n 44 3"]:
    """`HMR2_44`: OpenPose's 25 and the 19 extra ones.

    Args:
        posed: Bodies.
        extra: `smpl-to-j19`, which gives all 19, as in HMR2.0; or `j-regressor-extra`, which
            gives nine of them while ten are joints of the skeleton, as in SPIN; or None, as the
            last, but the nine are NaN.
        vertex_ids: The 21 vertices.

    Raises:
        SettingsError: a regressor was given for a body that is not SMPL.
        InputError: regressor and body do not fit each other.
    """
    if extra is None or extra.skeleton == EXTRA9:
        return _joints54_m(posed, extra, vertex_ids)[..., list(HMR2_44_OF_54), :]
    _check_kind(extra, EXTRA19.name)
    openpose_m = joints45_m(posed, vertex_ids)[..., list(OPENPOSE25_OF_54), :]
    return torch.cat([openpose_m, extra.points_m(posed)], -2)


def joints49_m(
    posed: PosedBody,
    extra: JointRegressor | None = None,
    vertex_ids: tuple[int, ...] = SMPL_VERTEX_IDS,
) -> Float[Tensor, "*n 49 3"]:
    """`SPIN49`: OpenPose's 25 and the 24 of the training sets.

    Args:
        posed: Bodies.
        extra: `j-regressor-extra`; None: its nine points are NaN.
        vertex_ids: The 21 vertices.

    Raises:
        SettingsError, InputError: as for `joints44_m`.
    """
    if extra is not None:
        _check_kind(extra, EXTRA9.name)
    return _joints54_m(posed, extra, vertex_ids)[..., list(SPIN49_OF_54), :]


def _joints54_m(
    posed: PosedBody, extra: JointRegressor | None, vertex_ids: tuple[int, ...]
) -> Float[Tensor, "*n 54 3"]:
    joints_m = joints45_m(posed, vertex_ids)
    if extra is None:
        unknown = (*joints_m.shape[:-2], len(EXTRA9), 3)
        return torch.cat([joints_m, joints_m.new_full(unknown, torch.nan)], -2)
    return torch.cat([joints_m, extra.points_m(posed)], -2)


def _check_kind(extra: JointRegressor, wanted: str) -> None:
    if extra.skeleton.name != wanted:
        raise InputError(
            f"these joints need the regressor of {wanted}, this one gives {extra.skeleton.name}"
        )
