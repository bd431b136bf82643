"""Where an archive of weights lies while it arrives and is read: a folder that is then removed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.weights_kinds import Fetched


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`; it is removed afterwards, whatever happens.

    Raises:
        OutputError: `folder` cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise OutputError(
            f"weights cannot be kept in {folder}: {error.strerror or error}. Free some space "
            f"there, or set HUMANS4D_CACHE to a folder that can be written"
        ) from error


BY_HAND = ". By hand: "
"""What stands before the advice at the end of an error's text."""


def by_hand(source: Fetched, folder: Path) -> str:
    """The advice for who has the archive from elsewhere."""
    return f"{BY_HAND}put {source.file_name} into {folder} and try again"
