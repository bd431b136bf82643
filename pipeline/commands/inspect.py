"""`humans4d inspect`: who is where, how good, and what went wrong; or what one file holds."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.console import OUT, print_json
from pipeline.errors import OutputError
from pipeline.person_words import entries, sentences
from pipeline.result import ResultFolder
from pipeline.schema import person_problems
from pipeline.storage import read_npz
from pipeline.text_files import TextError, read_json

_LEGEND = (
    "seen: share of frames with a detection; filled: interpolated; conf: mean confidence; "
    "off: mean distance of the body's landmarks from those in the picture; jitter: m/s3"
)
_COLOURS = {"good": "green", "fair": "yellow", "poor": "red"}
Target = Annotated[
    Path, typer.Argument(help="A result folder, or one person_NNN.npz.", show_default=False)
]


Json = Annotated[bool, typer.Option("--json", help="Print it as one JSON document.")]


def inspect_command(result: Target, as_json: Json = False) -> int:
    """Show the people of a result, how good each is, and the run's events; or explain one file."""
    if result.is_file():
        return _explain(result, as_json=as_json)
    folder = ResultFolder(result)
    report = folder.read_report()
    if as_json:
        verdicts = [
            {"id": person_id, "level": level, "text": words}
            for person_id, level, words in _verdicts(folder)
        ]
        print_json({"folder": str(result), **report, "verdicts": verdicts})
        return 0
    _show_run(report)
    if report.get("people"):
        OUT.print(_people_table(report["people"]))
    elif "people" in report:
        OUT.print("No person was found.")
    _show_verdicts(folder)
    for event in report["events"]:
        OUT.print(_event_line(event), highlight=False)
    if not report["events"]:
        OUT.print("No events: nothing was dropped, assumed or replaced.")
    return 0


def _explain(path: Path, *, as_json: bool) -> int:
    """One person's file: what it says, and what each array means."""
    arrays = read_npz(path)
    if problems := person_problems(arrays):
        more = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
        raise OutputError(f"{path}: {problems[0]}{more}. See all with: humans4d validate {path}")
    if as_json:
        keys = ("array", "holds", "meaning")
        rows = [dict(zip(keys, row, strict=True)) for row in entries(arrays)]
        print_json({"file": str(path), "says": list(sentences(arrays)), "arrays": rows})
        return 0
    for line in sentences(arrays):
        OUT.print(line, highlight=False, markup=False, soft_wrap=True)
    table = Table()
    for title in ("array", "holds", "meaning"):
        table.add_column(title, overflow="fold")
    for row in entries(arrays):
        table.add_row(*(escape(cell) for cell in row))
    OUT.print(table)
    return 0


def _verdicts(folder: ResultFolder) -> list[tuple[int, str, str]]:
    """The report's verdict on everybody (id, level, words); nothing where there is no report."""
    try:
        people = [(p["id"], p["verdict"]) for p in read_json(folder.quality_path)["people"]]
        return [(int(number), str(said["level"]), str(said["text"])) for number, said in people]
    except FileNotFoundError:
        return []
    except (OSError, TextError, LookupError, TypeError, ValueError) as error:
        text = f"{folder.quality_path}: cannot be read. Run the video again to remake it"
        raise OutputError(text) from error


def _show_verdicts(folder: ResultFolder) -> None:
    verdicts = _verdicts(folder)
    for person_id, level, words in verdicts:
        colour, text = _COLOURS.get(level, "default"), escape(words)
        OUT.print(f"[{colour}]person {person_id}:[/] {text}", highlight=False, soft_wrap=True)
    if verdicts and folder.page_path.exists():
        OUT.print(f"In pictures: {folder.page_path}", highlight=False, markup=False)


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
            f"{person['id']} {escape(person.get('name', ''))}".rstrip(),
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
