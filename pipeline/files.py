"""Files that are whole or absent: write aside, fsync, rename; errors in words."""

import errno
import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import OutputError

_ASIDE = re.compile(r"\..+\.(\d+)\.part(\.\w+)?")


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing `path` into an `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: {_in_words(error)}") from error


def _in_words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space and run the same command again to continue"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission to write here. Choose another folder with -o"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "a file is where a folder should be. Choose another folder with -o"
    return f"cannot be written: {error.strerror or error}"


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it becomes `path`, else it is removed.

    The temporary file is there, new and ours alone (0600); `path` has the rights of the umask.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield aside
            with aside.open("rb") as file:
                os.fsync(file.fileno())
                with suppress(PermissionError):  # file systems without rights
                    os.fchmod(file.fileno(), 0o666 & ~_umask())
            aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove what `written_aside` left in a folder when its process was killed."""
    for path in folder.rglob(".*.part*"):
        found = _ASIDE.fullmatch(path.name)
        if found and not _is_alive(int(found[1])):
            with suppress(OSError):
                path.unlink()


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return process_id != os.getpid()


def _umask() -> int:
    """This process's; read where the system tells it, for setting it is seen by all threads."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Umask:")), 8)
    except (OSError, StopIteration):
        mask = os.umask(0o077)
        os.umask(mask)
        return mask


def write_npz(path: Path, arrays: Mapping[str, Any], *, compressed: bool = True) -> None:
    """Write named arrays (and texts) as .npz, whole or not at all, without pickles.

    As `np.savez` does, but array by array: those that are `Joined` are never all laid out at once.
    """
    packing = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with written_aside(path) as aside, zipfile.ZipFile(aside, "w", packing) as archive:
        for key, value in arrays.items():
            array = np.asarray(value)
            assert array.dtype != object, f"{key} is no plain array"
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


@dataclass(frozen=True)
class Joined:
    """Arrays one behind the other, laid out when they are asked for as one array."""

    pieces: Sequence[np.ndarray]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.concatenate(self.pieces, dtype=dtype)


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all; NaN is refused."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def content_digest(path: Path) -> str:
    """Digest of a file that a run reads, reckoned once however often it is asked for.

    Raises:
        OSError: it cannot be read, or is no file with an end (a pipe, a device).
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return _digest_of(path, facts.st_size, facts.st_mtime_ns)


@cache
def _digest_of(path: Path, size_bytes: int, modified_ns: int) -> str:
    return file_digest(path)


def add_array(whole: "hashlib._Hash", name: str, array: np.ndarray) -> None:
    """To a digest under way: an array's name, kind, shape and content."""
    whole.update(f"{name} {array.dtype.str} {array.shape} ".encode())
    whole.update(np.ascontiguousarray(array).data)


def value_digest(value: Any) -> str:
    """A short digest of plain values (JSON with sorted keys)."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
