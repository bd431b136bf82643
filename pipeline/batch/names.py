"""File names as they are: any bytes that the system allows, in the manifest and on the screen."""

import os
import urllib.parse


def to_db(name: str) -> str | bytes:
    """A name for SQLite: text where it is valid Unicode, else its bytes."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def from_db(value: str | bytes) -> str:
    """The name again."""
    return os.fsdecode(value) if isinstance(value, bytes) else value


def shown(name: str) -> str:
    """A name in one line, with what cannot be printed spelled out (newlines, other bytes)."""
    return "".join(
        letter
        if letter.isprintable()
        else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in name
    )


def as_link(name: str) -> str:
    """A relative path as a link in a page."""
    return urllib.parse.quote(os.fsencode(name), safe="/")
