"""`humans4d run`: a video in, a result folder out."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.config import Settings, load_settings, settings_of_result
from pipeline.console import ERR, OUT, configure_logging, print_json, progress_factory
from pipeline.errors import StrictError
from pipeline.imports import without_gc
from pipeline.obtain import obtain_weights
from pipeline.result import ResultFolder
from pipeline.run_key import run_key
from pipeline.run_log import run_log

Video = Annotated[Path, typer.Argument(help="The video file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as camera.focal_px=1500."),
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Result folder.  [default: outputs/<video name>]"),
]
Config = Annotated[
    str | None,
    typer.Option("-c", "--config", help="Settings file, or the name of a shipped one."),
]
Start = Annotated[float | None, typer.Option(help="Leave out what is before, in seconds.")]
End = Annotated[float | None, typer.Option(help="Leave out what is from here on, in seconds.")]
Strict = Annotated[bool, typer.Option(help="Fail if anything was dropped, assumed or replaced.")]
Json = Annotated[bool, typer.Option("--json", help="Print run.json as one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show errors only.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def run_command(
    video: Video,
    overrides: Overrides = None,
    output: Out = None,
    config: Config = None,
    start: Start = None,
    end: End = None,
    strict: Strict = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Find the people in a video and write a SMPL body per person and frame."""
    configure_logging(verbose=verbose)
    settings = load_settings(config, overrides or [])
    folder = ResultFolder(output or Path("outputs") / video.stem)
    started = time.perf_counter()
    fingerprint = _key(video, settings, folder, start, end, quiet or as_json)
    report = folder.current_report(fingerprint) if fingerprint else None
    reused = report is not None
    if report is None:
        report = _run(video, folder, settings, start, end, fingerprint, quiet or as_json)
    if as_json and not (strict and _against_strict(report)):
        print_json({"folder": str(folder.path), "nothing_to_do": reused, **report})
    if not quiet and not as_json:
        _summarise(report, folder, time.perf_counter() - started, reused=reused)
    return _strict_exit(report, folder) if strict else 0


def run_again(folder: ResultFolder, report: dict[str, Any], *, quiet: bool) -> None:
    """Run what a result was made from once more, as set then; what is current is reused.

    Raises:
        UserError: as the run itself.
    """
    settings = settings_of_result(report["settings"])
    video = Path(report["video"]["path"])
    start_s, end_s = report.get("part_s") or (None, None)
    started = time.perf_counter()
    fingerprint = _key(video, settings, folder, start_s, end_s, quiet)
    made = _run(video, folder, settings, start_s, end_s, fingerprint, quiet)
    if not quiet:
        _summarise(made, folder, time.perf_counter() - started, reused=False)


def _key(
    video: Path,
    settings: Settings,
    folder: ResultFolder,
    start_s: float | None,
    end_s: float | None,
    quiet: bool,
) -> str:
    """The fingerprint of the run, once the weights it depends on are here or cannot be had."""
    if video.is_file():
        obtain_weights(settings, progress_factory(quiet=quiet))  # the run tells what it lacks
    return run_key(video, settings, folder, start_s, end_s)


def _run(
    video: Path,
    folder: ResultFolder,
    settings: Settings,
    start_s: float | None,
    end_s: float | None,
    fingerprint: str,
    quiet: bool,
) -> dict[str, Any]:
    with without_gc():
        from pipeline.context import Context
        from pipeline.device import choose_device
        from pipeline.run import run

    context = Context(
        progress=progress_factory(quiet=quiet),
        body_model=settings.body.model,
        device=choose_device(settings.device),
    )
    with run_log(folder.path, "run"):
        return run(
            video,
            folder.path,
            settings,
            context,
            start_s=start_s,
            end_s=end_s,
            fingerprint=fingerprint,
        )


def _summarise(
    report: dict[str, Any], folder: ResultFolder, seconds: float, *, reused: bool
) -> None:
    people, frames = len(report["people"]), report["video"]["frame_count"]
    counted = f"{people} {'person' if people == 1 else 'people'}"
    done = "nothing to do, all is current" if reused else f"{seconds:.1f} s"
    OUT.print(f"{counted} in {frames} frames ({done}): {folder.path}", highlight=False)
    for event in _against_strict(report):
        ERR.print(f"  {event['kind']}: {event['message']}", highlight=False, markup=False)
    if not reused:
        OUT.print(f"Look closer with: humans4d inspect {folder.path}", highlight=False)


def _against_strict(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Events that `--strict` does not accept."""
    return [event for event in report["events"] if event["kind"] != "info"]


def _strict_exit(report: dict[str, Any], folder: ResultFolder) -> int:
    if against := _against_strict(report):
        raise StrictError(
            f"--strict: {len(against)} event(s), the first: {against[0]['message']} "
            f"(the result is kept in {folder.path})"
        )
    return 0
