"""`humans4d track`: given boxes to people with ids, without detecting or fitting anything."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.config import load_settings
from pipeline.console import ERR, OUT, configure_logging, print_json, progress_factory
from pipeline.errors import SettingsError
from pipeline.imports import without_gc

Given = Annotated[
    Path,
    typer.Option(
        "--detections", help="Boxes as MOT text, or PoseTrack's .json.", show_default=False
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as tracking.backend=sort."),
]
VideoFile = Annotated[
    Path | None, typer.Option("--video", help="For the looks of people and the cuts.")
]
MotOut = Annotated[
    Path | None, typer.Option("--mot-out", help="Write boxes with ids as MOT text here.")
]
PoseTrackOut = Annotated[
    Path | None, typer.Option("--posetrack-out", help="Write them as PoseTrack's JSON here.")
]
Config = Annotated[
    str | None,
    typer.Option("-c", "--config", help="Settings file, or the name of a shipped one."),
]
Fps = Annotated[
    float | None,
    typer.Option(help="Frame rate, where the video does not tell it.  [default: 25]", min=0.01),
]
Size = Annotated[
    str | None,
    typer.Option(metavar="WxH", help="Size of the pictures that the boxes were found in."),
]
Fill = Annotated[
    float, typer.Option("--fill-gaps", help="Boxes through absences up to so many seconds.", min=0)
]
Json = Annotated[bool, typer.Option("--json", help="Print who was found as one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show errors only.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]
COMMON_FPS = 25.0


def track_command(
    detections: Given,
    overrides: Overrides = None,
    video: VideoFile = None,
    mot_out: MotOut = None,
    posetrack_out: PoseTrackOut = None,
    config: Config = None,
    fps: Fps = None,
    size: Size = None,
    fill_gaps: Fill = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Find out which of the given boxes are the same person."""
    configure_logging(verbose=verbose)
    tracking = load_settings(config, overrides or []).stages["tracking"]
    pixels = _size(size)
    with without_gc():
        from pipeline.context import Context
        from pipeline.tracking_alone import boxes_in_video, boxes_without_video, track_alone

    context = Context(progress=progress_factory(quiet=quiet or as_json))
    boxes = _read(detections)
    ratio = (1.0, 1.0)
    if video is None:
        given = boxes_without_video(boxes, fps or COMMON_FPS, str(detections))
    else:
        given = boxes_in_video(boxes, video, context, boxes_size_px=pixels, fps=fps)
        if pixels is not None:
            ratio = pixels[0] / given.video.width_px, pixels[1] / given.video.height_px
    people = track_alone(given, tracking.backend, tracking.chosen, context)
    if mot_out is not None:
        from pipeline.mot_text import mot_of, write_mot

        write_mot(mot_out, mot_of(people, fill_gaps).scaled(*ratio))
    if posetrack_out is not None:
        from pipeline.posetrack_json import posetrack_of, write_posetrack

        write_posetrack(posetrack_out, posetrack_of(people).scaled(*ratio), given.video)
    if as_json:
        print_json(_told(people, len(given.detections), tracking.backend, context))
    elif not quiet:
        written = [path for path in (mot_out, posetrack_out) if path is not None]
        _summarise(people, len(given.detections), tracking.backend, written, context)
    return 0


def _told(people: Any, boxes: int, backend: str, context: Any) -> dict[str, Any]:
    """Who was found, for other programs."""
    listed = [
        {
            "id": person.id,
            "first_frame": int(person.frame_index[0]),
            "last_frame": int(person.frame_index[-1]),
            "boxes": int(person.observed.sum()),
        }
        for person in people
    ]
    events = context.events.as_dicts()
    return {"backend": backend, "boxes": boxes, "people": listed, "events": events}


def _read(path: Path) -> Any:
    """Detections of a file, by its name's ending."""
    from pipeline import mot_text, posetrack_json

    if path.suffix.lower() == ".json":
        return posetrack_json.as_detections(posetrack_json.read_posetrack(path))
    return mot_text.as_detections(mot_text.read_mot(path))


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise SettingsError(f"--size {text}: write WIDTHxHEIGHT, such as 1920x1080")
    return int(width), int(height)


def _summarise(people: Any, boxes: int, backend: str, written: list[Path], context: Any) -> None:
    counted = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    where = f": {', '.join(map(str, written))}" if written else ""
    OUT.print(f"{counted} in {boxes} boxes by {backend}{where}", highlight=False)
    for event in context.events.events:
        ERR.print(f"  {event.kind}: {event.message}", highlight=False, markup=False)
