"""`humans4d doctor`: what is ready here, and how to get what is not."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pipeline.config import load_settings
from pipeline.console import OUT, print_json
from pipeline.errors import EXIT_MISSING, EXIT_OK, SettingsError

if TYPE_CHECKING:
    from pipeline.machine import Fact
    from pipeline.readiness import Readiness


Result = Annotated[
    Path | None, typer.Argument(help="With --bundle: the result it is about.", show_default=False)
]
Bundle = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.zip",
        help="Write a zip for a bug report: versions, machine, settings, events, timings, log; "
        "names and paths are replaced, no pictures, no motion.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print it as one JSON document.")]


def doctor_command(result: Result = None, bundle: Bundle = None, as_json: Json = False) -> int:
    """Say for every backend whether it is ready, or what is missing and how to get it."""
    if bundle is not None:
        return _write_bundle(bundle, result)
    if result is not None:
        raise SettingsError(f"doctor {result}: a result is looked at with --bundle FILE.zip only")
    from pipeline.machine import facts
    from pipeline.readiness import all_backends
    from pipeline.weights import cache_folder

    found, here = all_backends(), facts()
    default = {stage: chosen.backend for stage, chosen in load_settings().stages.items()}
    lacking = _lacking(found, here, default)
    if as_json:
        print_json(_plain(found, here, lacking))
        return EXIT_MISSING if lacking else EXIT_OK
    OUT.print(_table(found, default))
    for entry in found:
        _print_needs(entry)
    for fact in here:
        mark = "" if fact.ok else "MISSING: "
        _print(f"{fact.subject}: {mark}{fact.text}")
    _print(f"weights: kept in {cache_folder()}; where each comes from: docs/weights.md")
    _print(f"The default flow is {'not ready: ' + ', '.join(lacking) if lacking else 'ready'}.")
    return EXIT_MISSING if lacking else EXIT_OK


def _write_bundle(bundle: Path, result: Path | None) -> int:
    from pipeline.bug_bundle import CONTENT, write_bundle

    names = write_bundle(bundle, result)
    _print(f"{bundle}: look it over before you send it. In it:")
    for name in names:
        _print(f"    {name}: {CONTENT[name]}")
    return EXIT_OK


def _plain(found: "list[Readiness]", here: "list[Fact]", lacking: list[str]) -> dict[str, Any]:
    return {
        "ready": not lacking,
        "lacking": lacking,
        "backends": [{**asdict(entry), "ready": entry.ready} for entry in found],
        "machine": [asdict(fact) for fact in here],
    }


def _table(found: "list[Readiness]", default: dict[str, str]) -> Table:
    table = Table(caption="* the default")
    for title in ("stage", "backend", ""):
        table.add_column(title)
    for entry in found:
        star = " *" if default[entry.stage] == entry.backend else ""
        state = "ready" if entry.ready else f"needs {len(entry.needs)}"
        if entry.ready and entry.with_settings:
            state = "ready once you allow it"
        table.add_row(entry.stage, entry.backend + star, state)
    return table


def _print_needs(entry: "Readiness") -> None:
    words = [("needs", need) for need in entry.needs]
    words += [("is better with", need) for need in entry.better_with]
    for verb, need in words:
        _print(f"{entry.stage} {entry.backend} {verb} {need.what}")
        for word, text in (("from", need.origin), ("licence", need.licence)):
            if text:
                _print(f"    {word}: {text}")
        if need.command:
            _print(f"    get it with: {need.command}")
    for setting in entry.with_settings:
        _print(f"{entry.stage} {entry.backend} runs a program you brought; allow it with:")
        _print(f"    {setting}")


def _lacking(found: "list[Readiness]", here: "list[Fact]", default: dict[str, str]) -> list[str]:
    """What stands between this machine and the default flow."""
    lacking = [
        f"{e.stage} {e.backend}" for e in found if not e.ready and default[e.stage] == e.backend
    ]
    return lacking + [fact.subject for fact in here if not fact.ok]


def _print(text: str) -> None:
    """One line, however long, so that commands can be copied."""
    OUT.print(text, highlight=False, markup=False, soft_wrap=True)
