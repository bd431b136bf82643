"""From another program's file to a result folder as a run leaves it."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline import storage
from pipeline.chosen import Chosen
from pipeline.config import Settings, load_settings
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.files import content_digest, value_digest
from pipeline.foreign.people import imported, video_of_nothing
from pipeline.foreign.reading import read_foreign
from pipeline.keep import Keeper
from pipeline.licences import Licence
from pipeline.limits import VideoLimits
from pipeline.overlay import Overlay
from pipeline.person_file import write_people
from pipeline.report import recorded
from pipeline.report_page import write_report
from pipeline.result import ResultFolder
from pipeline.video import open_video

LATER_STAGES = ("refinement", "smoothing", "rendering")
_AS_IT_CAME = ("refinement.backend=none", "smoothing.backend=none", "overlay.enabled=false")


def import_settings(config: str | Path | None, overrides: Iterable[str]) -> Settings:
    """Settings of an import: people stay as they came unless the user asks for more."""
    return load_settings(config, [*_AS_IT_CAME, *overrides])


def import_result(
    path: Path, video_path: Path | None, out: Path, settings: Settings, context: Context
) -> dict[str, Any]:
    """Read a file of another program and write a result folder.

    Args:
        path: The file.
        video_path: The video it was made from; None where there is none.
        out: The result's folder.
        settings: From `import_settings`.
        context: Events, progress, body.

    Returns:
        The content of run.json.

    Raises:
        UserError: a file that cannot be used, or an output that cannot be written.
    """
    rest_m = context.body.J_template_m.double().numpy()
    result, events = read_foreign(path, rest_m), context.events
    if video_path is None:
        if settings.overlay.enabled:
            raise SettingsError("overlay.enabled: there is nothing to draw on; give --video x.mp4")
        video = video_of_nothing(result, path, events)
    else:
        limits = VideoLimits(settings.video.max_frames, settings.video.max_pixels)
        decoder = settings.video.decoder
        video = open_video(video_path, decoder=decoder, events=events, limits=limits)
    found = imported(result, video, settings.camera, context, path)
    later, folder = Chosen(settings, context, _stages(settings)), ResultFolder(out)
    made_from = {
        "program": result.program,
        "file": content_digest(path),
        "video": None if video_path is None else content_digest(video_path),
        "camera": found.camera.K_px.tolist(),
        "body": context.body.sha256,
    }
    facts = replace(settings, raw=_told(settings, later, result.program, path))
    key = value_digest(made_from)
    with folder.locked(), recorded(folder, facts, later, context, key) as record:
        record.facts["licences"] = _bill(record.facts["licences"], result.program)
        keep = Keeper(folder, context, record, later.described, [key])
        storage.write_noun(folder.stage_path("video"), storage.video_arrays(found.video), key)
        tracked = keep.people("tracking", lambda: found.people)
        refined = keep.people("refinement", lambda: later.refinement(tracked, found.camera))
        people = keep.people("smoothing", lambda: later.smoothing(refined))
        record.found(found.video, found.camera, people)
        source = video_path or path
        keep.files("people", lambda: write_people(out, people, found.camera, context.body, source))
        if settings.overlay.enabled:
            renderer = later.rendering
            overlay = Overlay(people, found.camera, renderer, context, settings.video.decoder)
            keep.files(
                "rendering",
                lambda: overlay.write(folder.overlay_path, found.video, keep.unfinished),
            )
        if settings.report.enabled:
            keep.files("report", lambda: write_report(folder, context))
        keep.tidy()
    return folder.read_report()


def _bill(bill: dict[str, Any], program: str) -> dict[str, Any]:
    """The licence bill, with the motion itself, whose terms we cannot know."""
    terms = "as its file, the program that made it and that program's weights say"
    motion = Licence(f"motion from {program}", terms, commercial=False)
    verdict = f"the motion comes from {program}, whose terms and those of its weights apply"
    return {"verdict": verdict, "used": [*bill["used"], asdict(motion)]}


def _stages(settings: Settings) -> tuple[str, ...]:
    """The stages that run after an import."""
    return LATER_STAGES if settings.overlay.enabled else LATER_STAGES[:-1]


def _told(settings: Settings, later: Chosen, program: str, path: Path) -> dict[str, Any]:
    """What run.json says of the settings: the import, and only the stages that ran."""
    kept = ("video", "camera", "body", "device", *later.names, "overlay", "report")
    raw = {key: settings.raw[key] for key in kept if key in settings.raw}
    return {"import": {"backend": program, "file": str(path)}, **raw}
