"""JSON and YAML from anywhere: bounded in size and depth, no aliases, no numbers that are none."""

import json
from pathlib import Path
from typing import Any, NoReturn

import yaml

LARGEST_JSON_BYTES = 512 << 20
LARGEST_YAML_BYTES = 4 << 20
DEEPEST = 60


class TextError(ValueError):
    """Not a file of this kind, or beyond the bounds; the text is a short reason."""


def read_json(path: Path, *, most_bytes: int = LARGEST_JSON_BYTES) -> Any:
    """A JSON file's content; NaN and infinity, which JSON does not have, are refused.

    Raises:
        TextError: it is not valid, too large or nested too deeply.
        OSError: it cannot be read.
    """
    return parse_json(_text(path, most_bytes))


def parse_json(text: str) -> Any:
    """As `read_json`, of a text."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise TextError("it is nested too deeply") from error
    except TextError:
        raise
    except ValueError as error:
        raise TextError(_in_a_line(error)) from error


def _no_number(word: str) -> NoReturn:
    raise TextError(f"{word} is no number")


def _finite(word: str) -> float:
    number = float(word)
    if number in (float("inf"), float("-inf")):
        raise TextError(f"{word[:20]} is too large a number")
    return number


def read_yaml(path: Path) -> Any:
    """A YAML file's content: plain values only.

    Raises:
        TextError: it is not valid, too large, nested too deeply, or has aliases.
        OSError: it cannot be read.
    """
    return parse_yaml(_text(path, LARGEST_YAML_BYTES))


def parse_yaml(text: str) -> Any:
    """As `read_yaml`, of a text."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError) as error:
        raise TextError(_in_a_line(error)) from error


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases (they multiply) and without endless depth."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read; write the value out")
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _text(path: Path, most_bytes: int) -> str:
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise TextError(f"it is larger than {most_bytes >> 20} MB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"it is not UTF-8 text ({error.reason} at byte {error.start})") from error


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
