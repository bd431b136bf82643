"""Take private words out of texts: where files lie, what they are called, who is in them."""

import getpass
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEAST_LETTERS = 3
"""Shorter words are parts of too many others."""
_ANY_PATH = re.compile(r"(?:(?<![\w<])~?(?:/[^\s:;,'\"()<>|]+)+/?)|(?:[A-Za-z]:\\[^\s;,'\"<>|]+)")
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b|\b[a-z][a-z0-9+]+://[^\s'\"]+")


@dataclass(frozen=True)
class Scrubber:
    """Replaces known private words, and whatever looks like a path or an address."""

    words: Mapping[str, str]
    """What stands in for each."""

    def text(self, text: str) -> str:
        """A text without them."""
        for word in sorted(self.words, key=len, reverse=True):
            text = _whole(word).sub(self.words[word], text)
        return _ANY_PATH.sub("<path>", _ADDRESS.sub("<address>", text))

    def value(self, value: Any) -> Any:
        """Plain values without them, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def left_in(self, text: str) -> list[str]:
        """Private words that are still there."""
        return [word for word in self.words if _whole(word).search(text)]


def _whole(word: str) -> re.Pattern[str]:
    """The word where it is not a part of a longer one, in any case."""
    return re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.IGNORECASE)


def scrubber(
    files: Mapping[str, Path | str], people: Mapping[int, str], common: frozenset[str]
) -> Scrubber:
    """For these files (by what to call them) and people's names.

    Args:
        files: such as {"video": Path("holiday/anna.mp4")}; all parts of their paths are private.
        people: names by id.
        common: words that cannot be private, because the program itself uses them.
    """
    words: dict[str, str] = {}
    for person_id, name in people.items():
        words[name] = f"<name {person_id}>"
        words |= {part: f"<name {person_id}>" for part in re.split(r"\W+", name)}
    for what, path in files.items():
        for text in (str(path), Path(path).name, Path(path).stem):
            words.setdefault(text, f"<{what}>")
        for part in Path(path).absolute().parts[1:]:
            for piece in (part, Path(part).stem):
                words.setdefault(piece, f"<part of {what}>")
    for what, read in (("user", getpass.getuser), ("host", socket.gethostname)):
        try:
            words.setdefault(read(), f"<{what}>")
        except (OSError, KeyError):
            continue
    home = Path.home()
    words.setdefault(str(home), "<home>")
    words.setdefault(home.name, "<user>")
    kept = {word: stand_in for word, stand_in in words.items() if _is_private(word, common)}
    return Scrubber(kept)


def _is_private(word: str, common: frozenset[str]) -> bool:
    return len(word) >= LEAST_LETTERS and word.lower() not in common
