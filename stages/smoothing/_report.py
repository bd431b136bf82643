"""What smoothing did to fast motion: how much of the peak speed is left, how late it comes."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, median_filter

from pipeline.body import BodyModel
from pipeline.context import Context
from pipeline.interpolate import interpolate_linear
from pipeline.motion_delay import delay_frames
from pipeline.types import Person, Status

FAST_JOINTS = (7, 8, 22, 23)
"""Ankles and hands."""
SPAN_S = 0.1
"""Speeds are taken over this time, so that noise from frame to frame is no speed."""
PEAK = 98.0
"""Percentile from which on speeds count as peaks."""
MEDIAN_FRAMES = 5
"""Takes single wild frames out of what came in."""
ROUGH_S = 0.05
"""Standard deviation of the average that says where motion is fast."""
MOST_DELAY_S = 0.5
LEAST_FRAMES = 10
BLOCK_FRAMES = 2000
"""Posed at a time; posing takes much room."""
STILL_M_S = 0.3
"""Of a person slower than this at the peak nothing is told: that would be noise."""


@dataclass(frozen=True)
class FastMotion:
    """One person's fast motion, after against before."""

    peak_kept: float
    """Share of the peak speed of hands and ankles against the pelvis that is left."""
    delay_s: float
    """How much later the motion comes; a fraction of a frame is told too."""


def tell_of_motion(before: tuple[Person, ...], after: tuple[Person, ...], context: Context) -> None:
    """One event for the run: of all people, the middle and the worst."""
    pairs = zip(before, after, strict=True)
    found = [(old.id, fast_motion(old, new, context.body)) for old, new in pairs]
    known = [(person_id, motion) for person_id, motion in found if motion is not None]
    if not known:
        return
    kept = float(np.median([motion.peak_kept for _, motion in known]))
    delay_ms = 1000 * float(np.median([motion.delay_s for _, motion in known]))
    worst_id, worst = min(known, key=lambda pair: pair[1].peak_kept)
    text = (
        f"Peak speed of hands and ankles kept: {100 * kept:.0f} %; delay {round(delay_ms) + 0} ms"
    )
    if len(known) > 1:
        text += f"; middle of {len(known)} people, least: person {worst_id} with "
        text += f"{100 * worst.peak_kept:.0f} %"
    context.events.record("smoothing", "info", f"{text}.")


def fast_motion(before: Person, after: Person, body: BodyModel) -> FastMotion | None:
    """Compare where a person was seen; None for one hardly seen or hardly moving.

    Both are looked at where the smoothed motion is fast and a rough average of what came in is
    fast too, along the latter's direction: where either alone is fast it may be noise.
    """
    seen = before.status != Status.MISSING
    if seen.sum() < LEAST_FRAMES:
        return None
    step_s = float(np.median(np.diff(before.time_s)))
    span = max(1, round(SPAN_S / step_s))
    whole = seen[span:] & seen[:-span]
    if whole.sum() < LEAST_FRAMES:
        return None
    old_m, new_m = (_places_m(person, body) for person in (before, after))
    old_m = median_filter(old_m, (MEDIAN_FRAMES, 1, 1), mode="nearest")
    time_s = (before.time_s[span:] - before.time_s[:-span])[:, None, None]
    rough_m = gaussian_filter1d(old_m, ROUGH_S / step_s, axis=0, mode="nearest")
    old, new, rough = ((at[span:] - at[:-span]) / time_s for at in (old_m, new_m, rough_m))
    late = delay_frames(old, new, whole, min(round(MOST_DELAY_S / step_s), len(whole) // 4))
    kept = _peak_kept(old, _shifted(new, -late), rough, whole)
    return None if kept is None else FastMotion(kept, late * step_s)


def _peak_kept(
    old: np.ndarray, new: np.ndarray, rough: np.ndarray, whole: np.ndarray
) -> float | None:
    """Usual ratio of `new` to `old`, both along `rough`, at the fastest moments."""
    speeds = np.minimum(*(np.linalg.norm(v, axis=2) for v in (rough, new))) * whole[:, None]
    fast = speeds >= max(np.percentile(speeds[whole], PEAK), STILL_M_S)
    old_along, new_along = ((rough[fast] * v[fast]).sum(-1) for v in (old, new))
    forward = old_along > 0
    if not forward.any():
        return None
    return float(np.median(new_along[forward] / old_along[forward]))


def _shifted(values: np.ndarray, late_frames: float) -> np.ndarray:
    """`values` as they were so many frames ago."""
    frames = np.arange(len(values), dtype=np.float64)
    return interpolate_linear(frames, values, frames - late_frames)


def _places_m(person: Person, body: BodyModel) -> np.ndarray:
    """(t, joints, 3) hands and ankles; the pelvis stays where it is."""
    pose = torch.from_numpy(np.nan_to_num(person.pose_rotvec))
    shaped, fast = body.with_shape(torch.from_numpy(person.betas)), list(FAST_JOINTS)
    blocks = [shaped.with_pose(some).joints_m[:, fast] for some in pose.split(BLOCK_FRAMES)]
    return torch.cat(blocks).numpy().astype(np.float64)
