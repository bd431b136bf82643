"""Find out whose a file is, and read it."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.foreign.amass import from_amass, is_amass
from pipeline.foreign.bvh import from_bvh
from pipeline.foreign.gvhmr import from_gvhmr, is_gvhmr
from pipeline.foreign.joblib_file import COMPRESSED_STARTS, read_joblib
from pipeline.foreign.phalp import from_phalp, is_phalp
from pipeline.foreign.result import ForeignResult, check_bounds
from pipeline.foreign.wham import from_wham, is_wham
from pipeline.npz_file import read_npz_file
from pipeline.probe import check_file
from pipeline.torch_file import TorchFile, open_torch_file
from pipeline.torch_pickle import FAULTS, StoredTensor

KNOWN = "PHALP/4DHumans/TokenHMR .pkl, WHAM .pkl, GVHMR .pt or .npz, AMASS .npz, BVH"
PICKLE_STARTS = (b"\x80", b"(", b"]", b"}", *COMPRESSED_STARTS)
"""Of pickles of newer and of the oldest protocols."""
DEEPEST_TENSOR = 2
"""Mappings in mappings; GVHMR's parameters lie one level deep."""
_READERS = (
    (is_phalp, from_phalp),
    (is_wham, from_wham),
    (is_gvhmr, from_gvhmr),
    (is_amass, from_amass),
)


def read_foreign(path: Path, rest_m: np.ndarray) -> ForeignResult:
    """Read a file of any known program; nothing in it is run.

    Args:
        path: The file.
        rest_m: (24, 3) joints at rest of the body that will move.

    Raises:
        InputError: of no known program, damaged, or asking to run something.
    """
    if path.is_dir() or not path.exists():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {found}. Give the file of a result. Known: {KNOWN}")
    check_file(path)
    with path.open("rb") as file:
        start = file.read(9)
    if start == b"HIERARCHY":
        return _read_by(lambda _, bvh: from_bvh(bvh, rest_m), None, path)
    if not start.startswith((b"PK", *PICKLE_STARTS)):
        raise InputError(f"{path}: no result of a program that is known. Known: {KNOWN}")
    content = _archive(path) if start[:2] == b"PK" else read_joblib(path)
    for is_theirs, read in _READERS:
        if is_theirs(content):
            return _read_by(read, content, path)
    raise InputError(f"{path}: {_described(content)}, not a result that is known. Known: {KNOWN}")


def _read_by(read: Callable[[Any, Path], ForeignResult], content: Any, path: Path) -> ForeignResult:
    """A program's reader on a file that may be anybody's."""
    try:
        result = read(content, path)
    except FAULTS as fault:
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise InputError(f"{path}: its parts do not make up a result ({reason})") from fault
    check_bounds(result, path)
    return result


def _archive(path: Path) -> Any:
    """A zip file: NumPy's arrays, or a PyTorch checkpoint."""
    try:
        with zipfile.ZipFile(path) as archive:
            is_numpy = all(name.endswith(".npy") for name in archive.namelist())
        if not is_numpy:
            opened = open_torch_file(path)
            return _tensors_read(opened.content, opened)
        return read_npz_file(path, lambda name: not name.startswith("labels"))
    except (*FAULTS, NotImplementedError, OSError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: cannot be read as an archive of arrays ({reason})") from error


def _tensors_read(content: Any, opened: TorchFile, depth: int = 0) -> Any:
    if isinstance(content, StoredTensor):
        return opened.tensor(content).numpy()
    if isinstance(content, Mapping) and depth < DEEPEST_TENSOR:
        return {key: _tensors_read(value, opened, depth + 1) for key, value in content.items()}
    return content


def _described(content: Any) -> str:
    if isinstance(content, Mapping):
        keys = ", ".join(str(key)[:40] for key in list(content)[:5])
        return f"holds a dict with {keys}" if keys else "holds an empty dict"
    return f"holds a {type(content).__name__}"
