"""Fit SMPL bodies to given vertices, 3D joints and 2D joints: `fit_body`, `humans4d body fit`."""

from pipeline.body_fit.fit import BodyFit, fit_body
from pipeline.body_fit.losses import BodyState, FitTarget, FitTerms, FitWeights, fit_terms

__all__ = [
    "BodyFit",
    "BodyState",
    "FitTarget",
    "FitTerms",
    "FitWeights",
    "fit_body",
    "fit_terms",
]
