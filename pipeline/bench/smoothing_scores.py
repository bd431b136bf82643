"""Scores of smoothers on known motion with known errors added."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from pipeline import backends
from pipeline.bench.noisy_people import REGRESSOR, Noise, with_gaps, with_noise
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.metrics import acceleration_error_mm_s2, mpjpe_mm, translation_error_mm
from pipeline.motion_delay import delay_frames
from pipeline.types import Person, Status

USUAL_FPS = 30.0
GAPS_S = (0.1, 0.2, 0.33, 0.47)
SEEN_S = 0.67
"""Time in sight between two gaps."""
HANDS = [22, 23]
PEAK = 99.5
MOST_DELAY_S = 0.3
RAW = "none"


@dataclass(frozen=True)
class SmoothingScore:
    """One smoother under one noise at one frame rate; means over the clips."""

    noise: str
    fps: float
    smoother: str
    mpjpe_mm: float
    acceleration_error_m_s2: float
    acceleration_of_raw: float
    """Acceleration error over that of the unsmoothed motion."""
    peak_hand_speed: float
    """Peak (99.5th percentile) of the hands against the pelvis over the true one."""
    place_mm: float
    clean_mpjpe_mm: float
    """What it does to motion without any error."""
    clean_peak_hand_speed: float
    delay_ms: float
    """Of motion without any error."""
    seconds_per_1000_frames: float


@dataclass(frozen=True)
class GapScore:
    """Joints inside of filled gaps, regressor-like noise around them."""

    smoother: str
    gap_s: float
    mpjpe_mm: float


def score_smoothers(truth: list[Person], noise: Noise, fps: float) -> list[SmoothingScore]:
    """Every smoother whose weights are here, `none` first."""
    noisy = [with_noise(person, seed, noise) for seed, person in enumerate(truth)]
    raw = _means(truth, noisy)
    rows = []
    for name in smoothers():
        started = time.perf_counter()
        found = smoothed(noisy, name)
        seconds = time.perf_counter() - started
        clean = smoothed(truth, name)
        means, kept = _means(truth, found), _means(truth, clean)
        delays = [_delay_s(*pair) for pair in zip(truth, clean, strict=True)]
        rows.append(
            SmoothingScore(
                noise.name,
                fps,
                name,
                means.mpjpe_mm,
                means.acceleration_m_s2,
                means.acceleration_m_s2 / raw.acceleration_m_s2,
                means.hand_speed,
                means.place_mm,
                kept.mpjpe_mm,
                kept.hand_speed,
                1000 * float(np.mean(delays)),
                1000 * seconds / sum(len(person) for person in truth),
            )
        )
    return rows


def smoothers() -> list[str]:
    """Names of those that can run here, `none` first."""
    ready = []
    for name in backends.names("smoothing"):
        try:
            backends.make("smoothing", name, backends.make_config("smoothing", name, {}), Context())
        except MissingError:
            continue
        ready.append(name)
    return sorted(ready, key=lambda name: (name != RAW, name))


def smoothed(people: list[Person], name: str) -> list[Person]:
    """With the smoother's own settings, as the pipeline does it."""
    settings = backends.make_config("smoothing", name, {})
    return list(backends.make("smoothing", name, settings, Context())(tuple(people)))


def score_gaps(truth: list[Person]) -> list[GapScore]:
    """Every smoother, gaps of several lengths; `none` fills nothing."""
    rows = []
    for gap_s in GAPS_S:
        frames, seen = round(gap_s * USUAL_FPS), round(SEEN_S * USUAL_FPS)
        given = [
            with_gaps(with_noise(p, seed, REGRESSOR), frames, seen) for seed, p in enumerate(truth)
        ]
        for name in smoothers()[1:]:
            found = smoothed(given, name)
            errors = [
                mpjpe_mm(_joints_m(out), _joints_m(true), valid=p.status == Status.MISSING)
                for true, p, out in zip(truth, given, found, strict=True)
            ]
            rows.append(GapScore(name, gap_s, float(np.mean(errors))))
    return rows


@dataclass(frozen=True)
class _Means:
    mpjpe_mm: float
    acceleration_m_s2: float
    hand_speed: float
    place_mm: float


def _means(truth: list[Person], found: list[Person]) -> _Means:
    rows = []
    for true, person in zip(truth, found, strict=True):
        wanted, got = _joints_m(true), _joints_m(person)
        rows.append(
            (
                mpjpe_mm(got, wanted),
                acceleration_error_mm_s2(got, wanted, true.time_s) / 1000,
                _peak_speed(got, true.time_s) / _peak_speed(wanted, true.time_s),
                translation_error_mm(person.t_camera_m, true.t_camera_m),
            )
        )
    return _Means(*(float(value) for value in np.mean(rows, axis=0)))


def _joints_m(person: Person) -> Float64[np.ndarray, "t 24 3"]:
    """Joints with the pelvis held."""
    body = Context().body.with_shape(torch.from_numpy(person.betas))
    joints_m = body.with_pose(torch.from_numpy(person.pose_rotvec)).joints_m
    return joints_m.numpy().astype(np.float64)


def _peak_speed(joints_m: np.ndarray, time_s: np.ndarray) -> float:
    """Of the hands, m/s."""
    steps = np.linalg.norm(np.diff(joints_m[:, HANDS], axis=0), axis=2)
    return float(np.percentile(steps / np.diff(time_s)[:, None], PEAK))


def _delay_s(true: Person, found: Person) -> float:
    """By the velocities of all joints."""
    step_s = float(np.median(np.diff(true.time_s)))
    old, new = (np.diff(_joints_m(person), axis=0) for person in (true, found))
    most = max(1, round(MOST_DELAY_S / step_s))
    return step_s * delay_frames(old, new, np.ones(len(old), dtype=bool), most)
