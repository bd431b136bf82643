"""From many people at rest to the numbers of a body file: mean, shape directions, regressor."""

import numpy as np
from jaxtyping import Float64
from scipy.optimize import nnls
from scipy.spatial import cKDTree

BETA_COUNT = 10
_TORSO_JOINTS = (0, 1, 2, 3, 6, 9, 12)
_TORSO_CANDIDATES, _LIMB_CANDIDATES = 1400, 500
_SUM_PENALTY = 100.0


def shape_directions(
    people_m: Float64[np.ndarray, "n v 3"],
) -> tuple[Float64[np.ndarray, "v 3 10"], Float64[np.ndarray, "n 10"]]:
    """First principal directions, one standard deviation each, and every person's betas.

    A growing first beta makes taller; a growing second one shorter and broader in the shoulders;
    the largest component of each of the others is positive.
    """
    centred = (people_m - people_m.mean(0)).reshape(len(people_m), -1)
    _, vectors = np.linalg.eigh(centred @ centred.T)
    betas = vectors[:, ::-1][:, :BETA_COUNT] * np.sqrt(len(people_m) - 1)
    directions = (centred.T @ betas / (len(people_m) - 1)).reshape(-1, 3, BETA_COUNT)
    signs = _signs(people_m.mean(0), directions)
    return directions * signs, betas * signs


def _signs(
    mean_m: Float64[np.ndarray, "v 3"], directions: Float64[np.ndarray, "v 3 10"]
) -> Float64[np.ndarray, " 10"]:
    flat = directions.reshape(-1, BETA_COUNT)
    signs = np.sign(flat[np.abs(flat).argmax(0), np.arange(BETA_COUNT)])
    grows_m = [np.ptp((mean_m + directions[..., k])[:, 1]) - np.ptp(mean_m[:, 1]) for k in (0, 1)]
    signs[:2] = np.sign([grows_m[0], -grows_m[1]])
    return signs


def joint_directions(
    joints_m: Float64[np.ndarray, "n 24 3"], betas: Float64[np.ndarray, "n 10"]
) -> Float64[np.ndarray, "24 3 10"]:
    """How far one unit of each beta moves each joint, by least squares."""
    centred = (joints_m - joints_m.mean(0)).reshape(len(joints_m), -1)
    return np.linalg.lstsq(betas, centred, rcond=None)[0].T.reshape(-1, 3, BETA_COUNT)


def joint_regressor(
    mean_m: Float64[np.ndarray, "v 3"],
    directions: Float64[np.ndarray, "v 3 10"],
    joints_m: Float64[np.ndarray, "24 3"],
    moves: Float64[np.ndarray, "24 3 10"],
) -> Float64[np.ndarray, "24 v"]:
    """Non-negative weights, summing to 1, that make the joints out of the vertices.

    Fitted to the mean body and to every shape direction: those span all bodies there are.
    """
    tree = cKDTree(mean_m)
    regressor = np.zeros((len(joints_m), len(mean_m)))
    for joint, place_m in enumerate(joints_m):
        count = _TORSO_CANDIDATES if joint in _TORSO_JOINTS else _LIMB_CANDIDATES
        near = np.sort(tree.query(place_m, count)[1])
        vertex_terms = directions[near].transpose(2, 1, 0).reshape(-1, count)
        system = np.vstack([mean_m[near].T, vertex_terms, np.full((1, count), _SUM_PENALTY)])
        wanted = np.concatenate([place_m, moves[joint].T.ravel(), [_SUM_PENALTY]])
        weights, _ = nnls(system, wanted, maxiter=5000)
        regressor[joint, near] = weights / weights.sum()
    return regressor
