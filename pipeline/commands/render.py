"""`humans4d render`: a result drawn in other ways than the overlay."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.console import OUT, configure_logging, progress_factory
from pipeline.errors import SettingsError
from pipeline.imports import without_gc
from pipeline.result import ResultFolder

SMALLEST_PX, LARGEST_PX = 16, 16384

Result = Annotated[Path, typer.Argument(help="A result folder.", show_default=False)]
ModeOption = Annotated[
    Literal["overlay", "mesh", "side", "birdseye", "skeleton", "silhouette", "wireframe"],
    typer.Option(help="What to draw; mesh: bodies beside the input."),
]
People = Annotated[str | None, typer.Option(help="Ids, such as 1,3.  [default: everybody]")]
Start = Annotated[float | None, typer.Option(help="Leave out what is before, in seconds.")]
End = Annotated[float | None, typer.Option(help="Leave out what is from here on, in seconds.")]
Size = Annotated[str | None, typer.Option(help="Such as 1280x720.  [default: the video's]")]
Blur = Annotated[bool, typer.Option("--blur-faces", help="Blur the heads of all tracked people.")]
Labels = Annotated[bool, typer.Option(help="Draw people's numbers.")]
Stills = Annotated[int | None, typer.Option(min=1, help="Write so many PNG stills, no video.")]
Png = Annotated[bool, typer.Option("--png", help="Write a PNG of every frame, no video.")]
Transparent = Annotated[
    bool, typer.Option("--transparent", help="PNG without a background, with alpha.")
]
Renderer = Annotated[
    str | None, typer.Option(help="auto, raster or pyrender.  [default: the run's own]")
]
Source = Annotated[Path | None, typer.Option("--video", help="The source video, if it has moved.")]
Body = Annotated[
    str | None, typer.Option(help="SMPL file, if the one that the result was made with has moved.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="File, or folder of PNGs.  [default: views/ in the result]"
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress bars.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def render_command(
    result: Result,
    mode: ModeOption = "overlay",
    people: People = None,
    start: Start = None,
    end: End = None,
    size: Size = None,
    blur_faces: Blur = False,
    labels: Labels = True,
    stills: Stills = None,
    png: Png = False,
    transparent: Transparent = False,
    renderer: Renderer = None,
    video: Source = None,
    body: Body = None,
    output: Out = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Draw a result: overlay, mesh beside the input, side, bird's-eye, skeleton, mask, wires."""
    configure_logging(verbose=verbose)
    if transparent and not (stills or png):
        raise SettingsError("--transparent: a video has no alpha. Add --png or --stills 5")
    size_px = None if size is None else parse_size(size)
    folder = ResultFolder(result)
    report = folder.read_report()
    with without_gc():
        from pipeline.commands.export import _ids
        from pipeline.commands.view import tell_events
        from pipeline.context import Context
        from pipeline.exporting import Part
        from pipeline.views.rendering import Wanted, render

    settings = report.get("settings", {})
    context = Context(
        progress=progress_factory(quiet=quiet),
        body_model=body or settings.get("body", {}).get("model", "embedded"),
    )
    wanted = Wanted(
        mode=mode,
        part=Part(_ids(people), start, end),
        size_px=size_px,
        blur_faces=blur_faces,
        transparent=transparent,
        stills=stills,
        png=png,
        video=video,
    )
    drawing = _renderer(renderer, settings, mode, labels, context)
    written = render(folder, wanted, output, drawing, context)
    tell_events(context)
    shown = written[0] if len(written) == 1 else f"{len(written)} pictures in {written[0].parent}"
    OUT.print(f"{mode}: {shown}", highlight=False, markup=False, soft_wrap=True)
    return 0


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of a text such as 1280x720.

    Raises:
        SettingsError: something else, too small or too large.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", text.strip().lower())
    size_px = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(SMALLEST_PX <= side <= LARGEST_PX for side in size_px):
        raise SettingsError(
            f"--size {text}: write width x height in pixels, such as 1280x720 "
            f"({SMALLEST_PX} to {LARGEST_PX})"
        )
    return size_px


def _renderer(
    name: str | None, settings: dict[str, Any], mode: str, labels: bool, context: Any
) -> Any:
    """The run's own rendering backend, or the one asked for; opaque but over the picture."""
    from pipeline import backends

    chosen = name or settings.get("rendering", {}).get("backend", "raster")
    if chosen not in backends.names("rendering"):
        known = ", ".join(backends.names("rendering"))
        raise SettingsError(f"--renderer {chosen}: unknown. Known: {known}")
    options = {"labels": labels, "alpha": 0.9 if mode == "overlay" else 1.0}
    config = backends.make_config("rendering", chosen, options)
    return backends.make("rendering", chosen, config, context)
