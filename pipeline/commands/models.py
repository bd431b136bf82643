"""`humans4d models`: which weights there are, where they lie, what they allow."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline import weights
from pipeline.console import OUT, progress_factory
from pipeline.errors import SettingsError
from pipeline.weights_kinds import AsPublished, Checkpoint, Fetched
from pipeline.weights_table import TABLE

app = typer.Typer(no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="A name from `humans4d models list`.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


@app.command("list")
def list_command() -> int:
    """Show every file of weights, whether it is here, and its licence."""
    for row in TABLE:
        here = "[green]here[/]" if weights.is_present(row) else "[yellow]not here[/]"
        OUT.print(f"[bold]{row.name}[/]  {here}  {row.size_bytes / 1e6:.1f} MB", highlight=False)
        origin = row.source.requirement if isinstance(row.source, Fetched) else row.source.page
        for title, text in (
            ("for", row.needed_by),
            *([("without it", row.without)] if row.without else []),
            ("licence", row.licence),
            ("from", origin),
            ("SHA-256", row.sha256 or "none pinned: its owners published several versions"),
            ("looked for", str(weights.location(row))),
        ):
            OUT.print(f"  {title:10} {text}", highlight=False, markup=False, soft_wrap=True)
    return 0


@app.command("fetch")
def fetch_command(name: Name, quiet: Quiet = False) -> int:
    """Fetch weights into the cache folder and check them."""
    fetched = weights.fetch(name, progress_factory(quiet=quiet))
    OUT.print(f"{name}: {fetched}", highlight=False, markup=False, soft_wrap=True)
    return 0


@app.command("path")
def path_command(name: Name, quiet: Quiet = False) -> int:
    """Print where the file is, fetching it first if it is not here."""
    found = weights.path(name, progress_factory(quiet=quiet))
    OUT.print(str(found), highlight=False, markup=False, soft_wrap=True)
    return 0


@app.command("add")
def add_command(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The official file.", show_default=False)],
) -> int:
    """Check an official file and put what is needed of it into the cache folder."""
    from pipeline.backends import load
    from pipeline.files import file_digest

    row = weights.row(name)
    if not isinstance(row.source, AsPublished):
        return convert_command(name, file, weights.location(row))
    load(row.source.stage, row.source.backend).check_file(file)
    target = weights.keep_copy(row, file)
    setting = f"{row.source.trust_setting}={file_digest(target)}"
    for line in (
        f"{name}: {target}",
        f"licence: {row.licence}",
        f"It is a program. If you trust where you have it from, allow it with: {setting}",
    ):
        OUT.print(line, highlight=False, markup=False, soft_wrap=True)
    return 0


@app.command("convert")
def convert_command(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The official checkpoint.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="The .safetensors to write.", show_default=False)],
) -> int:
    """Check an official checkpoint and write what is needed of it as safetensors."""
    from pipeline.backends import load
    from pipeline.checkpoints import convert

    row = weights.row(name)
    if not isinstance(row.source, Checkpoint):
        use = "add" if isinstance(row.source, AsPublished) else "fetch"
        raise SettingsError(
            f"{name}: is no checkpoint to convert; use: humans4d models {use} {name}"
        )
    layout = getattr(load(row.source.stage, row.source.backend), row.source.layout)()
    convert(file, layout, target, licence=row.licence)
    OUT.print(f"{name}: {target}", highlight=False, markup=False, soft_wrap=True)
    OUT.print(f"licence: {row.licence}", highlight=False, markup=False, soft_wrap=True)
    return 0
