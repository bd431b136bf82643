"""Where a person will be: ridge regression of place over time, with intervals, as published.

Three straight lines through the last sightings: x and y of the body's origin in the picture and
the logarithm of its depth. Their slopes are held back, their intercepts free.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, Real
from scipy.special import stdtrit

from stages.tracking.phalp.features import CAMERA, FOCAL_PX, INTERVAL, ORIGIN, SQUARE_PX

X_ALPHA, Y_ALPHA, LOG_DEPTH_ALPHA = 1.2, 2.0, 5.0
"""Penalties on the squared slopes, frames squared."""
FARTHEST_FRAMES = 48
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Forecast:
    """A line read off at one time, for n tracks."""

    value: Float64[np.ndarray, " n"]
    half_width: Float64[np.ndarray, " n"]
    """Of the interval that holds the next value with 95 %; 0 where all records are of one time."""


def forecast(
    frame: Real[np.ndarray, "n h"],
    values: Float[np.ndarray, "n h"],
    at_frame: Real[np.ndarray, " n"],
    alpha: float,
) -> Forecast:
    """Ridge regression with free intercept: slope = S_ty / (S_tt + alpha)."""
    frame, values = np.asarray(frame, np.float64), np.asarray(values, np.float64)
    count = frame.shape[1]
    mean_frame, mean = frame.mean(axis=1), values.mean(axis=1)
    centred = frame - mean_frame[:, None]
    spread = np.square(centred).sum(axis=1)
    slope = (centred * (values - mean[:, None])).sum(axis=1) / (spread + alpha)
    away = at_frame - mean_frame
    residual = values - mean[:, None] - slope[:, None] * centred
    deviation = np.sqrt(np.square(residual).sum(axis=1) / (count - 2))
    leverage = np.square(away) / np.where(spread > 0, spread, np.inf)
    quantile = stdtrit(count - 2, (1 + CONFIDENCE) / 2)  # of Student's t
    half_width = quantile * deviation * np.sqrt(1 + 1 / count + leverage)
    return Forecast(mean + slope * away, half_width)


def predict_places(
    places: Float[np.ndarray, "n h 99"],
    frame: Int64[np.ndarray, "n h"],
    frames_since_seen: Int64[np.ndarray, " n"],
) -> Float64[np.ndarray, "n 99"]:
    """Place vectors of the next frame, from each track's last h sightings.

    Args:
        places: place vectors, oldest first; a young track repeats its first one.
        frame: when they were seen.
        frames_since_seen: 0 for a track that was seen just now.

    Returns:
        As a detection's place vector, with the origin and the camera as predicted, then the half
        widths of the intervals divided by 7 less the number of steps in time, then 1, 1, 0.
        The published program gives NaN where all records are of one time; here the interval is 0.
    """
    places = np.asarray(places, np.float64)
    at = frame[:, -1] + np.minimum(frames_since_seen, FARTHEST_FRAMES) + 1.0
    x = forecast(frame, places[:, :, ORIGIN.start], at, X_ALPHA)
    y = forecast(frame, places[:, :, ORIGIN.start + 1], at, Y_ALPHA)
    log_depth = forecast(frame, np.log(places[:, :, CAMERA.stop - 1]), at, LOG_DEPTH_ALPHA)
    repeated = places.shape[1] - (np.diff(frame, axis=1) != 0).sum(axis=1)
    depth = np.exp(log_depth.value)
    found = places[:, -1].copy()
    found[:, ORIGIN] = np.stack([x.value, y.value], axis=1)
    shift = (found[:, ORIGIN] - 0.5) * (depth * SQUARE_PX / FOCAL_PX)[:, None]
    found[:, CAMERA] = np.column_stack([shift, depth])
    widths = [x.half_width, y.half_width, np.exp(log_depth.half_width)]
    found[:, INTERVAL] = np.stack(widths, axis=1) / repeated[:, None]
    found[:, INTERVAL.stop :] = [1.0, 1.0, 0.0]
    return found
