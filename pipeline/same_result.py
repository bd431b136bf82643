"""What may differ between two runs of the same video with the same settings: this and no more.

A run that was interrupted any number of times and one that was not give the same files but for
what tells of the running itself: when it was, how long it took, how much memory it took.
`docs/reliability.md` repeats this list in words.
"""

import json
import re
from pathlib import Path
from typing import Any

MAY_DIFFER_FILES = ("run.log.jsonl", ".lock")
"""The log tells of every run there was."""
MAY_DIFFER_KEYS = {
    "run.json": (
        "created_utc",
        "timings",
        "made.*.seconds",
        "made.*.peak_memory_mb",
        "made.*.reused",
        "made.report.files",
    ),
    "report.json": ("created_utc", "seconds"),
}
"""`made.report.files` holds the sizes of report.json and report.html, which hold times."""
MAY_DIFFER_TEXT = {"report.html": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", r"<td>\d+\.\d s</td>")}
"""When it was made, and the seconds in its table of stages."""


def differences(one: Path, other: Path) -> list[str]:
    """Names of the files in which two result folders differ beyond what may differ.

    A file that only one of them holds is named too, hidden ones (left by a crash) included.
    """
    names = sorted(_files(one) | _files(other))
    return [name for name in names if _content(one, name) != _content(other, name)]


def _files(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files} - set(MAY_DIFFER_FILES)


def _content(folder: Path, name: str) -> Any:
    """What counts of a file; None where there is none."""
    path = folder / name
    if not path.is_file():
        return None
    if name in MAY_DIFFER_KEYS:
        content = json.loads(path.read_text(encoding="utf-8"))
        for key in MAY_DIFFER_KEYS[name]:
            _remove(content, key.split("."))
        return json.dumps(content)
    if name in MAY_DIFFER_TEXT:
        text = path.read_text(encoding="utf-8")
        for pattern in MAY_DIFFER_TEXT[name]:
            text = re.sub(pattern, "", text)
        return text
    return path.read_bytes()


def _remove(content: Any, key: list[str]) -> None:
    first, *rest = key
    if not isinstance(content, dict):
        return
    if not rest:
        content.pop(first, None)
        return
    for name in list(content) if first == "*" else [first]:
        if name in content:
            _remove(content[name], rest)
