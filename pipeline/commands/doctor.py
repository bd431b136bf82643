"""`humans4d doctor`: what is ready here, and how to get what is not."""

from typing import TYPE_CHECKING

from rich.table import Table

from pipeline.config import load_settings
from pipeline.console import OUT
from pipeline.errors import EXIT_MISSING, EXIT_OK

if TYPE_CHECKING:
    from pipeline.machine import Fact
    from pipeline.readiness import Readiness


def doctor_command() -> int:
    """Say for every backend whether it is ready, or what is missing and how to get it."""
    from pipeline.machine import facts
    from pipeline.readiness import all_backends
    from pipeline.weights import cache_folder

    found, here = all_backends(), facts()
    default = {stage: chosen.backend for stage, chosen in load_settings().stages.items()}
    OUT.print(_table(found, default))
    for entry in found:
        _print_needs(entry)
    for fact in here:
        mark = "" if fact.ok else "MISSING: "
        _print(f"{fact.subject}: {mark}{fact.text}")
    _print(f"weights: kept in {cache_folder()}; where each comes from: docs/weights.md")
    lacking = _lacking(found, here, default)
    _print(f"The default flow is {'not ready: ' + ', '.join(lacking) if lacking else 'ready'}.")
    return EXIT_MISSING if lacking else EXIT_OK


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
    for need in entry.needs:
        _print(f"{entry.stage} {entry.backend} needs {need.what}")
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
