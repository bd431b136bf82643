"""The videos of a folder, wherever they lie in it.

Every video's result goes to the folder of its own full name (`b/dance.mp4` -> `OUT/b/dance.mp4/`):
two files never get one folder, whatever else is there, and none ever moves.
"""

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.batch.names import shown
from pipeline.errors import InputError

EXTENSIONS = frozenset(
    "3g2 3gp amv asf avi divx dv f4v flv h264 h265 hevc ivf m2ts m2v m4v mj2 mjpeg mjpg mkv mov "
    "mp4 mpeg mpg mts mxf nut obu ogm ogv qt rm rmvb swf ts vob webm wmv wtv y4m".split()
)
"""Names of videos that FFmpeg reads; pictures, GIF and sound are left to `--pattern`."""
OWN_MARK = b'"humans4d_version"'
LARGEST_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Found:
    """A video file."""

    name: str
    """Its path below the folder, with '/'; also its result's, below the output."""
    size_bytes: int
    mtime_ns: int


@dataclass
class Search:
    """What a folder holds."""

    videos: list[Found] = field(default_factory=list)
    """In the order of their names."""
    problems: list[str] = field(default_factory=list)
    """What could not be looked at, and why."""
    other_files: int = 0
    """Files that are no video by their name."""


def search(folder: Path, out: Path, pattern: str | None = None) -> Search:
    """Look through a folder and all below it.

    Hidden files and folders, the output and earlier results are left out. Links to folders are
    followed where they lead outside, each target once, so that circles end.

    Args:
        folder: where to begin.
        out: where results go; not searched if it lies inside.
        pattern: take the files whose name, or path below the folder, fits this (``*.MP4``,
            ``cam1/*``), instead of those with the ending of a video.

    Raises:
        InputError: no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        what = "is a file: use humans4d run" if folder.exists() else "does not exist"
        raise InputError(f"{folder}: {what}. Give the folder with the videos")
    result, links = Search(), _Links(os.path.realpath(folder), {os.path.realpath(out)})
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
        except OSError as error:
            if not below:
                raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
            result.problems.append(f"{shown(below)}: cannot be searched: {error.strerror}")
            continue
        for entry in entries:
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if links.leads_on(entry) and not _is_result(entry.path):
                    waiting.append(name)
            else:
                _take(entry, name, pattern, links, result)
    result.videos.sort(key=lambda found: found.name)
    return result


@dataclass(frozen=True)
class _Links:
    root: str
    seen: set[str]
    """Real paths of the output and of link targets that were followed."""

    def leads_on(self, entry: "os.DirEntry[str]") -> bool:
        """Whether to look into a folder."""
        target = os.path.realpath(entry.path)
        if target in self.seen:
            return False
        if entry.is_symlink():
            if self.is_inside(target) or _is_within(self.root, target):
                return False
            self.seen.add(target)
        return True

    def is_inside(self, target: str) -> bool:
        """Whether a link's target is found anyway."""
        return _is_within(target, self.root)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _take(
    entry: "os.DirEntry[str]", name: str, pattern: str | None, links: _Links, result: Search
) -> None:
    if not _is_wanted(name, pattern):
        result.other_files += 1
        return
    if entry.is_symlink() and links.is_inside(os.path.realpath(entry.path)):
        return
    try:
        if entry.is_file():  # no pipe, no device
            facts = entry.stat()
            result.videos.append(Found(name, facts.st_size, facts.st_mtime_ns))
        elif entry.is_symlink():
            result.problems.append(f"{shown(name)}: is a link to nothing")
    except OSError as error:
        result.problems.append(f"{shown(name)}: cannot be read: {error.strerror}")


def _is_wanted(name: str, pattern: str | None) -> bool:
    last = name.rpartition("/")[2]
    if pattern is not None:
        return fnmatchcase(last, pattern) or fnmatchcase(name, pattern)
    return last.rpartition(".")[2].lower() in EXTENSIONS and not last.startswith(".")


def _is_result(path: str) -> bool:
    """Whether a folder is one of our results (its overlay is no input)."""
    try:
        with open(os.path.join(path, "run.json"), "rb") as file:
            return OWN_MARK in file.read(LARGEST_HEAD_BYTES)
    except OSError:
        return False
