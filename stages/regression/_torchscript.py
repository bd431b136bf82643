"""TorchScript files: programs in a zip archive, run only on the user's word or a known digest."""

import importlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from pipeline.backends import pip_line
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.files import file_digest

SHA256_DIGITS = 64
LARGEST_CODE_BYTES = 64 << 20
PACKAGES_WITH_OPERATORS = ("torchvision",)
"""Packages whose own operators such a program may call; imported, they are known to torch."""


def check_trust(
    path: Path, setting: str, trusted: str | None, known: str | None, page: str
) -> None:
    """Raise unless this very file may be run.

    Args:
        path: The TorchScript file.
        setting: Name of the setting that holds `trusted`.
        trusted: SHA-256 that the user allows.
        known: SHA-256 that the project knows.
        page: Where the true file is published.

    Raises:
        SettingsError: neither digest is the file's; the text tells the file's and what to set.
    """
    digest = file_digest(path)
    if digest in (known, (trusted or "").strip().lower()):
        return
    if trusted:
        raise SettingsError(
            f"{setting}: allows {trusted}, but {path} has the SHA-256 {digest}: another file. Get "
            f"it again from {page}, or allow this one with {setting}={digest}"
        )
    raise SettingsError(
        f"{path} is a TorchScript program: loading it runs code, and its SHA-256 is none that this "
        f"project knows. If you have it from {page} and trust that, allow this very file with "
        f"{setting}={digest}"
    )


def check_program(path: Path) -> None:
    """Raise unless it is a TorchScript file and its packages are installed. Nothing is run.

    Raises:
        InputError: it is no TorchScript file.
        MissingError: there is no such file, or a package whose operators it calls is missing.
    """
    if not path.is_file():
        raise MissingError(f"{path}: no such file")
    for package in _packages_called(path):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise MissingError(
                f"{path} calls operators of '{package}'. Install it with: {pip_line(package)}"
            ) from error


def read_program(path: Path, device: str) -> Any:
    """Load a TorchScript file that may be run.

    Raises:
        MissingError, InputError: as `check_program`; or it was made for another version of torch.
    """
    check_program(path)
    try:
        return torch.jit.load(str(path), map_location=device).eval()
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: torch {torch.__version__} cannot load this program ({reason}). Use the "
            "newest release of the file"
        ) from error


def _packages_called(path: Path) -> list[str]:
    """Which of the packages the program's text names. Nothing is run.

    Raises:
        InputError: the file is no TorchScript archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.split("/")[1:2] == ["code"]]
            if sum(archive.getinfo(name).file_size for name in names) > LARGEST_CODE_BYTES:
                raise InputError(f"{path}: claims more code than a network has")
            text = b"\n".join(archive.read(name) for name in names if name.endswith(".py"))
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InputError(f"{path}: is damaged or no TorchScript file ({error})") from error
    if not names:
        raise InputError(f"{path}: is a zip archive but no TorchScript file (no code in it)")
    return [package for package in PACKAGES_WITH_OPERATORS if package.encode() in text]
