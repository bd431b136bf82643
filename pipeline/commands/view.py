"""`humans4d view`: a result in 3D, in the browser."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import ERR, OUT, configure_logging
from pipeline.imports import without_gc
from pipeline.result import ResultFolder

if TYPE_CHECKING:
    from pipeline.context import Context

Result = Annotated[Path, typer.Argument(help="A result folder.", show_default=False)]
Export = Annotated[
    Path | None,
    typer.Option(
        help="Write the page here and open nothing.  [default: viewer.html in the result]"
    ),
]
Source = Annotated[Path | None, typer.Option("--video", help="The source video, if it has moved.")]
Body = Annotated[
    str | None, typer.Option(help="SMPL file, if the one that the result was made with has moved.")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def view_command(
    result: Result,
    export: Export = None,
    video: Source = None,
    body: Body = None,
    verbose: Verbose = False,
) -> int:
    """Show a result in 3D in the browser: one page that also works offline and elsewhere."""
    configure_logging(verbose=verbose)
    folder = ResultFolder(result)
    report = folder.read_report()
    with without_gc():
        from pipeline.context import Context
        from pipeline.viewer import write_viewer

    context = Context(
        body_model=body or report.get("settings", {}).get("body", {}).get("model", "embedded")
    )
    path = write_viewer(folder, export or folder.path / "viewer.html", context, video=video)
    tell_events(context)
    open_page(path, stay=export is not None)
    return 0


def tell_events(context: "Context") -> None:
    """What the user should know, on the terminal."""
    for event in context.events.events:
        who = "" if event.person_id is None else f"person {event.person_id}: "
        text = f"  {event.kind}: {who}{event.message}"
        ERR.print(text, highlight=False, markup=False, soft_wrap=True)


def open_page(path: Path, *, stay: bool) -> None:
    """Say where a page is, and open it unless it is to `stay` a file."""
    size_mb = path.stat().st_size / 1e6
    OUT.print(f"{path} ({size_mb:.1f} MB)", highlight=False, markup=False, soft_wrap=True)
    if not stay and not webbrowser.open(path.resolve().as_uri()):
        OUT.print("No browser was found here: open that file in one.")
