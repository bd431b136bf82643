"""`humans4d import`: another program's result as a result folder of this one."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.run import Config, Json, Quiet, Verbose
from pipeline.console import ERR, OUT, configure_logging, print_json, progress_factory
from pipeline.imports import without_gc
from pipeline.run_log import run_log

File = Annotated[
    Path,
    typer.Argument(
        help="PHALP, 4DHumans, TokenHMR, WHAM (.pkl), GVHMR (.pt, .npz), AMASS (.npz) or BVH.",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        help="Settings, such as smoothing.backend=whittaker or camera.focal_px=1500.",
    ),
]
Video = Annotated[Path | None, typer.Option(help="The video it was made from.", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Result folder.  [default: outputs/<file name>]"),
]


def import_command(
    file: File,
    overrides: Overrides = None,
    video: Video = None,
    output: Out = None,
    config: Config = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Take over another program's result, to inspect, smooth, draw and export it.

    Nothing in the file is run. People stay as they came; refinement, smoothing and the overlay are
    off until a setting turns them on.
    """
    configure_logging(verbose=verbose)
    out = output or Path("outputs") / file.stem
    with without_gc():
        from pipeline.context import Context
        from pipeline.device import choose_device
        from pipeline.foreign.importing import import_result, import_settings

    settings = import_settings(config, overrides or [])
    context = Context(
        progress=progress_factory(quiet=quiet or as_json),
        body_model=settings.body.model,
        device=choose_device(settings.device),
    )
    with run_log(out, "import"):
        report = import_result(file, video, out, settings, context)
    if as_json:
        print_json({"folder": str(out), **report})
    elif not quiet:
        people = len(report["people"])
        counted = f"{people} {'person' if people == 1 else 'people'}"
        program = report["settings"]["import"]["backend"]
        OUT.print(f"{counted} from {program}: {out}", highlight=False)
        for event in report["events"]:
            text = f"  {event['kind']}: {event['message']}"
            ERR.print(text, highlight=False, markup=False, soft_wrap=True)
        OUT.print(f"Look closer with: humans4d inspect {out}", highlight=False, soft_wrap=True)
    return 0
