"""`humans4d edit`: put right by hand who is who; only what changes is made again."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.run import run_again
from pipeline.console import OUT, configure_logging
from pipeline.errors import OutputError, SettingsError
from pipeline.identities import (
    FILE,
    USAGE,
    Identities,
    parse_edit,
    read_identities,
    write_identities,
)
from pipeline.result import ResultFolder

Folder = Annotated[Path, typer.Argument(help="A result folder.", show_default=False)]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VERB ARGUMENTS]",
        help="; ".join((*USAGE.values(), "undo")) + ". Without: apply identities.yaml as it is.",
    ),
]
Later = Annotated[bool, typer.Option("--later", help="Write the line, and run nothing yet.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show errors only.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def edit_command(
    result: Folder,
    words: Words = None,
    later: Later = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Correct who is who: merge, split, swap, drop, keep or name people, or undo."""
    configure_logging(verbose=verbose)
    folder = ResultFolder(result)
    report = folder.read_report()
    if "import" in report["settings"]:
        program = report["settings"]["import"].get("backend", "another program")
        text = (
            f"{result}: was imported from {program}; only people that tracking found can be edited"
        )
        raise SettingsError(text)
    before = read_identities(result)
    after = _changed(folder, before, words or [])
    events = _tried(folder, after)
    if report["status"] != "complete":
        raise OutputError(f"{result}: is not complete. Run the video again first")
    write_identities(result, after)
    if not quiet:
        _tell(result, before, after, events)
    if not later:
        run_again(folder, report, quiet=quiet)
    return 0


def _tell(folder: Path, before: Identities, after: Identities, events: list[str]) -> None:
    """Which corrections hold now, and how to take the last one back."""
    lines = [f"Undone: {before.edits[-1]}"] if len(after.edits) < len(before.edits) else []
    lines += events or ["No corrections: people are as tracking found them"]
    if after.edits:
        lines += [f"Kept in {folder / FILE}. Take the last one back: humans4d edit {folder} undo"]
    for line in lines:
        OUT.print(line, highlight=False, markup=False, soft_wrap=True)


def _changed(folder: ResultFolder, before: Identities, words: list[str]) -> Identities:
    """The corrections with one more, or one less."""
    if not words:
        return before
    if words == ["undo"]:
        if not before.edits:
            raise SettingsError(f"{folder.path}: there is no correction to undo")
        return Identities(before.tracks, before.edits[:-1])
    edit = parse_edit(" ".join(words), "edit")
    return Identities(before.tracks or _tracks(folder), (*before.edits, edit))


def _tracks(folder: ResultFolder) -> str:
    """Which tracking the ids of a result belong to."""
    from pipeline.identities_applied import tracks_digest
    from pipeline.storage import people_from, read_npz

    return tracks_digest(people_from(read_npz(folder.stage_path("tracks"))))


def _tried(folder: ResultFolder, identities: Identities) -> list[str]:
    """Try the corrections on what tracking found, before anything is written; what they do."""
    from pipeline.events import EventLog
    from pipeline.identities_applied import corrected
    from pipeline.storage import people_from, read_npz, video_from

    tracked = people_from(read_npz(folder.stage_path("tracks")))
    video = video_from(read_npz(folder.stage_path("video")), folder.path)
    log = EventLog()
    corrected(tracked, identities, video, log)
    return [event.message for event in log.events]
