"""identities.yaml: corrections of who is who, made by hand, line by line.

A line is a verb and its arguments; ids are those that the lines before leave:

    merge A B ...      B and others are A
    split A FRAME      from this frame on A is somebody new (the next free id)
    swap A B FROM [TO] A and B change places from this frame on (to this one)
    drop A ...         not a person, or not wanted
    keep A ...         only these are wanted
    name A TEXT        what to call A

Taking a line out undoes it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import InputError
from pipeline.files import output_errors, written_aside
from pipeline.text_files import TextError, read_yaml

FILE = "identities.yaml"
USAGE = {
    "merge": "merge A B ...",
    "split": "split A FRAME",
    "swap": "swap A B FROM_FRAME [TO_FRAME]",
    "drop": "drop A ...",
    "keep": "keep A ... (nobody else)",
    "name": "name A TEXT",
}
_NUMBERS = {
    "merge": (2, None),
    "split": (2, 2),
    "swap": (3, 4),
    "drop": (1, None),
    "keep": (1, None),
}
"""How many numbers each takes, at least and at most."""
_HEAD = """\
# Corrections of who is who, applied in order to the people that tracking found.
# Verbs: {usage}.
# Take a line out to undo it, then run the video or `humans4d edit` again.
# `tracks` tells which tracking the ids belong to.
"""


@dataclass(frozen=True)
class Edit:
    """One line."""

    verb: str
    numbers: tuple[int, ...]
    """Ids, and frames where the verb takes any."""
    text: str = ""
    """A name."""

    def __str__(self) -> str:
        words = [self.verb, *map(str, self.numbers), self.text]
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Identities:
    """The content of identities.yaml."""

    tracks: str
    """Which tracking the ids belong to; empty: not told."""
    edits: tuple[Edit, ...]


NONE = Identities("", ())


def parse_edit(line: str, where: str) -> Edit:
    """A line as an edit.

    Raises:
        InputError: no such verb, or other arguments than it takes; the usage is told.
    """
    verb, *words = line.split()
    if verb not in USAGE:
        raise InputError(f"{where}: unknown correction '{verb}'. Known: {', '.join(USAGE)}")
    wrong = InputError(f"{where}: '{line}' is not {USAGE[verb]}")
    if verb == "name":
        if len(words) < 2 or not words[0].isdecimal():  # noqa: PLR2004
            raise wrong
        return Edit(verb, (int(words[0]),), " ".join(words[1:]))
    least, most = _NUMBERS[verb]
    if not all(word.isdecimal() for word in words) or len(words) < least:
        raise wrong
    if most is not None and len(words) > most:
        raise wrong
    numbers = tuple(map(int, words))
    ids = numbers[:2] if verb == "swap" else numbers[:1] if verb == "split" else numbers
    if len(set(ids)) < len(ids):
        raise InputError(f"{where}: '{line}' names a person twice")
    return Edit(verb, numbers)


def read_identities(folder: Path) -> Identities:
    """The corrections in a result folder; none where there is no file.

    Raises:
        InputError: the file cannot be read or a line is wrong; the line is told.
    """
    path = folder / FILE
    if not path.exists():
        return NONE
    try:
        content: Any = read_yaml(path)
    except (OSError, TextError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    content = {} if content is None else content
    if not isinstance(content, dict) or not {*content} <= {"tracks", "edits"}:
        raise InputError(f"{path}: must hold 'tracks: ...' and 'edits:' with a list of lines")
    lines = content.get("edits") or []
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError(f"{path}: 'edits' must be a list of lines such as '- merge 1 3'")
    edits = tuple(
        parse_edit(line, f"{path}, correction {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    )
    return Identities(str(content.get("tracks") or ""), edits)


def write_identities(folder: Path, identities: Identities) -> None:
    """Write the file; without corrections it is removed.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / FILE
    if not identities.edits:
        with output_errors(path):
            path.unlink(missing_ok=True)
        return
    lines = [str(edit) for edit in identities.edits]
    content = yaml.safe_dump(
        {"tracks": identities.tracks, "edits": lines}, sort_keys=False, allow_unicode=True
    )
    with written_aside(path) as aside:
        head = _HEAD.format(usage="; ".join(USAGE.values()))
        aside.write_text(head + content, encoding="utf-8")
