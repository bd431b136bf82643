"""One person's quality, frame by frame and summed up, each with its unit in its name."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pipeline.camera import project
from pipeline.judging.feet import Stance, slide_mm
from pipeline.judging.floor import Floor
from pipeline.judging.posed import Posed
from pipeline.judging.sureness import Sureness, sureness_of
from pipeline.metrics import jitter_m_s3
from pipeline.skeletons import BLAZEPOSE33, SMPL24_PARENTS
from pipeline.types import Camera, Person, Status

SEEN_VISIBILITY = 0.5
JITTER_FRAMES = 4
SUNK_M = 0.02


@dataclass(frozen=True)
class Series:
    """Measures of every frame; NaN where there is nothing to measure."""

    reprojection_percent: Float64[np.ndarray, " t"]
    """Mean distance of the body's landmarks from those seen, in percent of the person's height."""
    jitter_m_s3: Float64[np.ndarray, " t"]
    """Mean length of the joints' third derivative."""
    foot_slide_mm: Float64[np.ndarray, " t"]
    """Way of standing feet along the floor since the frame before."""
    penetration_mm: Float64[np.ndarray, " t"]
    """How deep the lowest point of the soles is below the person's own floor."""
    confidence: Float64[np.ndarray, " t"]
    expected_error_deg: Float64[np.ndarray, " t"]
    """What the regressor says its joints are off, before the fit; NaN where it does not tell."""


@dataclass(frozen=True)
class Summary:
    """Numbers of a whole person; None where it could not be measured."""

    observed_share: float
    interpolated_share: float
    missing_share: float
    longest_gap_s: float
    """Longest time without a sighting."""
    confidence: float | None
    reprojection_px: float | None
    reprojection_percent: float | None
    reprojection_percent_p95: float | None
    jitter_m_s3: float | None
    foot_slide_mm_per_frame: float | None
    standing_share: float
    """Of all frames: a foot stands still in the picture."""
    penetration_mm: float | None
    """Mean depth below the floor over all frames, 0 where above."""
    sunk_share: float | None
    """Frames with a sole more than 2 cm below the floor."""
    floor_offset_m: float | None
    """How far the person's feet stand above (or, negative, below) the common floor."""
    hover_m: float | None
    """Median height of the lowest sole above the floor, where nobody's feet tell the floor."""
    bone_length_spread_mm: float
    """Largest standard deviation of any bone's length over time, in the file's joints."""
    stature_m: float
    stature_spread_m: float | None
    """Standard deviation of the statures of single frames before one shape was settled."""
    expected_error_deg: float | None
    """Mean over the person's frames."""
    least_sure_part: str | None
    least_sure_deg: float | None


@dataclass(frozen=True)
class PersonQuality:
    """What the report knows of one person."""

    person: Person
    series: Series
    summary: Summary


def judge_person(
    posed: Posed,
    stance: Stance,
    floor: Floor,
    camera: Camera,
    *,
    file_joints_m: np.ndarray,
    statures_m: np.ndarray,
) -> PersonQuality:
    """All measures of one person.

    Args:
        posed: the person's body.
        stance: when its feet stand.
        floor: common to all.
        camera: the video's.
        file_joints_m: (t, 24, 3) `joints_camera_m` as the person's file has them.
        statures_m: (n,) of the shapes that single frames gave, before they were made one.
    """
    off_px = _mean_of_rows(landmarks_off_px(posed, camera))
    sureness = sureness_of(posed.person)
    height_px = camera.K_px[1, 1] * posed.stature_m / np.maximum(posed.joints_m[:, 0, 2], 0.1)
    series = Series(
        reprojection_percent=100.0 * off_px / height_px,
        jitter_m_s3=_jitter(posed),
        foot_slide_mm=slide_mm(posed, stance, floor.up),
        penetration_mm=_penetration_mm(posed, floor),
        confidence=np.where(posed.person.drawn, posed.person.confidence, np.nan).astype(np.float64),
        expected_error_deg=sureness.error_deg,
    )
    return PersonQuality(
        posed.person,
        series,
        _summary(posed, stance, floor, series, sureness, off_px, file_joints_m, statures_m),
    )


def _summary(
    posed: Posed,
    stance: Stance,
    floor: Floor,
    series: Series,
    sureness: Sureness,
    off_px: np.ndarray,
    file_joints_m: np.ndarray,
    statures_m: np.ndarray,
) -> Summary:
    person, sunk = posed.person, series.penetration_mm > 1000.0 * SUNK_M
    measured = np.isfinite(series.penetration_mm)
    return Summary(
        observed_share=round(float(person.observed.mean()), 4),
        interpolated_share=round(float((person.status == Status.INTERPOLATED).mean()), 4),
        missing_share=round(float((person.status == Status.MISSING).mean()), 4),
        longest_gap_s=round(longest_gap_s(person), 3),
        confidence=_mean(np.where(person.observed, series.confidence, np.nan), 4),
        reprojection_px=_mean(off_px, 2),
        reprojection_percent=_mean(series.reprojection_percent, 2),
        reprojection_percent_p95=_percentile(series.reprojection_percent, 95.0),
        jitter_m_s3=_mean(series.jitter_m_s3, 1),
        foot_slide_mm_per_frame=_mean(series.foot_slide_mm, 2),
        standing_share=round(float(stance.standing.any(axis=1).mean()), 4),
        penetration_mm=_mean(series.penetration_mm, 1),
        sunk_share=round(float(sunk[measured].mean()), 4) if measured.any() else None,
        floor_offset_m=_rounded(floor.offset_m.get(person.id)),
        hover_m=None if floor.is_told else _rounded(_hover_m(posed, floor)),
        bone_length_spread_mm=round(bone_spread_mm(file_joints_m[person.drawn]), 2),
        stature_m=round(float(posed.stature_m), 3),
        stature_spread_m=round(float(statures_m.std()), 3) if len(statures_m) > 1 else None,
        expected_error_deg=_mean(series.expected_error_deg, 1),
        least_sure_part=sureness.least_sure,
        least_sure_deg=sureness.least_sure_deg,
    )


def longest_gap_s(person: Person) -> float:
    """Longest time between two sightings that follow each other."""
    return float(np.diff(person.time_s[person.observed]).max(initial=0.0))


def bone_spread_mm(joints_m: np.ndarray) -> float:
    """Largest standard deviation over time of any bone's length, joints (t, 24, 3)."""
    bones_m = joints_m[:, 1:].astype(np.float64) - joints_m[:, list(SMPL24_PARENTS[1:])]
    return 1000.0 * float(np.linalg.norm(bones_m, axis=-1).std(axis=0).max())


def landmarks_off_px(posed: Posed, camera: Camera) -> Float64[np.ndarray, "t 33"]:
    """Distances in the picture from the body's landmarks to those clearly seen; NaN elsewhere."""
    person = posed.person
    if person.keypoints_px is None or person.skeleton != BLAZEPOSE33.name:
        return np.full((len(person), len(BLAZEPOSE33)), np.nan)
    clear = person.observed[:, None] & (person.keypoints_px[..., 2] > SEEN_VISIBILITY)
    off_px = project(posed.sites_m, camera.K_px) - person.keypoints_px[..., :2]
    return np.where(clear, np.linalg.norm(off_px, axis=-1), np.nan)


def _mean_of_rows(values: Float64[np.ndarray, "t k"]) -> Float64[np.ndarray, " t"]:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _jitter(posed: Posed) -> np.ndarray:
    """(t,) jitter about each frame; NaN at the ends and where a body is missing."""
    count = len(posed.person)
    out = np.full(count, np.nan)
    for row in range(1, count - 2):
        part = slice(row - 1, row - 1 + JITTER_FRAMES)
        if posed.person.drawn[part].all():
            out[row] = jitter_m_s3(posed.joints_m[part], posed.person.time_s[part])
    return out


def _penetration_mm(posed: Posed, floor: Floor) -> np.ndarray:
    own_m = floor.offset_m.get(posed.person.id)
    if own_m is None:
        return np.full(len(posed.person), np.nan)
    lowest_m = floor.height_m(posed.soles_m).min(axis=(1, 2)) - own_m
    return np.where(posed.person.drawn, 1000.0 * np.maximum(-lowest_m, 0.0), np.nan)


def _hover_m(posed: Posed, floor: Floor) -> float | None:
    """Before a moving camera one floor fits no two moments: how far off it the body mostly is."""
    lowest_m = floor.height_m(posed.soles_m).min(axis=(1, 2))[posed.person.drawn]
    return float(np.maximum(np.median(lowest_m), 0.0)) if len(lowest_m) else None


def _mean(values: np.ndarray, digits: int) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.mean()), digits) if len(known) else None


def _percentile(values: np.ndarray, percent: float) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.percentile(known, percent)), 2) if len(known) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
