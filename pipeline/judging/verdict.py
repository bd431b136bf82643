"""A plain verdict on a person: each measure against what is usual, then in words."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.judging.person import Summary

Level = Literal["good", "fair", "poor"]
WORST = ("good", "fair", "poor")
OVERALL = {"good": "Good", "fair": "Usable, but look at this", "poor": "Doubtful"}


@dataclass(frozen=True)
class Risk:
    """Chances that this is not one and the same person throughout."""

    exchange: float = 0.0
    """Largest risk at any crossing, as in `Crossing.exchange_risk`."""
    with_person: int | None = None
    at_s: float = 0.0
    goes_on_as: int | None = None
    """Somebody who appears soon after and near where this person was lost."""


@dataclass(frozen=True)
class Limit:
    """Up to `good` nothing is said against it; beyond `fair` it is poor."""

    good: float
    fair: float

    def level(self, value: float) -> Level:
        """Of a value of which less is better."""
        return "good" if value <= self.good else "fair" if value <= self.fair else "poor"


LIMITS = {
    "unseen share": Limit(0.05, 0.20),
    "gap s": Limit(0.5, 1.5),
    "off percent": Limit(2.0, 4.0),
    "jitter m/s3": Limit(350.0, 700.0),
    "slide m/s": Limit(0.10, 0.25),
    "sunk mm": Limit(10.0, 30.0),
    "floor offset m": Limit(0.15, math.inf),
    "hover m": Limit(0.08, math.inf),
    "stature spread m": Limit(0.05, 0.10),
    "bone spread mm": Limit(1.0, 1.0),
    "expected error deg": Limit(11.0, 16.0),
    "exchange risk": Limit(0.35, 0.5),
}
"""The detector's marks scatter by 1 % of a person's height on known bodies; the middle nine
tenths of forty motion recordings have a jitter of 110 to 330 m/s3 at 30 frames a second. The lifter
expects 5 degrees of people who walk, 8 on average of filmed motion, 12 and more of poses unlike any
it was trained on; errors are then about as large as it says, or a third larger."""

_KEY = {"unseen share", "off percent", "exchange risk", "bone spread mm"}
"""A poor one of these alone makes the person doubtful."""


@dataclass(frozen=True)
class Finding:
    """One measure, judged."""

    measure: str
    level: Level
    text: str


@dataclass(frozen=True)
class Verdict:
    """A person's findings and what follows from them."""

    level: Level
    text: str
    findings: tuple[Finding, ...]


def judge(summary: Summary, fps: float, risk: Risk) -> Verdict:
    """All findings about one person, and one sentence or two."""
    findings = tuple(_findings(summary, fps, risk))
    text = f"{_in_words(findings)}{_not_measured(summary)}"
    return Verdict(_overall(findings), text, findings)


def _not_measured(s: Summary) -> str:
    """What the verdict cannot rest on."""
    unknown = {
        "how far the body lies off the picture": s.reprojection_percent,
        "foot slide": s.foot_slide_mm_per_frame,
    }
    missing = [name for name, value in unknown.items() if value is None]
    return f" Not measured: {', '.join(missing)}." if missing else ""


def _findings(s: Summary, fps: float, risk: Risk) -> list[Finding]:
    found = [
        _finding(
            "unseen share",
            1 - s.observed_share,
            f"seen in {100 * s.observed_share:.0f} % of its frames",
        ),
        _finding("gap s", s.longest_gap_s, _gap(s)),
        _finding("bone spread mm", s.bone_length_spread_mm, _bones(s)),
    ]
    rows: list[tuple[str, float | None, Callable[[float], str]]] = [
        ("off percent", s.reprojection_percent,
         lambda v: f"the body lies {v:.1f} % of the height off the picture's landmarks"),
        ("jitter m/s3", s.jitter_m_s3, _steadiness),
        ("slide m/s", None if s.foot_slide_mm_per_frame is None
         else s.foot_slide_mm_per_frame * fps / 1000,
         lambda v: f"standing feet slide {100 * v:.0f} cm a second"),
        ("sunk mm", s.penetration_mm if s.hover_m is None else None,
         lambda v: f"feet {v:.0f} mm below the floor on average"),
        ("floor offset m", None if s.floor_offset_m is None or s.hover_m is not None
         else abs(s.floor_offset_m), _on_floor),
        ("hover m", s.hover_m, _hovers),
        ("stature spread m", s.stature_spread_m,
         lambda v: f"single frames disagree about the height by {_cm(v)}"),
        ("expected error deg", s.expected_error_deg, lambda v: _unsure(v, s)),
    ]  # fmt: skip
    found += [
        _finding(name, value, words(value)) for name, value, words in rows if value is not None
    ]
    found.append(_finding("exchange risk", risk.exchange, _exchange(risk)))
    if risk.goes_on_as is not None:
        text = f"may go on as person {risk.goes_on_as}, who appears soon after and nearby"
        found.append(Finding("continuation", "fair", text))
    return found


def _finding(measure: str, value: float, text: str) -> Finding:
    return Finding(measure, LIMITS[measure].level(value), text)


def _bones(s: Summary) -> str:
    steady = s.bone_length_spread_mm <= LIMITS["bone spread mm"].good
    if steady:
        return "bones keep their length"
    return f"bones change their length by {s.bone_length_spread_mm:.0f} mm over time"


def _gap(s: Summary) -> str:
    if s.observed_share == 1.0:
        return "never out of sight"
    return f"longest time unseen {s.longest_gap_s:.1f} s"


def _unsure(error_deg: float, s: Summary) -> str:
    text = f"the network expects its joints to be {error_deg:.0f}° off"
    if s.least_sure_part is None or s.least_sure_deg is None:
        return text
    return f"{text}, most of all the {s.least_sure_part} ({s.least_sure_deg:.0f}°)"


def _on_floor(off_m: float) -> str:
    if LIMITS["floor offset m"].level(off_m) == "good":
        return f"on the common floor within {_cm(off_m)}"
    return (
        f"stands {100 * off_m:.0f} cm off the common floor: on or below something, or size and "
        "distance are wrong"
    )


def _hovers(height_m: float) -> str:
    if LIMITS["hover m"].level(height_m) == "good":
        return f"mostly within {_cm(height_m)} of the guessed floor"
    return (
        f"hovers {100 * height_m:.0f} cm above the floor in most frames: no foot is seen to stand "
        "still, as before a moving camera, so one floor does not fit"
    )


def _cm(length_m: float) -> str:
    """Centimetres, never none at all."""
    return f"{max(math.ceil(100 * length_m - 0.5), 1)} cm"


def _steadiness(jitter_m_s3: float) -> str:
    words = {
        "good": "as steady as recorded motion",
        "fair": "restless",
        "poor": "shakes",
    }[LIMITS["jitter m/s3"].level(jitter_m_s3)]
    return f"{words} (jitter {jitter_m_s3:.0f} m/s³)"


def _exchange(risk: Risk) -> str:
    if risk.with_person is None:
        return "crosses nobody"
    words = {
        "good": "kept apart from",
        "fair": "hard to tell from",
        "poor": "perhaps exchanged with",
    }[LIMITS["exchange risk"].level(risk.exchange)]
    return f"{words} person {risk.with_person} where they cross at {risk.at_s:.1f} s"


def _overall(findings: tuple[Finding, ...]) -> Level:
    poor = [finding for finding in findings if finding.level == "poor"]
    fair = [finding for finding in findings if finding.level == "fair"]
    if len(poor) > 1 or any(finding.measure in _KEY for finding in poor):
        return "poor"
    return "fair" if poor or fair else "good"


def _in_words(findings: tuple[Finding, ...]) -> str:
    level = _overall(findings)
    said = {"unseen share", "off percent", "jitter m/s3"}
    worst = sorted(findings, key=lambda finding: -WORST.index(finding.level))
    against = [f.text for f in worst if f.level != "good"]
    speaks_for = [f.text for f in findings if f.level == "good" and f.measure in said]
    text = OVERALL[level]
    if against:
        text += f": {'; '.join(against)}."
    if speaks_for:
        joined = "; ".join(speaks_for)
        text += f" {joined[0].upper()}{joined[1:]}." if against else f": {joined}."
    return text
