"""How good a person's motion is, judged without ground truth."""

from typing import Any

import numpy as np

from pipeline.body import BodyModel
from pipeline.judging.person import JITTER_FRAMES, landmarks_off_px
from pipeline.judging.posed import Posed, pose_person
from pipeline.metrics import jitter_m_s3
from pipeline.person_file import person_path
from pipeline.result import ResultFolder
from pipeline.types import Camera, Person, Status


def person_summary(
    person: Person, folder: ResultFolder, camera: Camera, body: BodyModel
) -> dict[str, Any]:
    """A person's line in run.json: where, how often seen, how well it fits, how it shakes."""
    posed = pose_person(person, body)
    return {
        "id": person.id,
        "file": person_path(folder.path, person.id).relative_to(folder.path).as_posix(),
        "first_frame": int(person.frame_index[0]),
        "last_frame": int(person.frame_index[-1]),
        "first_s": round(float(person.time_s[0]), 6),
        "last_s": round(float(person.time_s[-1]), 6),
        "observed_share": round(float(person.observed.mean()), 4),
        "interpolated_share": round(float((person.status == Status.INTERPOLATED).mean()), 4),
        "confidence": round(float(person.confidence[person.observed].mean()), 4),
        "reprojection_px": _reprojection_px(posed, camera),
        "jitter_m_s3": _jitter(posed),
    }


def _reprojection_px(posed: Posed, camera: Camera) -> float | None:
    """Mean distance of the body's sites from the landmarks that were clearly seen."""
    off_px = landmarks_off_px(posed, camera)
    return round(float(np.nanmean(off_px)), 2) if np.isfinite(off_px).any() else None


def _jitter(posed: Posed) -> float | None:
    """Over frames in which there is a body; what lies between two stretches is no motion."""
    if len(posed.person) < JITTER_FRAMES:
        return None
    drawn = posed.person.drawn
    jitter = jitter_m_s3(posed.joints_m, posed.person.time_s, valid=drawn)
    return round(float(jitter), 3) if np.isfinite(jitter) else None
