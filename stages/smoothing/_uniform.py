"""Filters that know only steady frame rates, used on frames at any times."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import make_interp_spline

from pipeline.interpolate import interpolate_linear

STEADY = 0.02
"""Share of a step by which frames may be early or late and still count as steady."""
CUBIC = 3


def at_steady_times(
    values: Float64[np.ndarray, "t *rest"],
    time_s: Float64[np.ndarray, " t"],
    filtered: Callable[[np.ndarray, float], np.ndarray],
) -> Float64[np.ndarray, "t *rest"]:
    """`filtered(values, step_s)` along the first axis.

    Frames at unsteady times are drawn at steady ones first (the usual step, straight lines: they
    invent no overshoot), and read from a cubic spline through the result.
    """
    step_s = (time_s[-1] - time_s[0]) / (len(time_s) - 1)
    steady_s = time_s[0] + step_s * np.arange(len(time_s))
    if np.abs(time_s - steady_s).max() <= STEADY * step_s:
        return filtered(values, step_s)
    usual_s = float(np.median(np.diff(time_s)))
    steps = max(1, int(np.ceil((time_s[-1] - time_s[0]) / usual_s - STEADY)))
    steady_s = np.linspace(time_s[0], time_s[-1], steps + 1)
    smooth = filtered(interpolate_linear(time_s, values, steady_s), float(steady_s[1] - time_s[0]))
    return np.asarray(make_interp_spline(steady_s, smooth, k=min(CUBIC, steps))(time_s))
