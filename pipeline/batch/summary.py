"""What a batch came to: a line, JSON for programs, and `index.html` with links to the reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.batch.clock import Clock
from pipeline.batch.estimate import in_words
from pipeline.batch.holder import host_of
from pipeline.batch.manifest import STATUSES, Row
from pipeline.batch.names import as_link, shown
from pipeline.files import output_errors, written_aside
from pipeline.result import ResultFolder

PAGE_NAME = "index.html"
DECIMALS = 3


def in_a_line(rows: Sequence[Row]) -> str:
    """How many videos are in which state."""
    counts = {status: sum(row.status == status for row in rows) for status in STATUSES}
    told = [f"{count} {status}" for status, count in counts.items() if count or status == "done"]
    return f"{len(rows)} {'video' if len(rows) == 1 else 'videos'}: {', '.join(told)}"


def as_json(rows: Sequence[Row], out: Path) -> dict[str, Any]:
    """Everything about every video, as plain values."""
    return {
        "output": str(out),
        **{status: sum(row.status == status for row in rows) for status in STATUSES},
        "videos": [_video_json(row, out) for row in rows],
    }


def _video_json(row: Row, out: Path) -> dict[str, Any]:
    return {
        "name": row.name,
        "result": str(out / row.name),
        "status": row.status,
        "stage": row.stage,
        "frames": row.frames,
        "frames_total": row.frames_total,
        "people": row.people,
        "seconds": round(row.seconds, DECIMALS),
        "peak_memory_bytes": row.peak_memory_bytes,
        "attempts": row.attempts,
        "error": row.error,
        "exit_code": row.exit_code,
        "worker": f"{host_of(row.holder)} {row.worker}" if row.holder else "",
        "lease_until_utc": row.lease_until_utc,
        "changed_utc": row.changed_utc,
    }


def write_page(rows: Sequence[Row], out: Path, clock: Clock) -> Path:
    """Write the page; its path.

    Raises:
        OutputError: it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  (slow)

    environment = Environment(
        loader=PackageLoader("pipeline.batch", "."), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("summary.html.j2").render(
        title=shown(out.resolve().name),
        line=in_a_line(rows),
        written_utc=clock.utc(),
        videos=[_video_cells(row, out) for row in rows],
    )
    path = out / PAGE_NAME
    with output_errors(path), written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def _video_cells(row: Row, out: Path) -> dict[str, Any]:
    is_done = row.status == "done"
    return {
        "name": shown(row.name),
        "status": row.status,
        "error": shown(row.error),
        "people": row.people if is_done else "",
        "frames": row.frames if is_done else "",
        "time": in_words(row.seconds) if row.seconds else "",
        "memory": f"{row.peak_memory_bytes / 1e6:.0f} MB" if row.peak_memory_bytes else "",
        "attempts": row.attempts,
        "links": _links(row, out) if is_done else [],
    }


def _links(row: Row, out: Path) -> list[dict[str, str]]:
    folder = ResultFolder(out / row.name)
    files = (("report", folder.page_path), ("overlay", folder.overlay_path))
    return [
        {"text": text, "target": as_link(f"./{path.relative_to(out)}")}
        for text, path in files
        if path.exists()
    ]
