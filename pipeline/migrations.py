"""Results that an earlier humans4d wrote, brought to this one's schema where the change is known.

`run.json` is changed in memory when it is read; the files stay as they are until a run writes them
anew. A new schema version adds one function to `STEPS`, under the version that it starts from.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import __version__
from pipeline.errors import OutputError
from pipeline.storage import SCHEMA_VERSION

Report = dict[str, Any]


def _with_events_of_stages(report: Report) -> Report:
    """The first results of version 1 kept events in one list only, not with their stages, too."""
    made = report.get("made")
    if not isinstance(made, dict) or not all(isinstance(stage, dict) for stage in made.values()):
        return report
    told = {name: {"events": [], **stage} for name, stage in made.items()}
    return {**report, "made": told}


STEPS: Mapping[int, Callable[[Report], Report]] = {}
"""What turns a report of that version into one of the next. Version 1 is the first there was."""
WITHIN: tuple[Callable[[Report], Report], ...] = (_with_events_of_stages,)
"""What was added without a new version, as older readers do without it."""


def brought_up_to_date(
    report: Any,
    where: str,
    steps: Mapping[int, Callable[[Report], Report]] = STEPS,
    newest: int = SCHEMA_VERSION,
) -> Report:
    """run.json's content in this version's form.

    Args:
        report: what the file holds.
        where: the file, for the error.
        steps: known changes by the version they start from.
        newest: the version to reach.

    Raises:
        OutputError: no version, a newer one, or an older one whose changes are not known.
    """
    version = report.get("schema_version") if isinstance(report, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise OutputError(
            f"{where}: schema_version {version!r} is no version: this is no result of humans4d, or "
            "a damaged one. Run the video again to remake it"
        )
    writer = str(report.get("humans4d_version", "unknown"))[:40]
    if version > newest:
        raise OutputError(
            f"{where}: schema version {version}, written by humans4d {writer}; this one "
            f"({__version__}) reads up to {newest}. Update humans4d: pip install -U humans4d"
        )
    while version < newest:
        if version not in steps:
            raise OutputError(
                f"{where}: schema version {version}, written by humans4d {writer}; this one "
                f"({__version__}) reads {newest} and knows no way from {version}. Run the video "
                f"again to remake the result, or read it with humans4d {writer}"
            )
        report = {**steps[version](report), "schema_version": version + 1}
        version += 1
    for addition in WITHIN:
        report = addition(report)
    return dict(report)
