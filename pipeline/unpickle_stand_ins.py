"""What a restricted pickle may make: inert boxes that only keep the numbers put into them.

Arrays are rebuilt here from their bytes and not by NumPy's own unpickling, which accepts object
arrays and trusts the header of a dtype.
"""

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import numpy as np

_PLAIN_KINDS = "biufcSU"
_DTYPE_STATE_ORDER = 1
_MAX_DENSE_ENTRIES = 10**8


Memo = dict[int, Any]
"""What was made already, by identity: a pickle may name one thing very often."""


class Maker:
    """A function that a pickle may call. It cannot be altered, unlike a bare function."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        """Make it."""
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise UnpicklingError("a pickle may not alter what it calls")


class Inert:
    """Keeps the state that a pickled instance comes with, and does nothing."""

    state: Any = None

    def plain(self, memo: Memo) -> Any:
        """What goes into the content in its place."""
        return self

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class InertDtype(Inert):
    """A dtype of numbers or text."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in _PLAIN_KINDS or self.dtype.names or self.dtype.subdtype:
            raise UnpicklingError(f"arrays of dtype {name} are not read, only plain numbers")

    def __setstate__(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[_DTYPE_STATE_ORDER])


class InertArray(Inert):
    """An array: (version, shape, dtype, column by column?, bytes)."""

    def plain(self, memo: Memo) -> np.ndarray:
        """The array."""
        _, shape, dtype, by_column, data = self.state
        return array_from_bytes(data, dtype, shape, "F" if by_column else "C")


class InertSparse(Inert):
    """A scipy sparse matrix, compressed by column or row, or a list of entries."""

    def plain(self, memo: Memo) -> np.ndarray:
        """The matrix, dense."""
        kept = {str(key).lstrip("_"): to_plain(value, memo) for key, value in self.state.items()}
        if np.prod(np.array(kept["shape"], dtype=np.float64)) > _MAX_DENSE_ENTRIES:
            raise UnpicklingError(f"a sparse matrix of shape {kept['shape']} is too large")
        dense = np.zeros(kept["shape"], kept["data"].dtype)
        np.add.at(dense, self._places(kept), kept["data"])
        return dense

    def _places(self, kept: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        if "indptr" not in kept:
            row, column = kept["coords"] if "coords" in kept else (kept["row"], kept["col"])
            return row, column
        lines = np.repeat(np.arange(len(kept["indptr"]) - 1), np.diff(kept["indptr"]))
        return self._ordered(lines, kept["indices"])

    def _ordered(self, lines: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return lines, entries


class InertSparseByColumn(InertSparse):
    """A scipy sparse matrix, compressed by column."""

    def _ordered(self, lines: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return entries, lines


class InertChumpy(Inert):
    """A chumpy array: a leaf (`x`), or a selection from another (`a`, `idxs`)."""

    def plain(self, memo: Memo) -> np.ndarray:
        """The array."""
        state = self.state if isinstance(self.state, dict) else {}
        if "x" in state:
            return np.asarray(to_plain(state["x"], memo))
        if "a" in state and "idxs" in state:
            everything = np.asarray(to_plain(state["a"], memo)).ravel()
            chosen = everything[np.asarray(to_plain(state["idxs"], memo))]
            shape = to_plain(state.get("preferred_shape"), memo)
            return chosen if shape is None else chosen.reshape(shape)
        raise UnpicklingError("holds a chumpy expression instead of numbers")


def array_from_bytes(data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    """An array from its bytes (text in files of Python 2)."""
    if not isinstance(dtype, InertDtype):
        raise UnpicklingError("an array without a plain dtype")
    content = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(content, bytes | bytearray):
        raise UnpicklingError("an array whose content is not bytes")
    flat = np.frombuffer(content, dtype.dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C").copy()


def scalar_from_bytes(dtype: Any, data: Any = b"") -> Any:
    """A NumPy scalar from its bytes."""
    return array_from_bytes(data, dtype, ())[()]


def empty_array(*_: Any) -> InertArray:
    """An array whose content follows."""
    return InertArray()


def instance(kind: Any, *_: Any) -> Any:
    """An instance of one of the classes above, as Python 2 makes them."""
    if not (isinstance(kind, type) and issubclass(kind, Inert)):
        raise UnpicklingError("an instance of an unknown class")
    return kind.__new__(kind)


def latin1_bytes(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes, as Python 3 writes them in old protocols."""
    if encoding != "latin1":
        raise UnpicklingError(f"bytes in encoding {encoding}")
    return str(text).encode("latin1")


def no_bytes() -> bytes:
    """Empty bytes, as Python 3 writes them in old protocols."""
    return b""


def to_plain(value: Any, memo: Memo | None = None) -> Any:
    """The content with every box replaced by the array in it; what is shared stays shared."""
    memo = {} if memo is None else memo
    if not isinstance(value, Inert | dict | list | tuple):
        return value
    if id(value) not in memo:
        memo[id(value)] = _made_plain(value, memo)
    return memo[id(value)]


def _made_plain(value: Any, memo: Memo) -> Any:
    if isinstance(value, Inert):
        return value.plain(memo)
    if isinstance(value, dict):
        return {key: to_plain(item, memo) for key, item in value.items()}
    return type(value)(to_plain(item, memo) for item in value)
