"""Charts of report.json as SVG text: who is seen when, quality over time, the floor from above."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
MOST_TICKS = 12
LEVEL_OF_RISK = ((0.35, "good"), (0.5, "fair"), (9.0, "poor"))


@dataclass(frozen=True)
class Span:
    """Times of a chart, and where they lie on it."""

    start_s: float
    end_s: float
    left: float
    right: float

    def x(self, time_s: float) -> float:
        """Place of a time."""
        share = (time_s - self.start_s) / max(self.end_s - self.start_s, 1e-6)
        return round(self.left + share * (self.right - self.left), 2)

    def ticks_s(self) -> list[float]:
        """Round times inside."""
        length = self.end_s - self.start_s
        step = next((s for s in TICK_STEPS_S if length / s <= MOST_TICKS), TICK_STEPS_S[-1])
        first = -(-self.start_s // step)
        return [(first + k) * step for k in range(int((self.end_s - first * step) / step) + 1)]


def timeline(facts: Mapping[str, Any]) -> Markup:
    """A row for everybody, status colours, crossings as links between rows."""
    people, row_px, top = facts["people"], 30.0, 26.0
    span = video_span(facts, 46.0, 988.0)
    height = top + row_px * len(people) + 8
    parts = [f'<svg class="timeline" viewBox="0 0 1000 {height}" role="img">', _HATCH]
    for tick in span.ticks_s():
        x = span.x(tick)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{top - 6}" y2="{height - 6}"/>')
        parts.append(f'<text class="tick" x="{x}" y="{top - 12}">{tick:g} s</text>')
    for number, person in enumerate(people):
        y = top + number * row_px
        parts.append(f'<text class="who" x="4" y="{y + 16}" style="fill:{person["colour"]}">')
        parts.append(f"{person['id']}</text>")
        parts += [_run(run, person, span, y + 3, row_px - 12) for run in person["status"]]
    rows = {person["id"]: top + n * row_px + 12 for n, person in enumerate(people)}
    parts += [_link(crossing, rows, span) for crossing in facts["crossings"]]
    return Markup("".join(parts) + "</svg>")


def _run(
    run: Mapping[str, Any], person: Mapping[str, Any], span: Span, y: float, height: float
) -> str:
    x, width = span.x(run["start_s"]), max(span.x(run["end_s"]) - span.x(run["start_s"]), 1.0)
    title = f"person {person['id']}: {run['status']} {run['start_s']:.2f}-{run['end_s']:.2f} s"
    box = f'x="{x}" y="{y}" width="{width:.2f}" height="{height}" rx="2"'
    looks = f'class="{run["status"]}" fill="{person["colour"]}"'
    shape = f"<rect {looks} {box}><title>{title}</title></rect>"
    if run["status"] in ("interpolated", "predicted"):
        shape += f'<rect {box} fill="url(#hatch)" pointer-events="none"/>'
    return shape


def _link(crossing: Mapping[str, Any], rows: Mapping[int, float], span: Span) -> str:
    a, b = (rows[one] for one in crossing["people"])
    x = span.x((crossing["start_s"] + crossing["end_s"]) / 2)
    level = next(name for limit, name in LEVEL_OF_RISK if crossing["exchange_risk"] <= limit)
    first, second = crossing["people"]
    title = (
        f"{first} and {second} cross at {crossing['start_s']:.2f} s, "
        f"exchange risk {100 * crossing['exchange_risk']:.0f} %"
    )
    return (
        f'<g class="link {level}"><line x1="{x}" x2="{x}" y1="{a}" y2="{b}"/>'
        f'<circle cx="{x}" cy="{a}" r="4"/><circle cx="{x}" cy="{b}" r="4"/>'
        f"<title>{title}</title></g>"
    )


def curve(
    series: Mapping[str, Sequence[float | None]],
    name: str,
    span: Span,
    colour: str,
    limits: tuple[float, float] | None,
) -> Markup:
    """One measure over time, with the lines up to which it is good and fair."""
    values = series[name]
    known = [v for v in values if v is not None]
    if not known:
        return Markup('<div class="nothing">not measured</div>')
    top = 1.1 * max(*known, limits[0]) if limits else 1.0
    high, low = 6.0, 78.0

    def y(value: float) -> float:
        return round(low - (low - high) * min(value / top, 1.0), 2)

    parts = [f'<svg class="curve" viewBox="0 0 {span.right + 6:g} 96" role="img">']
    for limit, level in zip(limits or (), ("good", "fair"), strict=False):
        if limit <= top:
            line = f'x1="{span.left}" x2="{span.right}" y1="{y(limit)}" y2="{y(limit)}"'
            parts.append(f'<line class="limit {level}" {line}/>')
    for stretch in _stretches(zip(series["time_s"], values, strict=True)):
        points = " ".join(f"{span.x(t)},{y(v)}" for t, v in stretch)
        parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
        if len(stretch) == 1:
            parts.append(f'<circle cx="{span.x(stretch[0][0])}" cy="{y(stretch[0][1])}" r="1.5"/>')
    base = f'x1="{span.left}" x2="{span.right}" y1="{low}" y2="{low}"'
    parts.append(f'<line class="axis" {base}/>')
    parts.append(f'<text class="value" x="{span.left - 4}" y="{high + 9}">{_short(top)}</text>')
    parts.append(f'<text class="value" x="{span.left - 4}" y="{low}">0</text>')
    parts.append(f'<text class="tick start" x="{span.left}" y="94">{span.start_s:.3g} s</text>')
    parts.append(f'<text class="tick end" x="{span.right}" y="94">{span.end_s:.3g} s</text>')
    return Markup("".join(parts) + "</svg>")


def _short(value: float) -> str:
    """A number of few signs."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004


def floor_map(facts: Mapping[str, Any]) -> Markup:
    """Everybody's way over the floor, from above, on a grid of metres; the camera at the bottom."""
    points = [p for person in facts["people"] for p in person["trail_m"] if p[0] is not None]
    if not points:
        return Markup("")
    left, right = min(0.0, *(p[0] for p in points)) - 1, max(0.0, *(p[0] for p in points)) + 1
    far = max(p[1] for p in points) + 1
    box = f"{left:.2f} {-far:.2f} {right - left:.2f} {far + 1:.2f}"
    parts = [f'<svg class="map" viewBox="{box}" role="img">']
    for x in range(int(left), int(right) + 1):
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{-far:.2f}" y2="1"/>')
    for z in range(int(far) + 1):
        line = f'x1="{left:.2f}" x2="{right:.2f}" y1="{-z}" y2="{-z}"'
        parts.append(f'<line class="grid" {line}/>')
    parts.append('<path class="camera" d="M0,0 L-0.35,-0.6 L0.35,-0.6 Z"/>')
    for person in facts["people"]:
        for stretch in _stretches((p[0], p[1]) for p in person["trail_m"]):
            path = " ".join(f"{x:.3f},{-z:.3f}" for x, z in stretch)
            parts.append(f'<polyline points="{path}" stroke="{person["colour"]}"/>')
        known = [p for p in person["trail_m"] if p[0] is not None]
        x, z = known[-1]
        parts.append(f'<circle cx="{x:.3f}" cy="{-z:.3f}" r="0.16" fill="{person["colour"]}"/>')
        parts.append(f'<text x="{x:.3f}" y="{-z + 0.07:.3f}">{escape(person["id"])}</text>')
    return Markup("".join(parts) + "</svg>")


def video_span(facts: Mapping[str, Any], left: float, right: float) -> Span:
    """From the first to the last time of the result."""
    starts = [person["first_s"] for person in facts["people"]]
    ends = [person["status"][-1]["end_s"] for person in facts["people"]]
    video = facts["video"]
    start_s = video.get("first_s", min(starts, default=0.0))
    return Span(start_s, max([start_s + video["duration_s"], *ends]), left, right)


def _stretches(
    points: Iterable[tuple[float | None, float | None]],
) -> list[list[tuple[float, float]]]:
    """Runs of points that are known."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if x is None or y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="3" height="6" fill="#fff" opacity=".55"/>'
    "</pattern></defs>"
)
