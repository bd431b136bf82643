"""Which pose prediction the published cost uses: the official network or a line; its weights."""

import numpy as np

from pipeline import weights
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError
from stages.tracking.phalp import pose_predictor
from stages.tracking.phalp.published import PosePrediction
from stages.tracking.phalp.published_flow import line_through_poses

POSE_WEIGHTS, STATISTICS = "phalp-pose", "phalp-pose-statistics"
STATISTICS_SHAPE = (2, 1, 226)


def checkpoint_layout() -> Layout:
    """The pose predictor's checkpoint; only the leading part of a name may be taken off.

    The official loader takes 'encoder.' off everywhere in a name, and thereby leaves the input
    network without its weights. What plays no part in the prediction is left out.
    """
    return Layout(
        "PHALP's pose predictor",
        pose_predictor.shapes(),
        prefixes=tuple(pose_predictor.PREFIXES),
        sized_by=lambda found: pose_predictor.shapes(pose_predictor.sizes_in(found)),
    )


def told_prediction(chosen: str) -> str:
    """The same choice in words."""
    if uses_network(chosen):
        return "PHALP's network"
    return "a straight line through the last poses (the official weights are not used)"


def pose_prediction(chosen: str, context: Context) -> PosePrediction:
    """The official network where it is wanted and there, else a line.

    Raises:
        MissingError: the network is wanted and its weights or statistics are not there.
        InputError: they are another network's.
    """
    if not uses_network(chosen):
        return line_through_poses
    tensors = read_checkpoint(weights.path(POSE_WEIGHTS), checkpoint_layout())
    network = pose_predictor.predictor_with(tensors)
    file = weights.path(STATISTICS)
    try:
        statistics = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: is not an array of numbers: {error}") from error
    if statistics.shape != STATISTICS_SHAPE:
        raise InputError(
            f"{file}: has the shape {statistics.shape}; PHALP's mean_std.npy has {STATISTICS_SHAPE}"
        )
    return network.standardised_by(statistics[0, 0], statistics[1, 0]).predict


def uses_network(chosen: str) -> bool:
    """Whether that choice means the official network here."""
    there = all(weights.is_present(weights.row(name)) for name in (POSE_WEIGHTS, STATISTICS))
    return chosen == "network" or (chosen == "auto" and there)
