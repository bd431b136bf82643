"""What every smoother takes away and what it keeps: the tables, and the figures to reach."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from pipeline.bench.cells import number, table, unit
from pipeline.bench.noisy_people import REGRESSOR, WILD, Noise, true_people
from pipeline.bench.smoothing_scores import (
    GAPS_S,
    RAW,
    USUAL_FPS,
    GapScore,
    SmoothingScore,
    score_gaps,
    score_smoothers,
)
from pipeline.config import load_settings
from pipeline.context import Context

RATES_FPS = (24.0, 30.0, 60.0)
MOST_CLIPS, QUICK_CLIPS = 18, 4
ACCELERATION_AT_MOST, HAND_AT_LEAST = 0.1, 0.9
ASKED = {
    "mpjpe_below_raw": unit("MPJPE", "below raw"),
    "acceleration_at_most_a_tenth": unit("accel. at most", "0.1 of raw"),
    "peak_hand_speed_kept": unit("hand peak", "90 % or more"),
    "best_mpjpe": unit("best", "MPJPE"),
    "default": unit("is the", "default"),
}


def smoothing_tables(motions: Path | None, quick: bool) -> tuple[list[Table], dict[str, Any]]:
    """Tables of all smoothers with their own settings, and the figures in them.

    Args:
        motions: a folder of motion files, or one that holds them as `val/`; None: the project's
            own motions.
        quick: a few clips at 30 fps only.

    Raises:
        InputError: there is no usable motion in the folder.
    """
    most = QUICK_CLIPS if quick else MOST_CLIPS
    plan = [(REGRESSOR, USUAL_FPS)]
    if not quick:
        plan += [(REGRESSOR, fps) for fps in RATES_FPS if fps != USUAL_FPS] + [(WILD, USUAL_FPS)]
    context = Context()
    scores: list[SmoothingScore] = []
    tables: list[Table] = []
    for noise, fps in plan:
        truth = list(true_people(motions, context.body, fps, most).values())
        rows = score_smoothers(truth, noise, fps)
        tables.append(score_table(rows, noise, fps, len(truth)))
        scores += rows
    truth = list(true_people(motions, context.body, USUAL_FPS, most).values())
    gaps = score_gaps(truth)
    chosen = targets(scores)
    tables += [gap_table(gaps), target_table(chosen)]
    figures = {"scores": [asdict(s) for s in scores], "gaps": [asdict(g) for g in gaps]}
    return tables, {**figures, "targets": chosen}


def score_table(rows: list[SmoothingScore], noise: Noise, fps: float, clips: int) -> Table:
    """One row per smoother."""
    raw = next(row for row in rows if row.smoother == RAW)
    per_frame_mm = 1000 * raw.acceleration_error_m_s2 / fps**2
    heads = (
        "smoother",
        unit("MPJPE", "mm"),
        unit("accel.", "m/s2"),
        unit("accel.", "of raw"),
        unit("hand", "peak %"),
        unit("place", "mm"),
        unit("clean:", "mm"),
        unit("hand", "peak %"),
        unit("delay", "ms"),
        unit("s per", "1000"),
    )
    made = table(
        f"Smoothing, {clips} clips, {fps:g} fps; {noise.title()}",
        heads,
        caption=f"accel.: error of acceleration, raw {per_frame_mm:.0f} mm/frame^2; hand peak: "
        "of the true peak speed; clean: no error put in; s per 1000 frames",
    )
    for row in rows:
        made.add_row(
            row.smoother,
            number(row.mpjpe_mm, 1),
            number(row.acceleration_error_m_s2, 2),
            number(row.acceleration_of_raw, 3),
            number(100 * row.peak_hand_speed, 0),
            number(row.place_mm, 0),
            number(row.clean_mpjpe_mm, 1),
            number(100 * row.clean_peak_hand_speed, 0),
            number(round(row.delay_ms) + 0.0, 0),
            number(row.seconds_per_1000_frames, 2),
        )
    return made


def gap_table(gaps: list[GapScore]) -> Table:
    """Smoothers by lengths of gaps."""
    heads = ("smoother", *(unit(f"gap {gap_s:g} s", "mm") for gap_s in GAPS_S))
    made = table("Smoothing, MPJPE inside of filled gaps, regressor-like noise, 30 fps", heads)
    for name in dict.fromkeys(gap.smoother for gap in gaps):
        made.add_row(name, *(number(gap.mpjpe_mm, 0) for gap in gaps if gap.smoother == name))
    return made


def target_table(rows: list[dict[str, Any]]) -> Table:
    """What is asked for, reached or not."""
    title = f"Smoothing, figures to reach: {REGRESSOR.name} noise, 30 fps"
    made = table(title, ("smoother", *ASKED.values()))
    for row in rows:
        made.add_row(row["smoother"], *("yes" if row[key] else "no" for key in ASKED))
    return made


def targets(scores: list[SmoothingScore]) -> list[dict[str, Any]]:
    """Of every smoother: what is asked for under regressor-like noise at 30 fps, reached or not."""
    wanted = [s for s in scores if s.noise == REGRESSOR.name and s.fps == USUAL_FPS]
    default = load_settings().stages["smoothing"].backend
    raw = next(s for s in wanted if s.smoother == RAW)
    return [
        {
            "smoother": s.smoother,
            "mpjpe_below_raw": s.mpjpe_mm < raw.mpjpe_mm,
            "acceleration_at_most_a_tenth": s.acceleration_of_raw <= ACCELERATION_AT_MOST,
            "peak_hand_speed_kept": min(s.peak_hand_speed, s.clean_peak_hand_speed)
            >= HAND_AT_LEAST,
            "best_mpjpe": s.mpjpe_mm == min(other.mpjpe_mm for other in wanted),
            "default": s.smoother == default,
        }
        for s in wanted
        if s.smoother != RAW
    ]
