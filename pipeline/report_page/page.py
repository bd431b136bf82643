"""report.html: one file that opens from disk, with pictures and charts in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline import storage
from pipeline.context import Context
from pipeline.files import output_errors, write_json, written_aside
from pipeline.judging.floor import floor_words
from pipeline.judging.result import Judgement, judge_result
from pipeline.judging.verdict import LIMITS
from pipeline.report_page import charts
from pipeline.report_page.facts import report_facts
from pipeline.report_page.stills import Pictures, read_pictures
from pipeline.result import ResultFolder

CURVES = (
    ("reprojection_percent", "off the picture's landmarks, % of height", "off percent"),
    ("jitter_m_s3", "jitter, m/s³", "jitter m/s3"),
    ("foot_slide_mm", "standing feet slide, mm a frame", "slide m/s"),
    ("penetration_mm", "below the floor, mm", "sunk mm"),
    ("expected_error_deg", "error the network expects of its joints, °", "expected error deg"),
    ("confidence", "confidence", None),
)
"""Series, its title, and its limits."""


def write_report(folder: ResultFolder, context: Context) -> list[Path]:
    """Judge a result and write report.json and report.html beside run.json.

    Raises:
        OutputError: the result is damaged, or the report cannot be written.
    """
    report = folder.read_report()
    judged = judge_result(folder, report, context)
    facts = report_facts(report, judged)
    page = render_page(facts, _pictures(folder, judged, context))
    with output_errors(folder.path):
        write_json(folder.quality_path, facts)
        with written_aside(folder.page_path) as aside:
            aside.write_text(page, encoding="utf-8")
    return [folder.quality_path, folder.page_path]


def render_page(facts: Mapping[str, Any], pictures: Pictures) -> str:
    """The page of these facts, self-contained."""
    environment = Environment(
        loader=PackageLoader("pipeline.report_page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        facts=facts,
        pictures=pictures,
        timeline=charts.timeline(facts),
        floor_map=charts.floor_map(facts),
        curves=[_curves(person, facts) for person in facts["people"]],
        backends=_backends(facts),
        floor_words=floor_words(facts["floor"]["source"]),
        level_of_risk=_level_of_risk,
        flat_settings=_flat(facts.get("settings", {})),
    )


FIRST_PASS = ("detection", "regression")


def _backends(facts: Mapping[str, Any]) -> list[tuple[str, str, float | None]]:
    """Stage, backend, and seconds where they are known; the first pass has one time for both."""
    rows: list[tuple[str, str, float | None]] = []
    seconds = facts["seconds"]
    for stage, block in facts.get("settings", {}).items():
        if not (isinstance(block, dict) and "backend" in block):
            continue
        if stage == FIRST_PASS[1] and rows and rows[-1][0] == FIRST_PASS[0]:
            both = f"{rows[-1][1]}, {block['backend']}"
            rows[-1] = (" and ".join(FIRST_PASS), both, seconds.get("perception"))
        else:
            rows.append((stage, block["backend"], seconds.get(stage)))
    return rows


def _curves(person: Mapping[str, Any], facts: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    span = charts.video_span(facts, 36.0, 330.0)
    fps = float(facts["video"]["fps"])
    drawn = []
    for name, title, measure in CURVES:
        limits = None
        if measure is not None:
            unit = 1000.0 / fps if measure == "slide m/s" else 1.0
            limits = (LIMITS[measure].good * unit, LIMITS[measure].fair * unit)
        drawn.append((title, charts.curve(person["series"], name, span, person["colour"], limits)))
    return drawn


def _level_of_risk(risk: float) -> str:
    return LIMITS["exchange risk"].level(risk)


def _flat(settings: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Settings as the command line takes them: key.key, value."""
    rows: list[tuple[str, Any]] = []
    for key, value in settings.items():
        name = f"{before}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return rows


def _pictures(folder: ResultFolder, judged: Judgement, context: Context) -> Pictures:
    """From the overlay, where there is one."""
    times = folder.stage_path("video")
    if not folder.overlay_path.exists() or not times.exists():
        return Pictures((), {})
    time_s = storage.video_from(storage.read_npz(times), folder.path).time_s
    try:
        return read_pictures(folder.overlay_path, time_s, [q.person for q in judged.people])
    except (av.FFmpegError, LookupError, ValueError) as error:
        text = f"The report has no pictures: {folder.overlay_path.name} cannot be read ({error})"
        context.events.record("report", "drop", text)
        return Pictures((), {})
