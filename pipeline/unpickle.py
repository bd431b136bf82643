"""Pickles from strangers, read without running anything in them.

A pickle is a program: it may name any function of any module and have it called. Here a few names
are known, each standing for an inert container; any other name stops the reading.
"""

from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from pipeline import unpickle_stand_ins as stand_ins
from pipeline.errors import InputError
from pipeline.plain_unpickler import UNPICKLING_FAULTS, PlainUnpickler
from pipeline.unpickle_stand_ins import InertChumpy, InertSparse, InertSparseByColumn, Maker

FAULTS = UNPICKLING_FAULTS
_RENAMED = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
}
Known = Mapping[tuple[str, str], Any]
"""Stand-ins by module and name."""

CONTAINERS: Known = {
    ("builtins", "object"): object,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytes"): Maker(stand_ins.no_bytes),
    ("collections", "OrderedDict"): OrderedDict,
    ("copyreg", "_reconstructor"): Maker(stand_ins.instance),
    ("_codecs", "encode"): Maker(stand_ins.latin1_bytes),
    ("numpy", "ndarray"): stand_ins.InertArray,
    ("numpy", "dtype"): stand_ins.InertDtype,
    ("numpy.core.multiarray", "_reconstruct"): Maker(stand_ins.empty_array),
    ("numpy.core.multiarray", "scalar"): Maker(stand_ins.scalar_from_bytes),
    ("numpy.core.numeric", "_frombuffer"): Maker(stand_ins.array_from_bytes),
}
_SPARSE = {
    f"{form}_{kind}": InertSparseByColumn if form == "csc" else InertSparse
    for form in ("csc", "csr", "coo")
    for kind in ("matrix", "array")
}


def read_pickle(path: Path, known: Known = CONTAINERS) -> Any:
    """Content of a pickle: plain Python values and NumPy arrays (sparse matrices made dense).

    Args:
        path: The file.
        known: Stand-ins for the names that the pickle may use, beside chumpy's and scipy's.

    Raises:
        InputError: the pickle names something else, or is damaged, or is no pickle.
    """
    unpickler = _Unpickler(BytesIO(path.read_bytes()), path, known)
    try:
        return stand_ins.to_plain(unpickler.load())
    except FAULTS as fault:
        raise InputError(f"{path}: not a readable pickle ({_in_a_line(fault)})") from fault


class _Unpickler(PlainUnpickler):
    """Reads pickles; knows no global but the given ones."""

    def __init__(self, file: BytesIO, path: Path, known: Known) -> None:
        # Files of Python 2 hold arrays as text, one character a byte.
        super().__init__(file, encoding="latin1")
        self._path, self._known = path, known

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a global; never the global itself."""
        return stand_in(module, name, self._known, self._path)


def stand_in(module: str, name: str, known: Known, path: Path) -> Any:
    """What a pickle gets instead of the global it names.

    Raises:
        InputError: it is none of those known.
    """
    found = known.get((_RENAMED.get(module, module), name))
    if found is None and f"{module}.".startswith("chumpy."):
        found = InertChumpy
    if found is None and f"{module}.".startswith("scipy.sparse."):
        found = _SPARSE.get(name)
    if found is None:
        raise InputError(
            f"{path}: the pickle asks for {module}.{name}, which is no container of "
            "numbers; it was refused and nothing was run. Use a file from a source you trust"
        )
    return found


def _in_a_line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
