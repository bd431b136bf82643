"""viewer.html: bodies on their floor, in one file that opens from disk without a network."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from pipeline.context import Context
from pipeline.errors import InputError, OutputError
from pipeline.files import written_aside
from pipeline.judging.floor import floor_words
from pipeline.judging.result import judge_result
from pipeline.result import ResultFolder, has_film
from pipeline.types import Camera
from pipeline.viewer.blob import Blob
from pipeline.viewer.data import scene_data
from pipeline.viewer.film import SmallFilm
from pipeline.viewer.templates import filled_page

SCRIPTS = ("math.js", "body.js", "scene.js", "draw.js", "onlooker.js", "app.js")
CORRECTIVES = "Shown without the body's pose correctives."


def write_viewer(
    folder: ResultFolder, out: Path, context: Context, *, video: Path | None = None
) -> Path:
    """Write the page of a result.

    Args:
        folder: the result.
        out: the file.
        context: gives the body; takes events.
        video: the source, if it has moved.

    Raises:
        OutputError: the result is not complete or damaged, or the page cannot be written.
        InputError: nobody is in the result, or `video` is not there.
    """
    report = folder.read_report()
    if report.get("status") != "complete":
        text = f"{folder.path}: this run is not complete. Run the same command again to finish it"
        raise OutputError(text)
    if not report.get("people"):
        raise InputError(f"{folder.path}: there is nobody in this result, so nothing to view")
    facts = report["video"]
    start_s = min(float(entry["first_s"]) for entry in report["people"])
    end_s = max(float(entry["last_s"]) for entry in report["people"])
    with ExitStack() as work:
        film = _begun_film(facts, video, (start_s, end_s), context)
        if film:
            work.callback(film.close)
        data, blob, note = _scene(folder, report, context)
        data |= {"start": start_s, "end": end_s, "fps": facts["fps"]}
        shown = film.in_base64(context) if film else ""
    _tell(context)
    title = Path(facts["path"]).name
    page = filled_page(
        "viewer.html.j2", SCRIPTS, data, blob, title=title, note=note, film=Markup(shown)
    )
    with written_aside(out) as aside:
        aside.write_text(page, encoding="utf-8")
    return out


def _scene(
    folder: ResultFolder, report: Mapping[str, Any], context: Context
) -> tuple[dict[str, Any], Blob, str]:
    """What the scripts show, its arrays, and what is to be said of it."""
    judged = judge_result(folder, report, context)
    facts, blob = report["video"], Blob()
    camera = Camera(np.array(report["camera"]["K_px"], np.float64), report["camera"]["origin"])
    size_px = (facts["width_px"], facts["height_px"])
    names = {entry["id"]: entry["name"] for entry in report["people"] if "name" in entry}
    data = scene_data(judged, camera, size_px, context.body, blob, names)
    note = floor_words(judged.floor.source)
    if context.body.posedirs is not None:
        note += f" {CORRECTIVES}"
    return data, blob, note


def _begun_film(
    facts: Mapping[str, Any], video: Path | None, span_s: tuple[float, float], context: Context
) -> SmallFilm | None:
    """Made meanwhile; None where there is no video, which is said."""
    path = video or Path(facts["path"])
    if video and not path.exists():
        raise InputError(f"--video {path}: no such file")
    filmed = video or has_film({"video": facts})
    if not filmed or not path.exists():
        why = f"the source video {path} is not there" if filmed else "this result has no video"
        text = f"{why}: shown without it. Say where it is: --video"
        context.events.record("viewer", "fallback", text)
        return None
    return SmallFilm(path, span_s[0], span_s[1] - span_s[0] + 1.0 / facts["fps"])


def _tell(context: Context) -> None:
    if context.body_model != "embedded":
        text = "the page holds your body model's vertices: its licence may forbid passing it on"
        context.events.record("viewer", "info", text)
