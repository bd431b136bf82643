"""`humans4d inspect`: who is where, how good, and what went wrong."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.console import OUT
from pipeline.result import ResultFolder

_LEGEND = (
    "seen: share of frames with a detection; filled: interpolated; conf: mean confidence; "
    "off: mean distance of the body's landmarks from those in the picture; jitter: m/s3"
)
Folder = Annotated[Path, typer.Argument(help="A result folder.", show_default=False)]


def inspect_command(result: Folder) -> int:
    """Show the people of a result, how good each is, and the run's events."""
    folder = ResultFolder(result)
    report = folder.read_report()
    _show_run(report)
    if report.get("people"):
        OUT.print(_people_table(report["people"]))
    elif "people" in report:
        OUT.print("No person was found.")
    for event in report["events"]:
        OUT.print(_event_line(event), highlight=False)
    if not report["events"]:
        OUT.print("No events: nothing was dropped, assumed or replaced.")
    return 0


def _show_run(report: dict[str, Any]) -> None:
    video = report.get("video")
    if video:
        OUT.print(
            f"{video['path']}: {video['frame_count']} frames, {video['duration_s']:.2f} s, "
            f"{video['width_px']}x{video['height_px']}, {video['fps']:.3g} fps",
            highlight=False,
            markup=False,
        )
    if report["status"] != "complete":
        OUT.print("[yellow]This run is not complete:[/] run the same command again to continue.")
    backends = " > ".join(
        block["backend"] for block in report["settings"].values() if _is_stage(block)
    )
    OUT.print(f"{backends}; {report['licences']['verdict']}", highlight=False, markup=False)


def _is_stage(block: Any) -> bool:
    return isinstance(block, dict) and "backend" in block


def _people_table(people: list[dict[str, Any]]) -> Table:
    table = Table(caption=_LEGEND)
    for title in ("id", "frames", "seconds", "seen %", "filled %", "conf", "off px", "jitter"):
        table.add_column(title, justify="right", no_wrap=True)
    for person in people:
        table.add_row(
            str(person["id"]),
            f"{person['first_frame']}-{person['last_frame']}",
            f"{person['first_s']:.2f}-{person['last_s']:.2f}",
            f"{100 * person['observed_share']:.0f}",
            f"{100 * person['interpolated_share']:.0f}",
            f"{person['confidence']:.2f}",
            _number(person["reprojection_px"]),
            _number(person["jitter_m_s3"]),
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _event_line(event: dict[str, Any]) -> str:
    colour = "dim" if event["kind"] == "info" else "yellow"
    where = "" if event["frame_index"] is None else f" (frame {event['frame_index']})"
    who = "" if event["person_id"] is None else f" (person {event['person_id']})"
    text = escape(f"{event['message']}{who}{where}")
    return f"[{colour}]{event['kind']}[/] {event['stage']}: {text}"
