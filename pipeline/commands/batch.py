"""`humans4d batch`: a folder of videos, resumable; `humans4d batch status`: how it stands."""

import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from pipeline.commands.run import Config, Quiet, Verbose
from pipeline.config import load_settings
from pipeline.console import ERR, OUT, configure_logging, print_json
from pipeline.errors import BatchError

FOLDER_COMMAND = "folder"
GB = 1e9


class FolderOrStatus(TyperGroup):
    """`humans4d batch status OUT`; everything else is `humans4d batch FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the command that need not be typed."""
        if not args or args[0] not in ("status", FOLDER_COMMAND):
            args = [FOLDER_COMMAND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FolderOrStatus, help="A folder of videos, resumable.")

Folder = Annotated[
    Path, typer.Argument(help="Videos, here and in all folders below.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="For all results. Default: outputs/<folder name>."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes. Default: one per GPU, else per two cores."),
]
Pattern = Annotated[
    str | None, typer.Option(help="Which files, such as 'cam1/*.MP4'. Default: all videos.")
]
EngineName = Annotated[str, typer.Option("--engine", help="local, or ray for several machines.")]
Address = Annotated[str | None, typer.Option(help="Of a Ray cluster. Default: one made here.")]
Results = Annotated[
    str, typer.Option(help="URL that results go to, such as s3://bucket/x.", show_default=False)
]
Retries = Annotated[int, typer.Option(min=0, help="How often a video that failed is retried.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try all failed ones again.")]
Resume = Annotated[bool, typer.Option(help="Leave alone what is done, or do all again.")]
Lease = Annotated[float, typer.Option("--lease-s", help="A silent process loses its videos after.")]
Memory = Annotated[
    float | None, typer.Option("--memory-gb", min=0.1, help="Kill a worker that holds more.")
]
TimeLimit = Annotated[
    float | None, typer.Option("--time-limit-s", min=0.1, help="Kill a video that takes longer.")
]
Sets = Annotated[list[str] | None, typer.Option("--set", help="A setting, as key=value.")]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@app.command(FOLDER_COMMAND, hidden=True)
def folder_command(
    folder: Folder,
    output: Out = None,
    workers: Workers = None,
    pattern: Pattern = None,
    engine: EngineName = "local",
    address: Address = None,
    results: Results = "",
    retries: Retries = 2,
    retry_failed: RetryFailed = False,
    resume: Resume = True,
    lease_s: Lease = 60.0,
    memory_gb: Memory = None,
    time_limit_s: TimeLimit = None,
    config: Config = None,
    sets: Sets = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Run every video of a folder; done ones are left alone. See also: humans4d batch status OUT.

    Interrupted, killed, or settings changed? The same command again does what is missing.
    """
    from pipeline.batch.begin import Wish, run_batch
    from pipeline.batch.summary import as_json as outcome
    from pipeline.batch.table import Shown
    from pipeline.batch.worker_process import Limits

    configure_logging(verbose=verbose)
    out = output or Path("outputs") / folder.resolve().name
    limits = Limits(None if memory_gb is None else round(memory_gb * GB), time_limit_s)
    is_ray = engine == "ray"
    wish = Wish(
        folder=folder.absolute() if is_ray else folder,
        out=out.absolute() if is_ray else out,
        settings=load_settings(config, sets or []),
        workers=workers,
        pattern=pattern,
        engine=engine,
        address=address,
        upload=results if "://" in results or not results else str(Path(results).absolute()),
        retries=retries,
        retry_failed=retry_failed,
        afresh=not resume,
        lease_s=lease_s,
        limits=limits,
    )
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    with Shown(ERR, quiet=quiet) as shown:
        ended = run_batch(wish, shown, lambda line: None if quiet else ERR.print(line))
    for problem in ended.problems:
        ERR.print(f"[yellow]not searched[/] {escape(problem)}", highlight=False, soft_wrap=True)
    if as_json:
        print_json(outcome(ended.rows, out))
    return _tell_end(ended, out, quiet=quiet, as_json=as_json)


@app.command("status")
def status_command(
    output: Annotated[Path, typer.Argument(help="A batch's output.", show_default=False)],
    as_json: Json = False,
) -> int:
    """How a batch stands: every video that is not done, and what runs where."""
    from pipeline.batch.manifest import FILE_NAME, Manifest
    from pipeline.batch.summary import as_json as outcome
    from pipeline.batch.summary import in_a_line

    with Manifest(output / FILE_NAME) as manifest:
        rows = manifest.rows()
    if as_json:
        print_json(outcome(rows, output))
        return 0
    for row in rows:
        if row.status != "done":
            OUT.print(_status_line(row), highlight=False, soft_wrap=True)
    OUT.print(in_a_line(rows), highlight=False)
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _tell_end(ended: Any, out: Path, *, quiet: bool, as_json: bool) -> int:
    """The last line; an error if something has no result."""
    from pipeline.batch.summary import in_a_line

    line = in_a_line(ended.rows)
    failed = sum(row.status == "failed" for row in ended.rows)
    if failed or ended.problems:
        error = BatchError(
            f"{line}{f', {len(ended.problems)} not searched' if ended.problems else ''}. Why: "
            f"humans4d batch status {out}; again: --retry-failed; all results: {ended.page}"
        )
        if not as_json:  # a second document on stdout would break the first
            raise error
        ERR.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return error.exit_code
    if not quiet and not as_json:
        OUT.print(f"{line}: {ended.page}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _status_line(row: Any) -> str:
    """A video that is not done, in one line."""
    from pipeline.batch.holder import host_of, is_surely_dead
    from pipeline.batch.names import shown

    words = [row.status, escape(shown(row.name))]
    if row.stage:
        words.append(f"at: {row.stage}")
    if row.frames_total and row.status == "running":
        words[-1] += f" {row.frames}/{row.frames_total}"
    if row.attempts:
        words.append(f"attempts: {row.attempts}")
    if row.status == "running" and is_surely_dead(row.holder):
        words.append("its process is gone: start the batch again")
    elif row.status == "running":
        where = f"{host_of(row.holder)} {row.worker}"
        words.append(f"with {where}, claimed until {row.lease_until_utc}")
    if row.error:
        code = "" if row.exit_code is None else f" (code {row.exit_code})"
        words.append(escape(shown(row.error)) + code)
    return "  ".join(words)
