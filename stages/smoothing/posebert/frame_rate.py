"""Rotations at the frame rate that a network was trained at, and back."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.interpolate import make_interp_spline

from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from stages.smoothing._rotation import continuous_quats, rotvec_of
from stages.smoothing._uniform import CUBIC, STEADY


@dataclass(frozen=True)
class Sampled:
    """A stretch at steady times."""

    time_s: Float64[np.ndarray, " n"]
    rotvec: Float64[np.ndarray, "n 24 3"]
    seen: Bool[np.ndarray, " n"]
    """True where the frames before and after were both seen."""


def sampled_at(
    fps: float,
    time_s: Float64[np.ndarray, " t"],
    rotvec: Float64[np.ndarray, "t 24 3"],
    seen: Bool[np.ndarray, " t"],
    guessed: bool = False,
) -> Sampled:
    """Shortest arcs between seen frames; a stretch already at that rate stays as it is.

    `guessed`: frames that were not seen hold good guesses, and are used like the others.
    """
    steps = max(1, round((time_s[-1] - time_s[0]) * fps))
    steady_s = np.linspace(time_s[0], time_s[-1], steps + 1)
    if len(steady_s) == len(time_s) and np.abs(steady_s - time_s).max() <= STEADY / fps:
        return Sampled(time_s, rotvec, seen)
    known = interpolate_linear(time_s, seen.astype(np.float64), steady_s) > 1 - STEADY
    used = seen | guessed
    return Sampled(steady_s, interpolate_rotvec(time_s[used], rotvec[used], steady_s), known)


def read_at(
    time_s: Float64[np.ndarray, " t"],
    sampled_s: Float64[np.ndarray, " n"],
    rotvec: Float64[np.ndarray, "n 24 3"],
) -> Float64[np.ndarray, "t 24 3"]:
    """The rotations at other times, by cubic splines through sign-continuous quaternions."""
    if len(time_s) == len(sampled_s) and np.array_equal(time_s, sampled_s):
        return rotvec
    degree = min(CUBIC, len(sampled_s) - 1)
    spline = make_interp_spline(sampled_s, continuous_quats(rotvec), k=degree)
    return rotvec_of(np.asarray(spline(time_s)))
