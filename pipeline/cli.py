"""humans4d: the command line. Commands live in `pipeline/commands/`, one file each.

Exit codes are in `pipeline.errors.EXIT_CODES`. With `--json` a command prints one JSON document on
stdout, and an error is one, too: ``{"error": {"kind", "message", "exit_code"}}``.
"""

import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from pipeline import __version__
from pipeline.commands import (
    batch,
    bench,
    body,
    demo,
    doctor,
    edit,
    export,
    import_,
    inspect,
    models,
    render,
    run,
    track,
    validate,
    view,
)
from pipeline.console import ERR, OUT, print_json
from pipeline.errors import (
    EXIT_CODES,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_SETTINGS,
    UserError,
)

JSON_COMMANDS = ("run", "import", "inspect", "validate", "doctor", "track", "batch")
"""Commands whose `--json` is one document on stdout (`bench --json FILE` writes a file)."""

app = typer.Typer(
    help="Video in; for every person in it, a SMPL body for every frame.",
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("run")(run.run_command)
app.add_typer(batch.app, name="batch")
app.command("render")(render.render_command)
app.command("view")(view.view_command)
app.command("export")(export.export_command)
app.command("import")(import_.import_command)
app.command("edit")(edit.edit_command)
app.command("track")(track.track_command)
app.command("inspect")(inspect.inspect_command)
app.command("validate")(validate.validate_command)
app.command("demo")(demo.demo_command)
app.command("bench")(bench.bench_command)
app.command("doctor")(doctor.doctor_command)
app.add_typer(models.app, name="models", help="Network weights: list, fetch, find.")
app.add_typer(body.app, name="body", help="The body model.")


def _show_version(wanted: bool) -> bool:
    if wanted:
        OUT.print(f"humans4d {__version__}", highlight=False)
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command line; every error becomes one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files need not be text
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = int(app(standalone_mode=False) or 0)
    except UserError as error:
        _complain(str(error), error.exit_code, type(error).__name__)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except Exception as error:
        if _is_usage_error(error):
            text = error.format_message().replace("Value error, ", "")  # type: ignore[attr-defined]
            _complain(text, EXIT_SETTINGS)
            return EXIT_SETTINGS
        if os.environ.get("HUMANS4D_DEBUG"):
            raise
        _complain(
            f"Unexpected {type(error).__name__}: {error}. This is a fault of humans4d: please "
            "report it with the output of the same command under HUMANS4D_DEBUG=1, and "
            "with what humans4d doctor --bundle bug.zip RESULT writes",
            EXIT_INTERNAL,
            "InternalError",
        )
        return EXIT_INTERNAL
    if code == EXIT_INTERRUPTED:  # typer turns Ctrl-C into this code
        _complain("Interrupted. What is done stays; run the same command again to continue", code)
    return code


def _is_usage_error(error: Exception) -> bool:
    """True for the command-line parser's own errors, whichever click it carries."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _complain(text: str, code: int, kind: str = "SettingsError") -> None:
    if "--json" in sys.argv[2:] and sys.argv[1] in JSON_COMMANDS:
        print_json({"error": {"kind": kind, "message": text, "exit_code": code}})
    ERR.print(f"[bold red]humans4d:[/] {escape(text)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
