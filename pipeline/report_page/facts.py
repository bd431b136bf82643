"""report.json: everything the page shows, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from pipeline.judging.person import PersonQuality, Series
from pipeline.judging.posed import Posed
from pipeline.judging.result import Judgement
from pipeline.judging.verdict import Verdict
from pipeline.palette import colour_of
from pipeline.storage import SCHEMA_VERSION
from pipeline.types import Person, Status

SERIES_POINTS = 400
TRAIL_POINTS = 150
DIGITS = 4
_KEPT = ("humans4d_version", "created_utc", "fingerprint", "camera")
_SAID = ("events", "settings", "licences")


def report_facts(report: Mapping[str, Any], judged: Judgement) -> dict[str, Any]:
    """The content of report.json.

    Args:
        report: content of run.json.
        judged: everybody's quality.
    """
    rows = zip(judged.people, judged.verdicts, judged.posed, strict=True)
    return {
        "schema_version": SCHEMA_VERSION,
        **{key: report[key] for key in _KEPT if key in report},
        "video": _video(report["video"]),
        "people": [_person(*row, judged) | _named(row[0].person.id, report) for row in rows],
        "crossings": [crossing.as_dict() for crossing in judged.crossings],
        "continuations": [one.as_dict() for one in judged.continuations],
        "floor": {
            "source": judged.floor.source,
            "point_m": _numbers(judged.floor.point_m),
            "up": _numbers(judged.floor.up),
        },
        **{key: report[key] for key in _SAID if key in report},
        "seconds": {
            name: made["seconds"]
            for name, made in report.get("made", {}).items()
            if "seconds" in made
        },
    }


def _video(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The video's facts; an imported result may know less of them."""
    duration_s = max(facts["frame_count"] - 1, 0) / facts["fps"]
    return {"duration_s": round(duration_s, 6), **facts}


def _person(
    quality: PersonQuality, verdict: Verdict, posed: Posed, judged: Judgement
) -> dict[str, Any]:
    person = quality.person
    return {
        "id": person.id,
        "colour": "#{:02x}{:02x}{:02x}".format(*colour_of(person.id).tolist()),
        "first_s": round(float(person.time_s[0]), 6),
        "last_s": round(float(person.time_s[-1]), 6),
        "verdict": {
            "level": verdict.level,
            "text": verdict.text,
            "findings": [asdict(finding) for finding in verdict.findings],
        },
        "summary": asdict(quality.summary),
        "status": status_runs(person),
        "series": _series(quality),
        "trail_m": _trail(posed, judged),
    }


def _named(person_id: int, report: Mapping[str, Any]) -> dict[str, str]:
    """The name given by hand, where there is one."""
    names = {entry["id"]: entry["name"] for entry in report.get("people", []) if "name" in entry}
    return {"name": names[person_id]} if person_id in names else {}


def status_runs(person: Person) -> list[dict[str, Any]]:
    """Stretches of one status, with their times: when the person was seen, filled in, missing."""
    ends = np.append(np.flatnonzero(np.diff(person.status)), len(person) - 1)
    starts = np.append(0, ends[:-1] + 1)
    following = np.append(person.time_s[1:], person.time_s[-1] + _step_s(person))
    return [
        {
            "status": Status(int(person.status[start])).name.lower(),
            "start_s": round(float(person.time_s[start]), 4),
            "end_s": round(float(following[end]), 4),
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def _step_s(person: Person) -> float:
    return float(np.median(np.diff(person.time_s))) if len(person) > 1 else 1.0 / 30.0


def _series(quality: PersonQuality) -> dict[str, list[float | None]]:
    """Every series, thinned to means over equal stretches where there are many frames."""
    count = min(len(quality.person), SERIES_POINTS)
    edges = np.linspace(0, len(quality.person), count + 1).round().astype(int)
    series = {"time_s": quality.person.time_s}
    series |= {field.name: getattr(quality.series, field.name) for field in fields(Series)}
    return {name: _numbers(_thinned(values, edges)) for name, values in series.items()}


def _thinned(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0.0), edges[:-1])
    count = np.add.reduceat(known.astype(int), edges[:-1])
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _trail(posed: Posed, judged: Judgement) -> list[list[float | None]]:
    """Where the pelvis was over the floor: metres to the right and away from the camera."""
    person = posed.person
    rows = np.linspace(0, len(person) - 1, min(len(person), TRAIL_POINTS)).round().astype(int)
    along_m = posed.joints_m[rows, 0] @ judged.floor.axes.T
    places_m = np.where(person.drawn[rows, None], along_m[:, [0, 2]] * (1, -1), np.nan)
    return [_numbers(place) for place in places_m]


def _numbers(values: np.ndarray) -> list[float | None]:
    """Plain numbers; None where there is none (JSON knows no NaN)."""
    return [round(float(v), DIGITS) if np.isfinite(v) else None for v in values]
