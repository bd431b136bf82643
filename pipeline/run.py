"""The story: find the people in a video, recover their bodies, write what was found."""

from functools import partial
from pathlib import Path
from typing import Any

from pipeline.appearance_source import AlongLandmarks
from pipeline.body_file import body_fingerprint
from pipeline.camera import make_camera
from pipeline.chosen import Chosen
from pipeline.config import STAGES, Settings
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.files import content_digest
from pipeline.fingerprint import files_used
from pipeline.identities import read_identities
from pipeline.identities_applied import corrected, identities_digest
from pipeline.keep import Keeper
from pipeline.limits import VideoLimits
from pipeline.obtain import obtain_weights
from pipeline.overlay import Overlay
from pipeline.perceive import Perceiver
from pipeline.person_file import write_people
from pipeline.report import recorded
from pipeline.report_page import write_report
from pipeline.result import ResultFolder
from pipeline.types import Camera
from pipeline.video import open_video


def run(
    video_path: Path,
    out: Path,
    settings: Settings,
    context: Context,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    fingerprint: str = "",
) -> dict[str, Any]:
    """Run every stage on a video and write the result folder; whatever is current is reused.

    Args:
        video_path: the video file.
        out: the result's own folder, made if need be.
        settings: from `pipeline.config.load_settings`.
        context: where events and progress go, and which body and device to use.
        start_s: leave out frames before this time, in seconds from the first frame.
        end_s: leave out frames from this time on.
        fingerprint: what made this run (`pipeline.fingerprint.run_fingerprint`), for reuse.

    Returns:
        The content of run.json.

    Raises:
        UserError: bad input, settings, missing parts or an output that cannot be written.
    """
    folder, events = ResultFolder(out), context.events
    do = Chosen(settings, context)
    decoder = settings.video.decoder
    limits = VideoLimits(settings.video.max_frames, settings.video.max_pixels)
    video = open_video(
        video_path, start_s=start_s, end_s=end_s, decoder=decoder, events=events, limits=limits
    )
    camera = make_camera(video, settings.camera.focal_px, settings.camera.fov_deg, events)
    for event in obtain_weights(settings, context.progress):
        events.add(event)
    inputs = _read(video_path, [start_s, end_s], settings, camera, context, do)

    with folder.locked(), recorded(folder, settings, do, context, fingerprint) as record:
        keep = Keeper(folder, context, record, partial(_described, do, settings))
        still = partial(_check_unchanged, video_path, inputs["video"])
        seen = keep.perceived(
            inputs, video, lambda: _perceiver(do, camera, context, decoder), still
        )
        do.let_go("detection", "regression")  # they take as much room as half an hour's arrays
        tracked = keep.people(
            "tracking", lambda: do.tracking(seen.video, seen.detections, seen.bodies, camera)
        )
        video = seen.video
        del seen  # of a long video every noun counts
        fixed = corrected(tracked, read_identities(out), video, events)
        tracked, names = fixed.people, fixed.names
        del fixed
        keep.note_input("identities", identities_digest(out))
        refined = keep.each("refinement", tracked, lambda some: do.refinement(some, camera))
        del tracked
        people = keep.each("smoothing", refined, do.smoothing)
        del refined
        record.results["part_s"] = [start_s, end_s]
        record.found(video, camera, people, names)
        keep.files("people", lambda: write_people(out, people, camera, context.body, video_path))
        if settings.overlay.enabled:
            overlay = Overlay(people, camera, do.rendering, context, decoder)
            keep.files(
                "rendering",
                lambda: overlay.write(folder.overlay_path, video, keep.unfinished),
                still,
            )
        if settings.report.enabled:
            keep.files("report", lambda: write_report(folder, context))
        keep.tidy()
    return folder.read_report()


def _read(
    video_path: Path,
    part_s: list[float | None],
    settings: Settings,
    camera: Camera,
    context: Context,
    do: Chosen,
) -> dict[str, Any]:
    """What every stage's result depends on beside its own settings."""
    return {
        "video": content_digest(video_path),
        "part_s": part_s,
        "decoder": settings.video.decoder,
        "camera": camera.K_px.tolist(),
        "body": body_fingerprint(context.body_model),
        "looks": do.look_source.made_by if do.look_source else None,
        "files": files_used({k: v for k, v in settings.raw.items() if k not in STAGES}),
    }


def _perceiver(do: Chosen, camera: Camera, context: Context, decoder: str) -> Perceiver:
    """The first pass; what comes after it gets ready meanwhile."""
    do.prepare()
    looks = do.look_source.make(context) if do.look_source else AlongLandmarks()
    return Perceiver(do.detection, do.regression, camera, context, decoder, looks)


def _described(do: Chosen, settings: Settings, *stages: str) -> list[Any]:
    """What a stage depends on by its settings: their values, and the files behind them."""
    blocks = {stage: settings.raw[stage] for stage in stages if stage in settings.raw}
    return [do.described(*stages), files_used(blocks)]


def _check_unchanged(video_path: Path, digest: str) -> None:
    """Raise unless the video is what it was when the run began.

    Raises:
        InputError: it is gone, or another file lies there.
    """
    try:
        changed = content_digest(video_path) != digest
    except OSError as error:
        text = (
            f"{video_path} went away while it was read ({error.strerror}). Put it back, run again"
        )
        raise InputError(text) from error
    if changed:
        raise InputError(f"{video_path} was changed while it was read. Run again")
